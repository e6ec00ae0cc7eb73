import assert from 'node:assert/strict';
import test from 'node:test';
import { instantOf } from '../../../../src/api/docker/image-lookup.ts';
import { familiarName, isNameless, joinReference, keepingUntagged, namelessName, sought, tagsOf } from '../../../../src/api/docker/image-names.ts';
import { resourceNameFor } from '../../../../src/api/docker/resource-names.ts';

const digest = `sha256:${'0'.repeat(64)}`;

test('names as people write them', () => {
  assert.equal(familiarName('docker.io/library/redis:7'), 'redis:7');
  assert.equal(familiarName('docker.io/team/redis:7'), 'team/redis:7');
  assert.equal(familiarName('quay.io/library/redis:7'), 'quay.io/library/redis:7');
  assert.deepEqual(tagsOf({ names: ['docker.io/library/b:1', namelessName(), 'mooring.local/build:0123456789ab', 'docker.io/library/a:1'] }), ['a:1', 'b:1']);
  assert.equal(isNameless('mooring.local/busybox:latest'), false);
});

test('name and tag of a query make one reference', () => {
  assert.equal(joinReference('host:5000/a/b', 'v1'), 'host:5000/a/b:v1');
  assert.equal(joinReference('a:1', '2'), 'a:2');
  assert.equal(joinReference('a', digest), `a@${digest}`);
  assert.equal(joinReference('a', undefined), 'a');
  assert.throws(() => joinReference('Bad', '1'), { status: 400, message: 'invalid reference format: repository name must be lowercase' });
  assert.throws(() => joinReference('a', 'no tag'), { status: 400, message: 'invalid reference format' });
  assert.equal(sought('nosuch'), 'nosuch:latest');
  assert.equal(sought(digest.slice(7)), digest);
});

test('what a name stood for stays, without a name, once it stands for something else', async () => {
  const names = new Map([['a:1', 'one']]);
  const images = {
    standing: (name: string) => (names.has(name) ? { imageId: names.get(name) ?? '', repoDigest: null } : undefined),
    tag: async (image: string, name: string) => void names.set(name, names.get(image) ?? image),
    remove: async (name: string) => (names.delete(name), { names: [name] }),
  };
  await keepingUntagged(images, ['a:1'], async () => undefined);
  assert.deepEqual([...names], [['a:1', 'one']], 'nothing is kept where nothing moves');
  await keepingUntagged(images, ['a:1', 'new:1'], async () => void names.set('a:1', 'two'));
  assert.equal(names.get('a:1'), 'two');
  assert.deepEqual([...names].filter(([name]) => isNameless(name)).map(([, id]) => id), ['one']);
  await assert.rejects(keepingUntagged(images, ['a:1'], () => Promise.reject(new Error('no'))), /no/);
  assert.equal([...names.keys()].filter(isNameless).length, 1);
});

test('a resource of the same name where it can be, else always the same other one', () => {
  assert.equal(resourceNameFor('web-1'), 'web-1');
  assert.match(resourceNameFor('proj_default'), /^proj-default-[0-9a-f]{8}$/);
  assert.equal(resourceNameFor('My.Net'), resourceNameFor('My.Net'));
  assert.notEqual(resourceNameFor('a_b'), resourceNameFor('a.b'));
  assert.notEqual(resourceNameFor('default'), 'default');
  assert.match(resourceNameFor('___'), /^n-[0-9a-f]{8}$/);
  assert.ok(resourceNameFor('x'.repeat(200)).length <= 63);
});

test('instants: seconds, spans of Go, RFC 3339', () => {
  assert.equal(instantOf('1700000000.5'), 1_700_000_000_500);
  assert.equal(instantOf('2026-01-31T12:00:00Z'), Date.UTC(2026, 0, 31, 12));
  assert.ok(Math.abs((instantOf('1h30m') ?? 0) - (Date.now() - 5_400_000)) < 5000);
  assert.equal(instantOf('soon'), undefined);
});
