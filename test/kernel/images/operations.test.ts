import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

import { tarArchive, type TarEntry } from '../../support/tar-writer.ts';
import { once, openStore, type TestStore } from './store-support.ts';

const run = promisify(execFile);
const sha256 = (content: Buffer | string) => createHash('sha256').update(content).digest('hex');
const NAME = 'example.test/app:1';

async function saved(store: TestStore, names: readonly string[], format: 'docker' | 'oci' = 'docker'): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(await store.engine.save(names, format)));
}

async function bytesOnDisk(...folders: string[]): Promise<number> {
  const { stdout } = await run('du', ['-s', '--block-size=1', '--total', ...folders]);
  return Number(/(\d+)\s+total/.exec(stdout)?.[1]);
}

describe('save and load', () => {
  for (const format of ['docker', 'oci'] as const) {
    test(`an image saved as ${format} is loaded elsewhere with the same digests`, async () => {
      await using here = await openStore({ busybox: true });
      await using there = await openStore();
      const archive = await saved(here, ['mooring.local/busybox'], format);
      assert.deepEqual(await saved(here, ['mooring.local/busybox'], format), archive, 'the same images give the same bytes');
      const [loaded] = await there.engine.load(once(gzipSync(archive)));
      assert.equal(loaded?.id, (await here.engine.inspect('mooring.local/busybox')).id);
      assert.deepEqual(loaded?.names, ['mooring.local/busybox:latest']);
      assert.equal((await there.engine.inspect('mooring.local/busybox')).manifestDigest, (await here.engine.inspect('mooring.local/busybox')).manifestDigest);
      assert.deepEqual(await there.engine.check(), []);
      assert.deepEqual(await readdir(there.dataDir.temporary), []);
    });
  }

  test('another tool reads what was saved, and what it writes is loaded, with the same config', async () => {
    await using store = await openStore({ busybox: true });
    const { id } = await store.engine.inspect('mooring.local/busybox');
    const ours = path.join(store.root, 'ours.tar');
    await writeFile(ours, await saved(store, ['mooring.local/busybox']));
    for (const source of [`docker-archive:${ours}`, `oci-archive:${ours}`]) {
      const theirs = path.join(store.root, 'theirs.tar');
      await run('skopeo', ['copy', source, `docker-archive:${theirs}:example.test/copy:1`]);
      await using there = await openStore();
      const [loaded] = await there.engine.load(once(await readFile(theirs)));
      assert.deepEqual([loaded?.id, loaded?.names], [id, ['example.test/copy:1']], source);
      assert.deepEqual(await there.engine.check(), []);
      await rm(theirs);
    }
  });

  test("an archive as old Docker wrote it: a folder a layer, a shared one as a link, the config's hash for a name", async () => {
    await using store = await openStore();
    const layer = tarArchive([{ name: 'file', content: 'old' }]);
    const config = JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Cmd: ['sh'] }, rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`, `sha256:${sha256(layer)}`] } });
    const archive = tarArchive([
      { name: 'aaa/', type: '5', mode: 0o755 },
      { name: 'aaa/layer.tar', content: layer },
      { name: 'bbb/', type: '5', mode: 0o755 },
      { name: 'bbb/layer.tar', type: '2', link: '../aaa/layer.tar' },
      { name: `${sha256(config)}.json`, content: config },
      { name: 'manifest.json', content: JSON.stringify([{ Config: `${sha256(config)}.json`, RepoTags: ['old/app:2'], Layers: ['aaa/layer.tar', 'bbb/layer.tar'] }]) },
      { name: 'repositories', content: '{}' },
    ]);
    const [loaded] = await store.engine.load(once(archive));
    assert.deepEqual([loaded?.id, loaded?.names, loaded?.layers], [`sha256:${sha256(config)}`, ['docker.io/old/app:2'], 2]);
    assert.deepEqual(await store.engine.check(), []);
  });

  const hostile: readonly (readonly [string, readonly TarEntry[], RegExp])[] = [
    ['that holds no image', [{ name: 'file', content: 'x' }], /neither manifest.json nor index.json/],
    ['whose config is a link to the host', [{ name: 'c', type: '2', link: '/etc/passwd' }, { name: 'manifest.json', content: '[{"Config":"c","Layers":[]}]' }], /leads out/],
    ['whose config climbs', [{ name: 'manifest.json', content: '[{"Config":"../../../etc/passwd","Layers":[]}]' }], /leads out/],
    ['whose folder is a link to the host', [{ name: 'd', type: '2', link: '/etc' }, { name: 'manifest.json', content: '[{"Config":"d/passwd","Layers":[]}]' }], /leads out/],
    ['whose links are a loop', [{ name: 'c', type: '2', link: 'c' }, { name: 'manifest.json', content: '[{"Config":"c","Layers":[]}]' }], /loop/],
    ['whose config is a pipe', [{ name: 'c', type: '6' }, { name: 'manifest.json', content: '[{"Config":"c","Layers":[]}]' }], /not a file/],
    ['whose manifest is a folder', [{ name: 'manifest.json', type: '5' }], /not a file/],
    ['whose layer is not what its config says', [{ name: 'l', content: tarArchive([]) }, { name: 'c', content: JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [`sha256:${'0'.repeat(64)}`] } }) }, { name: 'manifest.json', content: '[{"Config":"c","Layers":["l"]}]' }], /the image's config says/],
    ['with more layers than its config has', [{ name: 'l', content: 'x' }, { name: 'c', content: '{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}' }, { name: 'manifest.json', content: '[{"Config":"c","Layers":["l"]}]' }], /speaks of 0 layers/],
    ['whose blob is another', [{ name: 'blobs/sha256/' + 'a'.repeat(64), content: '{}' }, { name: 'index.json', content: JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: '', digest: `sha256:${'a'.repeat(64)}`, size: 2 }] }) }], /other content/],
    ['that is malformed', [{ name: 'manifest.json', content: '{"a":1}' }], /malformed/],
  ];
  for (const [trick, entries, message] of hostile) {
    test(`an archive ${trick} is refused, and nothing of it stays`, async () => {
      await using store = await openStore();
      await assert.rejects(store.engine.load(once(tarArchive(entries))), { code: 'Invalid', message });
      assert.deepEqual([await store.engine.list(), await readdir(store.dataDir.temporary)], [[], []]);
      await store.engine.prune({ all: false, dryRun: false });
      assert.deepEqual([await readdir(store.dataDir.blobs), await readdir(store.dataDir.layers)], [[], []]);
    });
  }
});

test('an imported archive is an image of one layer, whose history says so', async () => {
  await using store = await openStore();
  const archive = tarArchive([{ name: 'f', content: 'x' }]);
  const image = await store.engine.import(once(gzipSync(archive)), NAME);
  const details = await store.engine.inspect(image.id.slice('sha256:'.length, 'sha256:'.length + 12));
  assert.equal(details.layerDigests[0]?.diffId, `sha256:${sha256(archive)}`);
  assert.equal(details.layerDigests[0].mediaType, 'application/vnd.oci.image.layer.v1.tar+gzip');
  assert.equal((await store.engine.history(NAME))[0]?.createdBy, 'mooring image import');
});

test('an image in use keeps its last name, and says who uses it; its layers stay until that has gone', async () => {
  const users: { name: string; imageId: string }[] = [];
  await using store = await openStore({ containers: () => users });
  const { id } = await store.engine.import(once(tarArchive([{ name: 'f', content: 'x' }])), NAME);
  users.push({ name: 'default/web', imageId: id });
  await assert.rejects(store.engine.remove(NAME, { force: false }), { code: 'Conflict', message: /in use by default\/web/ });
  await store.engine.tag(NAME, 'example.test/other:1');
  assert.deepEqual((await store.engine.remove(NAME, { force: false })).names, [NAME]);
  await store.engine.remove('example.test/other:1', { force: true });
  assert.deepEqual((await store.engine.prune({ all: true, dryRun: false })).layers, []);
  assert.equal((await readdir(store.dataDir.layers)).length, 1);
  users.length = 0;
  assert.equal((await store.engine.prune({ all: false, dryRun: false })).layers.length, 1);
  assert.deepEqual([await readdir(store.dataDir.layers), await readdir(store.dataDir.blobs)], [[], []]);
});

test('disk usage counts what is shared once, to the block; prune gives back just what its dry run and df said', async () => {
  await using store = await openStore();
  const archive = tarArchive([{ name: 'd/', type: '5', mode: 0o755 }, { name: 'd/f', content: Buffer.alloc(100_000, 1) }, { name: 'd/hard', type: '1', link: 'd/f' }]);
  await store.engine.import(once(archive), NAME);
  await store.engine.tag(NAME, 'example.test/other:1');
  await store.engine.import(once(tarArchive([{ name: 'g', content: 'alone' }])), 'example.test/alone:1');
  const usage = await store.engine.diskUsage();
  const contents = async (folder: string) => (await readdir(folder)).map((name) => path.join(folder, name));
  assert.equal(usage.layers.bytes, await bytesOnDisk(...(await contents(store.dataDir.layers))));
  assert.equal(usage.blobs.bytes, await bytesOnDisk(...(await contents(store.dataDir.blobs))));
  await store.engine.remove('example.test/alone:1', { force: false });
  const dry = await store.engine.prune({ all: false, dryRun: true });
  assert.equal((await store.engine.diskUsage()).reclaimable, dry.bytes);
  const before = await bytesOnDisk(store.dataDir.layers, store.dataDir.blobs);
  assert.deepEqual(await store.engine.prune({ all: false, dryRun: false }), dry);
  assert.equal(before - (await bytesOnDisk(store.dataDir.layers, store.dataDir.blobs)), dry.bytes);
  assert.deepEqual(await store.engine.check(), []);
});

test('check finds a damaged blob, one that is gone, and a layer that is gone', async () => {
  await using store = await openStore({ busybox: true });
  await store.engine.import(once(tarArchive([{ name: 'f', content: 'x' }])), NAME);
  const { layerDigests } = await store.engine.inspect(NAME);
  const [layer] = layerDigests;
  assert.ok(layer);
  await appendFile(path.join(store.dataDir.blobs, layer.digest.slice(7)), 'rot');
  assert.match((await store.engine.check()).map(({ object, message }) => `${object} ${message}`).join('\n'), new RegExp(`${layer.digest} the blob's content is`));
  await rm(path.join(store.dataDir.blobs, layer.digest.slice(7)));
  await rm(path.join(store.dataDir.layers, layer.chainId.slice(7)), { recursive: true });
  await rm(path.join(store.dataDir.blobs, (await store.engine.inspect('mooring.local/busybox')).id.slice(7)));
  const listed = (await store.engine.list()).map(({ names, damage }) => [names[0], damage === undefined]);
  assert.deepEqual(listed, [[NAME, true], ['mooring.local/busybox:latest', false]], 'a damaged image does not hide the others');
  await store.engine.remove('mooring.local/busybox', { force: false });
  const found = (await store.engine.check()).map(({ object, message }) => `${object}: ${message}`);
  assert.deepEqual(found, [`${NAME}: the blob ${layer.digest} of a layer is gone`, `${NAME}: the unpacked layer ${layer.chainId} is gone`]);
});
