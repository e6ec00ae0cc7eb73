import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parseRegistriesFile } from '../../../src/engine/images/registry/registries-file.ts';
import { endpointsOf } from '../../../src/engine/images/registry/registry-settings.ts';
import { parseImageReference } from '../../../src/spec/image-reference.ts';

const read = (text: string) => parseRegistriesFile(Buffer.from(text), 'registries.yaml');

describe('the registries file', () => {
  test('mirrors stand in for their registry, in order, and "*" for those that are not named', () => {
    const settings = read('registries:\n- host: docker.io\n  mirrors: [one.example:5000, two.example/hub]\n- {host: "*", mirrors: [any.example]}\n- host: plain.example\n  insecure: true\n');
    const places = (text: string) => endpointsOf(parseImageReference(text), settings).map(({ host, repository, mirrorOf }) => `${host}/${repository}${mirrorOf === undefined ? '' : ` for ${mirrorOf}`}`);
    assert.deepEqual(places('redis'), ['one.example:5000/library/redis for docker.io', 'two.example/hub/library/redis for docker.io', 'docker.io/library/redis']);
    assert.deepEqual(places('other.example/x'), ['any.example/x for other.example', 'other.example/x']);
    assert.deepEqual(places('plain.example/x'), ['plain.example/x']);
  });
  test('an empty one says nothing', () => {
    for (const text of ['', '# nothing\n', 'registries:\n']) assert.equal(read(text).hosts.size, 0);
  });
  for (const [mistake, text, at, message] of [
    ['a field that is not known', 'registries:\n- host: a.example\n  mirors: [b.example]\n', 'registries.yaml:3:3', /registries\[0\]\.mirors: unknown field/],
    ['a scheme', 'registries:\n- host: https://a.example\n', 'registries.yaml:2:9', /not a registry's host/],
    ['a mirror that would be a user of the default registry', 'registries:\n- host: docker.io\n  mirrors: [mirror]\n', 'registries.yaml:3:13', /is not a mirror/],
    ['a host given twice', 'registries:\n- host: a.example\n- host: a.example\n', 'registries.yaml:3:9', /given twice/],
    ['a word where a list belongs', 'registries: none\n', 'registries.yaml:1:13', /must be a list/],
    ['a relative authority', 'registries:\n- host: a.example\n  caFile: ca.crt\n', 'registries.yaml:3:11', /absolute path/],
    ['a key given twice', 'defaultRegistry: a.example\ndefaultRegistry: b.example\n', 'registries.yaml:2:1', /given twice/],
    ['a tab', 'registries:\n\t- host: x\n', 'registries.yaml:2:1', /tab/],
  ] as const) {
    test(`${mistake} is told with its place`, () => assert.throws(() => read(text), { code: 'Invalid', at, message }));
  }
});

test('another default registry takes the names without one, and only those', () => {
  const parse = (text: string) => parseImageReference(text, 'registry.example:5000');
  assert.deepEqual(parse('redis:7'), { registry: 'registry.example:5000', repository: 'redis', tag: '7' });
  assert.deepEqual(parse('team/app'), { registry: 'registry.example:5000', repository: 'team/app', tag: 'latest' });
  assert.deepEqual(parse('index.docker.io/redis'), { registry: 'docker.io', repository: 'library/redis', tag: 'latest' });
});
