import assert from 'node:assert/strict';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseContainerName } from '../../../src/spec/name.ts';
import { createHarness, eventually, type Harness, mark, yaml } from './harness.ts';

const FILE = `services:
  web:
    image: mooring.local/busybox:latest
    environment: {MARK: "\${MARK:-none}"}
    env_file: web.env
    volumes: ["./config:/config:ro"]
`;

/** The value of a variable of the container that is wanted. */
function variable(h: Harness, name: string): string | undefined {
  return h.desired.get(parseContainerName('shop-web-1'))?.container.spec.env.find((one) => one.name === name)?.value;
}

test('a compose file is followed with all that it is read with: .env, the override, env_file, what it extends', async () => {
  await using h = await createHarness();
  await h.write('shop/web.env', 'A=1\n');
  await h.write('shop/compose.yaml', FILE);
  const source = await h.start();
  assert.deepEqual(h.names(), ['shop-default', 'shop-web-1']);
  assert.deepEqual([variable(h, 'MARK'), variable(h, 'A')], ['none', '1']);
  assert.equal(h.desired.get(parseContainerName('shop-web-1'))?.container.spec.mounts[0]?.bind?.source, join(h.dir, 'shop/config'));

  await h.write('shop/.env', 'MARK=env\n');
  await eventually(() => assert.equal(variable(h, 'MARK'), 'env'));
  await h.write('shop/.env', 'MARK=again\n');
  await eventually(() => assert.equal(variable(h, 'MARK'), 'again'));
  await h.write('shop/web.env', 'A=2\n');
  await eventually(() => assert.equal(variable(h, 'A'), '2'));

  await h.write('shop/compose.override.yaml', 'services: {web: {environment: {MARK: over}}}\n');
  await eventually(() => assert.equal(variable(h, 'MARK'), 'over'));
  await unlink(join(h.dir, 'shop/compose.override.yaml'));
  await eventually(() => assert.equal(variable(h, 'MARK'), 'again'));

  await h.write('shop/base.yaml', 'services: {base: {image: mooring.local/busybox:latest, environment: {BASE: "1"}}}\n');
  await h.write('shop/compose.yaml', FILE.replace('    image', '    extends: {file: base.yaml, service: base}\n    image'));
  await eventually(() => assert.equal(variable(h, 'BASE'), '1'));
  await h.write('shop/base.yaml', 'services: {base: {image: mooring.local/busybox:latest, environment: {BASE: "2"}}}\n');
  await eventually(() => assert.equal(variable(h, 'BASE'), '2'));
  assert.deepEqual(source.problems(), []);

  await h.write('shop/compose.override.yaml', 'services: {web: {environment: {MARK: over}}, more: {image: mooring.local/busybox:latest}}\n');
  await h.wants('shop-default', 'shop-more-1', 'shop-web-1');
  await unlink(join(h.dir, 'shop/compose.yaml'));
  await h.wants();
});

test('a file that can not be taken keeps what it said before; what it says and is not done, is told, and does not keep it from being taken', async () => {
  await using h = await createHarness();
  await h.write('shop/compose.yaml', 'services: {web: {image: mooring.local/busybox:latest, environment: [MARK=1]}}\n');
  const source = await h.start();
  await h.write('shop/compose.yaml', 'services: {web: {image: mooring.local/busybox:latest, environment: [MARK=2], gpus: all}}\n');
  await eventually(() => assert.deepEqual(source.problems().map(({ at, field }) => `${at} ${field}`), ['shop/compose.yaml:1:78 services.web.gpus']));
  assert.equal(variable(h, 'MARK'), '1');
  await h.write('shop/compose.yaml', 'services: {web: {image: mooring.local/busybox:latest, environment: [MARK=3], deploy: {placement: {}}}}\n');
  await eventually(() => assert.equal(variable(h, 'MARK'), '3'));
  assert.deepEqual(source.problems().map(({ at, warning }) => `${at} ${String(warning)}`), ['shop/compose.yaml:1:87 true']);
  assert.deepEqual(h.events.map(({ reason }) => reason), ['SpecRejected', 'SpecIncomplete']);
});

test("a project's own YAML is no document; a document of ours beside it is one, with its mistakes", async () => {
  await using h = await createHarness();
  await h.write('shop/config/app.yaml', 'listen: 80\n');
  await h.write('shop/web.env', '');
  await h.write('shop/compose.yaml', FILE);
  await h.write('shop/other.yaml', yaml('other', mark('1')));
  await h.write('elsewhere.yaml', 'listen: 80\n');
  await h.write('compose.override.yaml', 'services: {}\n');
  const source = await h.start();
  assert.deepEqual(h.names(), ['other', 'shop-default', 'shop-web-1']);
  assert.deepEqual(source.problems().map(({ file }) => file), ['compose.override.yaml', 'elsewhere.yaml']);
  await h.write('shop/config/app.yaml', yaml('inner', '  imaged: x\n'));
  await eventually(() => assert.deepEqual(source.problems().map(({ file }) => file), ['compose.override.yaml', 'elsewhere.yaml', 'shop/config/app.yaml']));
});
