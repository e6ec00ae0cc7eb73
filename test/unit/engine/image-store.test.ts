import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { extract } from 'tar-stream';

import { BUSYBOX_IMAGE, ensureBusyboxImage, isStaticExecutable } from '../../../src/engine/images/busybox-image.ts';
import { chainIds, digestOf, parseDigest } from '../../../src/engine/images/digest.ts';
import { ImageStore } from '../../../src/engine/images/image-store.ts';
import { type LayerEntry, tarOf } from '../../../src/engine/images/layer-entries.ts';
import type { Hold } from '../../../src/engine/images/pins.ts';
import { DataDir } from '../../../src/engine/store/data-dir.ts';
import { Database } from '../../../src/engine/store/database.ts';
import { freeHold } from '../../support/free-hold.ts';

const LAYER: LayerEntry[] = [
  { kind: 'folder', path: 'etc', mode: 0o755 },
  { kind: 'file', path: 'etc/hosts', mode: 0o640, content: '127.0.0.1 localhost\n' },
  { kind: 'symlink', path: 'etc/mtab', target: '/proc/mounts' },
  { kind: 'folder', path: 'tmp', mode: 0o1777 },
];

describe('the image store', () => {
  let folder: string;
  let dataDir: DataDir;
  let database: Database;
  let images: ImageStore;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mooring-images-'));
    await open();
  });
  afterEach(async () => {
    database.close();
    await rm(folder, { recursive: true });
  });
  async function open(): Promise<void> {
    dataDir = await DataDir.open(folder);
    database = await Database.open(folder);
    images = new ImageStore(dataDir, database);
  }
  const add = () => images.add({ name: 'example.org/a/b:1', architecture: 'amd64', config: { Cmd: ['x'] }, createdBy: 'test', layer: LAYER });

  it('keeps blobs under their digests, a manifest that names them, and the layer unpacked', async () => {
    const record = await add();
    const blobs = await readdir(dataDir.blobs);
    assert.equal(blobs.length, 3);
    for (const blob of blobs) assert.equal(createHash('sha256').update(await readFile(path.join(dataDir.blobs, blob))).digest('hex'), blob);

    const manifest = JSON.parse(String(await images.blobs.read(parseDigest(record.manifestDigest))));
    const config = JSON.parse(String(await images.blobs.read(parseDigest(record.imageId))));
    assert.equal(manifest.config.digest, record.imageId);
    assert.deepEqual(config.rootfs.diff_ids, [manifest.layers[0].digest]);
    assert.deepEqual(record.chainIds, config.rootfs.diff_ids);
    assert.equal((await images.blobs.read(manifest.layers[0].digest)).length, manifest.layers[0].size);

    const image = await images.resolve('example.org/a/b:1');
    assert.deepEqual([image.id, image.config, image.layers.length], [record.imageId, { Cmd: ['x'] }, 1]);
    const [layer = ''] = image.layers;
    assert.equal(await readFile(path.join(layer, 'etc/hosts'), 'utf8'), '127.0.0.1 localhost\n');
    assert.equal(await readlink(path.join(layer, 'etc/mtab')), '/proc/mounts');
    const stats = await Promise.all(['', 'etc', 'etc/hosts', 'etc/mtab', 'tmp'].map((name) => lstat(path.join(layer, name))));
    assert.deepEqual(stats.map(({ mode }) => (mode & 0o7777).toString(8)), ['755', '755', '640', '777', '1777']);
    assert.deepEqual(stats.map(({ mtimeMs }) => mtimeMs), [0, 0, 0, 0, 0]);
  });

  it('gives the same tar for the same entries, one that others can read', async () => {
    const tar = await tarOf(LAYER);
    assert.deepEqual(tar, await tarOf(LAYER));
    const seen: unknown[] = [];
    const reader = extract();
    reader.end(tar);
    for await (const entry of reader) {
      const { name, type, mode, uid, gid, linkname } = entry.header;
      seen.push([name, type, mode, uid, gid, linkname]);
      entry.resume();
    }
    assert.deepEqual(seen, [
      ['etc/', 'directory', 0o755, 0, 0, null],
      ['etc/hosts', 'file', 0o640, 0, 0, null],
      ['etc/mtab', 'symlink', 0o777, 0, 0, '/proc/mounts'],
      ['tmp/', 'directory', 0o1777, 0, 0, null],
    ]);
  });

  it('finds images by any form of their name, and says what it has where it finds none', async () => {
    await assert.rejects(images.resolve('redis'), { code: 'NotFound', message: 'image "redis" is not in the store (it means docker.io/library/redis:latest)', fix: 'pull it; the store is empty' });
    await add();
    await assert.rejects(images.resolve('example.org/a/b'), { code: 'NotFound', message: /"example.org\/a\/b" is not in the store/, fix: /example\.org\/a\/b:1/ });
    await assert.rejects(images.resolve('Not A Name'), { code: 'Invalid' });
    await images.add({ name: 'docker.io/library/redis:latest', architecture: 'amd64', config: {}, createdBy: 'test', layer: LAYER });
    assert.equal((await images.resolve('redis')).name, 'docker.io/library/redis:latest'); // the failure was not remembered
  });

  it('refuses a blob that has changed on disk, and writes only what it has not whole', async () => {
    const digest = digestOf('content');
    const expected: string[][] = [];
    const hold: Hold = { ...freeHold, expect: async ({ blobs = [] }) => void expected.push([...blobs]) };
    await images.blobs.put(['content', 'more'], hold);
    await writeFile(path.join(dataDir.blobs, digest.slice(7)), 'changed');
    await assert.rejects(images.blobs.read(digest), { code: 'Internal', message: /is damaged on disk/ });
    await images.blobs.put(['content', 'more'], hold);
    await images.blobs.put(['content', 'more'], hold);
    assert.deepEqual(expected, [[digest, digestOf('more')], [digest]], 'what is there and right needs no place in the ledger');
    assert.equal(String(await images.blobs.read(digest)), 'content');
    await assert.rejects(images.blobs.read(digestOf('absent')), { code: 'NotFound' });
    for (const text of ['sha256:..', 'sha512:00', `sha256:${'A'.repeat(64)}`, `sha256:../${'a'.repeat(61)}`]) assert.throws(() => parseDigest(text), { code: 'Invalid' });
  });

  it('comes through a crash at any point, without a trace of it', async () => {
    const record = await add();
    database.close();
    // As a daemon leaves it that was killed over a blob, over an unpacking, and between the layer and the name.
    await writeFile(dataDir.temporaryPath(), 'half a blob');
    await mkdir(path.join(dataDir.temporaryPath(), 'etc'), { recursive: true });
    await rm(path.join(folder, 'db.sqlite'));
    await rm(path.join(dataDir.blobs, record.imageId.slice(7)));
    await open();
    assert.equal(await images.isWhole('example.org/a/b:1'), false);
    await dataDir.collectTemporary();
    assert.deepEqual(await readdir(dataDir.temporary), []);
    assert.deepEqual({ ...(await add()), createdAt: 0 }, { ...record, createdAt: 0 });
    assert.equal(await images.isWhole('example.org/a/b:1'), true);
  });

  it('makes the busybox image once, and again when its layer went', async () => {
    await ensureBusyboxImage(images);
    const image = await images.resolve('mooring.local/busybox');
    const [layer = ''] = image.layers;
    assert.deepEqual(image.config.Cmd, ['sh']);
    assert.equal(await readlink(path.join(layer, 'bin/sh')), '/bin/busybox');
    assert.deepEqual(await readFile(path.join(layer, 'bin/busybox')), await readFile('/bin/busybox'));
    assert.equal((await lstat(path.join(layer, 'tmp'))).mode & 0o7777, 0o1777);
    const { ino } = await lstat(layer);
    await ensureBusyboxImage(images);
    assert.equal((await lstat(layer)).ino, ino);

    await rm(layer, { recursive: true });
    database.close();
    await open();
    await assert.rejects(images.resolve(BUSYBOX_IMAGE), { code: 'Unavailable', message: /its layer .* is gone/ });
    await ensureBusyboxImage(images);
    assert.equal((await images.resolve(BUSYBOX_IMAGE)).id, image.id);
  });

  it('tells a static executable from another file', async () => {
    assert.equal(isStaticExecutable(await readFile('/bin/busybox')), true);
    assert.equal(isStaticExecutable(await readFile('/usr/bin/env')), false);
    assert.equal(isStaticExecutable(Buffer.from('#!/bin/sh\n')), false);
    assert.equal(isStaticExecutable(Buffer.alloc(0)), false);
  });

  it('chains diff IDs as the image spec says', () => {
    const [a, b] = [digestOf('a'), digestOf('b')];
    assert.deepEqual(chainIds([]), []);
    assert.deepEqual(chainIds([a, b]), [a, digestOf(`${a} ${b}`)]);
  });
});
