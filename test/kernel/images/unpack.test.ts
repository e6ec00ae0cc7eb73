import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync, zstdCompressSync } from 'node:zlib';

import { DEFAULT_LAYER_BOUNDS, type Unpacked, unpackLayer } from '../../../src/engine/images/unpack-layer.ts';
import { tarArchive, type TarEntry } from '../../support/tar-writer.ts';

const archiver = path.resolve(import.meta.dirname, '../../../native/build/mooring-archive');

async function unpacked(archive: Buffer, look: (folder: string, result: Unpacked) => Promise<void>): Promise<void> {
  const place = await mkdtemp(path.join(tmpdir(), 'mooring-unpack-'));
  try {
    const folder = path.join(place, 'layer');
    await mkdir(folder);
    await writeFile(path.join(place, 'blob'), archive);
    await look(folder, await unpackLayer({ archiver, blob: path.join(place, 'blob'), folder, bounds: DEFAULT_LAYER_BOUNDS }));
  } finally {
    await rm(place, { recursive: true });
  }
}

async function attribute(file: string, name: string): Promise<string> {
  const { stdout } = await promisify(execFile)('getfattr', ['--no-dereference', '--absolute-names', '--name', name, '--encoding=hex', file]);
  return /=(\S+)/.exec(stdout)?.[1] ?? '';
}

const everything: readonly TarEntry[] = [
  { name: './', type: '5', mode: 0o711, mtime: 5 },
  { name: 'dir/', type: '5', mode: 0o1777, uid: 7, gid: 8, mtime: 1_000_000 },
  { name: 'dir/file', content: 'hello', mode: 0o4755, uid: 2_000_000_000, gid: 3_000_000_000, mtime: 1_234_567_890 },
  { name: 'dir/hard', type: '1', link: 'dir/file' },
  { name: 'link', type: '2', link: '../anywhere/at all', uid: 12, mtime: 99 },
  { name: 'pipe', type: '6', mode: 0o600 },
  { name: 'null', type: '3', device: [1, 3], mode: 0o666 },
  { name: 'short', content: 'x', pax: { path: 'n'.repeat(255), mtime: '1.25' } },
  { name: 'x', content: 'x', pax: { path: 'naïve/日本' } },
  { name: 'capable', content: 'x', pax: { 'SCHILY.xattr.security.capability': Buffer.from('0100000200200000000000000000000000000000', 'hex'), 'SCHILY.xattr.user.note': 'kept' } },
  { name: '.wh.gone' },
  { name: 'replaced/', type: '5', mode: 0o755 },
  { name: 'replaced/.wh..wh..opq' },
  { name: 'sparse', pax: { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'sparse', 'GNU.sparse.realsize': String(2 ** 30) }, content: '1\n1048576\n4\n'.padEnd(512, '\0') + 'data' },
];

for (const [form, compress] of [['plain', (x: Buffer) => x], ['gzip', gzipSync], ['zstd', zstdCompressSync]] as const) {
  test(`a ${form} layer arrives with owners, modes, dates, links, attributes, devices, holes and deletion marks`, async () => {
    const archive = tarArchive(everything);
    await unpacked(compress(archive), async (folder, result) => {
      assert.equal(result.diffId, `sha256:${createHash('sha256').update(archive).digest('hex')}`);
      assert.equal(result.size, archive.length);
      const at = (name: string) => path.join(folder, name);
      const file = await lstat(at('dir/file'));
      assert.deepEqual([file.mode & 0o7777, file.uid, file.gid, file.mtimeMs, file.nlink], [0o4755, 2_000_000_000, 3_000_000_000, 1_234_567_890_000, 2]);
      assert.equal((await lstat(at('dir/hard'))).ino, file.ino);
      const dir = await lstat(at('dir'));
      assert.deepEqual([dir.mode & 0o7777, dir.uid, dir.gid, dir.mtimeMs], [0o1777, 7, 8, 1_000_000_000]);
      const root = await lstat(folder);
      assert.deepEqual([root.mode & 0o7777, root.mtimeMs], [0o711, 5000]);
      assert.equal(await readlink(at('link')), '../anywhere/at all');
      assert.deepEqual([(await lstat(at('link'))).uid, (await lstat(at('link'))).mtimeMs], [12, 99_000]);
      assert.ok((await lstat(at('pipe'))).isFIFO());
      assert.equal((await lstat(at('null'))).rdev, 0x103);
      assert.equal((await lstat(at('n'.repeat(255)))).mtimeMs, 1250);
      assert.equal(await readFile(at('naïve/日本'), 'utf8'), 'x');
      assert.equal(await attribute(at('capable'), 'security.capability'), '0x0100000200200000000000000000000000000000');
      assert.equal(await attribute(at('capable'), 'user.note'), `0x${Buffer.from('kept').toString('hex')}`);
      const gone = await lstat(at('gone'));
      assert.ok(gone.isCharacterDevice() && gone.rdev === 0);
      assert.equal(await attribute(at('replaced'), 'trusted.overlay.opaque'), '0x79');
      const sparse = await stat(at('sparse'));
      assert.equal(sparse.size, 2 ** 30);
      assert.ok(sparse.blocks * 512 < 2 ** 20, `${sparse.blocks} blocks`);
    });
  });
}

test('a name deleted and made again in one layer hides the one below', async () => {
  await unpacked(tarArchive([{ name: '.wh.d' }, { name: 'd/', type: '5', mode: 0o755 }, { name: 'f', content: 'new' }, { name: '.wh.f' }]), async (folder) => {
    assert.equal(await attribute(path.join(folder, 'd'), 'trusted.overlay.opaque'), '0x79');
    assert.equal(await readFile(path.join(folder, 'f'), 'utf8'), 'new');
  });
});

test('what tar itself packs comes out the same', async () => {
  const place = await mkdtemp(path.join(tmpdir(), 'mooring-unpack-'));
  try {
    const source = path.join(place, 'source');
    await mkdir(path.join(source, 'a', 'b'), { recursive: true });
    for (let index = 0; index < 50; index++) await writeFile(path.join(source, 'a', `${index}`), Buffer.alloc(index * 1000, index));
    for (const format of ['gnu', 'pax', 'ustar']) {
      await promisify(execFile)('tar', [`--format=${format}`, '-C', source, '-cf', path.join(place, 'tar'), '.']);
      await unpacked(await readFile(path.join(place, 'tar')), async (folder) => {
        await promisify(execFile)('diff', ['-r', source, folder]);
      });
    }
  } finally {
    await rm(place, { recursive: true });
  }
});

test('an aborted unpacking ends its process', async () => {
  const place = await mkdtemp(path.join(tmpdir(), 'mooring-unpack-'));
  try {
    const folder = path.join(place, 'layer');
    await mkdir(folder);
    const blob = path.join(place, 'blob');
    await writeFile(blob, tarArchive([{ name: 'big', content: Buffer.alloc(64 * 2 ** 20) }]));
    const aborting = new AbortController();
    const unpacking = unpackLayer({ archiver, blob, folder, bounds: DEFAULT_LAYER_BOUNDS, signal: aborting.signal });
    setImmediate(() => aborting.abort());
    await assert.rejects(unpacking, { name: 'AbortError' });
    const { stdout } = await promisify(execFile)('ps', ['-eo', 'args']);
    assert.ok(!stdout.includes(folder));
  } finally {
    await rm(place, { recursive: true });
    await assert.rejects(access(place));
    assert.ok(!(await readdir(tmpdir())).includes(path.basename(place)));
  }
});
