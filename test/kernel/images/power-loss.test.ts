import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import type { ImageSummary } from '../../../src/engine/images.ts';
import { startRegistry } from '../../support/registry.ts';
import { tarArchive } from '../../support/tar-writer.ts';
import { once, openStore, type TestStore } from './store-support.ts';

const ANOTHER_BOOT = '11111111-2222-3333-4444-555555555555';
const FILES = 40;

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mooring-power-'));
});
afterEach(() => rm(root, { recursive: true }));

const archive = (word: string): Buffer => tarArchive(Array.from({ length: FILES }, (_, index) => ({ name: `file-${index}`, content: `${word} ${index}` })));

/** Fills a store, and leaves it as the next boot finds it that comes before the flush. */
async function untilPowerFails<T>(work: (store: TestStore) => Promise<T>): Promise<T> {
  await using store = await openStore({ root });
  const result = await work(store);
  await store.engine.close();
  const [, ...names] = (await readFile(store.dataDir.unflushed, 'utf8')).split('\n');
  assert.ok(names.filter((name) => name !== '').length >= 3, 'manifest, config and archive are named');
  await writeFile(store.dataDir.unflushed, [ANOTHER_BOOT, ...names].join('\n'));
  return result;
}

/** The one layer of an image: the file of its blob, and its folder. */
async function layerOf({ engine, dataDir }: TestStore, { id }: Pick<ImageSummary, 'id'>): Promise<{ readonly blob: string; readonly folder: string }> {
  const [layer] = (await engine.inspect(id)).layerDigests;
  assert.ok(layer);
  const [blob, folder] = [layer.digest, layer.chainId].map((digest) => digest.slice('sha256:'.length)) as [string, string];
  return { blob: path.join(dataDir.blobs, blob), folder: path.join(dataDir.layers, folder) };
}

test('after the power fails, a layer that did not reach the disk is unpacked again', async () => {
  const { folder } = await untilPowerFails(async (store) => layerOf(store, await store.engine.import(once(archive('whole')), 'example/whole:1')));
  // As file systems leave them: a file of no length, and one of the length alone.
  await truncate(path.join(folder, 'file-1'), 0);
  await writeFile(path.join(folder, 'file-2'), Buffer.alloc(7));
  await rm(path.join(folder, 'file-4'));
  await using store = await openStore({ root });
  assert.deepEqual(await store.engine.recover(), []);
  assert.equal((await readdir(folder)).length, FILES);
  for (const index of [1, 2, 4]) assert.equal(await readFile(path.join(folder, `file-${index}`), 'utf8'), `whole ${index}`);
  assert.deepEqual(await store.engine.check(), []);
  assert.ok(await store.engine.resolves('example/whole:1'));
});

test('an image whose blob did not reach the disk either is told of and not used, and a pull brings it back', async () => {
  await using registry = await startRegistry();
  const name = `${registry.address}/lost:1`;
  const { id, blob, folder, kept } = await untilPowerFails(async (store) => {
    const image = await store.engine.import(once(archive('lost')), name);
    const other = await store.engine.import(once(archive('kept')), 'example/kept:1');
    await store.engine.push(name);
    return { id: image.id, ...(await layerOf(store, image)), kept: (await layerOf(store, other)).folder };
  });
  await truncate(blob, 100);
  await using store = await openStore({ root });
  const [lost, ...others] = await store.engine.recover();
  assert.equal(lost?.name, name);
  assert.match(lost.message, /did not reach the disk/);
  assert.deepEqual(others, []);
  assert.equal(await store.engine.resolves(name), false);
  assert.ok(!(await readdir(path.dirname(folder))).includes(path.basename(folder)), 'nothing half is left');
  assert.ok(await store.engine.resolves('example/kept:1'));
  assert.equal(await readFile(path.join(kept, 'file-3'), 'utf8'), 'kept 3');
  assert.equal((await store.engine.pull(name)).id, id);
  assert.equal(await readFile(path.join(folder, 'file-3'), 'utf8'), 'lost 3');
  assert.deepEqual(await store.engine.check(), []);
});

test('what a container stands on is on disk before its last name goes, and comes into no doubt by what is pulled later', async () => {
  const users: { name: string; imageId: string }[] = [];
  await using registry = await startRegistry();
  const name = `${registry.address}/used:1`;
  {
    await using store = await openStore({ root, containers: () => users });
    const image = await store.engine.import(once(archive('used')), name);
    await store.engine.push(name);
    users.push({ name: 'default/web', imageId: image.id });
    const { folder } = await layerOf(store, image);
    const unflushed = (): Promise<string> => readFile(store.dataDir.unflushed, 'utf8');
    assert.ok((await unflushed()).includes(`layer sha256:${path.basename(folder)}\n`));
    await store.engine.remove(name, { force: true });
    assert.ok(!(await unflushed()).includes(path.basename(folder)), 'it is on disk');
    // The same layer comes again, its blob having gone with the name.
    await store.engine.prune({ all: false, dryRun: false });
    await store.engine.pull(name);
    assert.ok((await unflushed()).includes(`\nsha256:${path.basename(folder)}\n`), 'its blob came anew');
    assert.ok(!(await unflushed()).includes(`layer sha256:${path.basename(folder)}`), 'and stays so');
  }
});

test('an image that loses even its manifest and config keeps the store from nothing', async () => {
  const { id } = await untilPowerFails((store) => store.engine.import(once(archive('gone')), 'example/gone:1'));
  const blobs = path.join(root, 'data/blobs/sha256');
  for (const file of await readdir(blobs)) await appendFile(path.join(blobs, file), 'x');
  await using store = await openStore({ root });
  assert.deepEqual((await store.engine.recover()).map(({ name }) => name), ['docker.io/example/gone:1']);
  for (const kind of [store.dataDir.blobs, store.dataDir.layers]) assert.deepEqual(await readdir(kind), []);
  const again = await store.engine.import(once(archive('gone')), 'example/gone:1', { created: new Date(0) });
  assert.notEqual(again.id, id);
  assert.deepEqual(await store.engine.check(), []);
});
