import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';

import { flakyProxy } from '../../support/flaky-proxy.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { tarArchive } from '../../support/tar-writer.ts';
import { once, openStore } from './store-support.ts';

const LAYER_BYTES = 3 * 2 ** 20;
const isBlob = (url: string | undefined): boolean => url?.includes('/blobs/sha256') ?? false;

async function pushed(registry: TestRegistry, repository: string): Promise<string> {
  await using store = await openStore();
  const name = `${registry.address}/${repository}:1`;
  const { id } = await store.engine.import(once(tarArchive([{ name: 'noise', content: randomBytes(LAYER_BYTES) }])), name);
  await store.engine.push(name);
  return id;
}

test('a download that breaks off goes on where it was', async () => {
  await using registry = await startRegistry();
  const id = await pushed(registry, 'app');
  let cuts = 0;
  await using proxy = await flakyProxy(registry.address, ({ url, method }) => (method === 'GET' && isBlob(url) && cuts++ < 4 ? { cutAfter: 700_000 } : undefined));
  await using store = await openStore();
  assert.equal((await store.engine.pull(`${proxy.address}/app:1`)).id, id);
  const ranges = proxy.requests.filter(({ url }) => isBlob(url)).flatMap(({ range }) => range ?? []);
  assert.ok(ranges.length >= 3, JSON.stringify(proxy.requests));
  const offsets = ranges.map((range) => Number(/bytes=(\d+)-/.exec(range)?.[1]));
  assert.ok(offsets.every((offset, index) => offset > (offsets[index - 1] ?? 0)), `${offsets.join()} grow`);
  assert.deepEqual(await store.engine.check(), []);
});

test('what is overloaded is asked again, and not before the time that it says', async () => {
  await using registry = await startRegistry();
  const id = await pushed(registry, 'app');
  const refused: number[] = [];
  await using proxy = await flakyProxy(registry.address, ({ url }, count) => {
    if (!url?.includes('/manifests/')) return undefined;
    refused.push(count);
    if (refused.length === 1) return { status: 429, headers: { 'retry-after': '1' } };
    return refused.length === 2 ? { status: 503 } : undefined;
  });
  await using store = await openStore();
  assert.equal((await store.engine.pull(`${proxy.address}/app:1`)).id, id);
  const [first, second] = proxy.requests.filter(({ url }) => url.includes('/manifests/'));
  assert.ok(first && second && second.time - first.time >= 990, 'Retry-After was heeded');
});

test('a limit that lasts is told with the time that it lasts', async () => {
  await using registry = await startRegistry();
  await using proxy = await flakyProxy(registry.address, ({ url }) => (url?.includes('/manifests/') ? { status: 429, headers: { 'retry-after': '3600' } } : undefined));
  await using store = await openStore();
  await assert.rejects(store.engine.pull(`${proxy.address}/app:1`), { code: 'Unavailable', message: /limits how often/, fix: /3600 s/ });
});

test('content other than its digest is refused, and nothing of it stays', async () => {
  await using registry = await startRegistry();
  await pushed(registry, 'app');
  await pushed(registry, 'other');
  const layerOf = async (repository: string): Promise<string> => {
    await using store = await openStore();
    await store.engine.pull(`${registry.address}/${repository}:1`);
    return (await store.engine.inspect(`${registry.address}/${repository}:1`)).layerDigests[0]?.digest ?? '';
  };
  const [own, other] = [await layerOf('app'), await layerOf('other')];
  await using proxy = await flakyProxy(registry.address, (incoming) => {
    // The registry's own answer to another question.
    if (incoming.url === `/v2/app/blobs/${own}`) incoming.url = `/v2/other/blobs/${other}`;
    return undefined;
  });
  await using store = await openStore();
  await assert.rejects(store.engine.pull(`${proxy.address}/app:1`), { code: 'Invalid', message: new RegExp(`blob ${own} of .* came as ${other}`) });
  assert.deepEqual([await readdir(store.dataDir.blobs), await readdir(store.dataDir.layers), await readdir(store.dataDir.temporary)], [[], [], []]);
});

test('a hundred pulls of one image at once fetch each blob once', async () => {
  await using registry = await startRegistry();
  const id = await pushed(registry, 'app');
  await using proxy = await flakyProxy(registry.address, () => undefined);
  await using store = await openStore();
  const pulls = await Promise.all(Array.from({ length: 100 }, () => store.engine.pull(`${proxy.address}/app:1`)));
  assert.ok(pulls.every((image) => image.id === id));
  const { layerDigests } = await store.engine.inspect(id);
  assert.equal(proxy.requests.filter(({ url }) => url.endsWith(layerDigests[0]?.digest ?? '?')).length, 1);
  assert.deepEqual(await store.engine.check(), []);
});

test('a push of a large blob goes on piece by piece after a piece failed', async () => {
  await using registry = await startRegistry();
  let failures = 0;
  await using proxy = await flakyProxy(registry.address, ({ method }) => (method === 'PATCH' && failures++ === 1 ? { status: 502 } : undefined));
  await using store = await openStore();
  const name = `${proxy.address}/large:1`;
  const { id } = await store.engine.import(once(tarArchive([{ name: 'large', content: Buffer.alloc(70 * 2 ** 20, 'x') }])), name);
  await store.engine.push(name);
  assert.ok(proxy.requests.filter(({ method }) => method === 'PATCH').length >= 3);
  await using there = await openStore();
  assert.equal((await there.engine.pull(`${registry.address}/large:1`)).id, id);
});
