import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { lstat, mkdir, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { type KeptLayer, keepChanges } from '../../../src/engine/images/keep-changes.ts';
import { LayerStore } from '../../../src/engine/images/layer-store.ts';
import { Pins } from '../../../src/engine/images/pins.ts';
import type { ImageRoom } from '../../../src/engine/images/room.ts';
import { DEFAULT_LAYER_BOUNDS } from '../../../src/engine/images/unpack-layer.ts';
import { archiver, openStore, type TestStore } from './store-support.ts';
import { freeLedger } from '../../support/free-hold.ts';

const run = promisify(execFile);

/** A container's overlay over one lower folder, as shell commands left it. */
interface Changed {
  readonly lower: string;
  readonly upper: string;
}

async function changed(store: TestStore, name: string, below: string, commands: string): Promise<Changed> {
  const place = path.join(store.root, name);
  const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((each) => path.join(place, each)) as [string, string, string, string];
  for (const folder of [lower, upper, work, merged]) await mkdir(folder, { recursive: true });
  const script = `set -e; cd ${lower}; ${below}\nmount -t overlay overlay -o lowerdir=${lower},upperdir=${upper},workdir=${work} ${merged}; cd ${merged}; ${commands}`;
  await run('unshare', ['--mount', 'bash', '-c', script]);
  return { lower, upper };
}

function roomOf({ dataDir, images }: TestStore): ImageRoom {
  return { dataDir, images, layers: new LayerStore(dataDir, archiver, DEFAULT_LAYER_BOUNDS), pins: new Pins(freeLedger), containers: () => [], cached: () => [], incoming: new Map() };
}

interface Keeping {
  readonly consume?: boolean;
  readonly omitEmpty?: readonly string[];
  readonly clampTime?: number;
}

async function keep(store: TestStore, { lower, upper }: Changed, { consume = false, ...rest }: Keeping = {}): Promise<KeptLayer> {
  const room = roomOf(store);
  using held = room.pins.open();
  return await keepChanges(room, { upper: { folder: upper, lower: [lower], ...rest }, parent: undefined, consume }, held);
}

async function names(archive: string): Promise<string[]> {
  const { stdout } = await run('tar', ['-tf', archive]);
  return stdout.split('\n').filter(Boolean);
}

function blobOf(store: TestStore, { descriptor }: KeptLayer): string {
  return store.images.blobs.file(descriptor.digest);
}

/** Everything of a tree that a container could see, a line for each name. */
async function listing(folder: string): Promise<string> {
  const [found, attributes] = await Promise.all([
    run('bash', ['-c', 'find . -mindepth 1 -printf "%p %y %m %U:%G %T@ %n %l %s\\n" | sort'], { cwd: folder }),
    run('bash', ['-c', 'find . -mindepth 1 | sort | xargs -d "\\n" getfattr --no-dereference --match=- --dump --encoding=hex'], { cwd: folder }),
  ]);
  // What a folder takes on disk, and when and how often a deletion was marked, is nothing that a container sees.
  return found.stdout.replaceAll(/ d (.*) \d+$/gm, ' d $1').replaceAll(/ c 0 0:0 \S+ \d+ /g, ' c 0 0:0 ') + attributes.stdout;
}

const below = 'mkdir -p etc gone/deep opaque; echo a > etc/a; echo x > opaque/x; echo y > gone/deep/y; echo k > kept';
const everything = `
  echo b > etc/b; ln etc/b etc/hard; rm -r gone opaque; mkdir opaque; echo z > opaque/z
  mkfifo -m 640 pipe; mknod -m 666 null c 1 3; mknod disk b 7 5; ln -s ../anywhere link; chown -h 12:13 link
  truncate -s 1G sparse; printf data | dd of=sparse bs=1 seek=5M conv=notrunc status=none; truncate -s 3M hole
  chown 2000000000:3000000000 pipe; chmod 4755 etc/b; setfattr -n user.note -v kept etc/b; setcap cap_net_raw+ep etc/a
  echo long > ${'n'.repeat(255)}; echo u > naïve日本; printf x > $'b\\xffd'; mkdir -p ${Array.from({ length: 12 }, (_, index) => `folder-${index}`).join('/')}
  touch -d '2001-02-03 04:05:06.789' etc/a; touch -d '1960-01-01' kept; mkdir sticky; chmod 1777 sticky; chown 1:2 sticky`;

test('changes of every kind become one layer, the same whether its folder is copied or given up, and as tar reads it', async () => {
  await using store = await openStore();
  const change = await changed(store, 'one', below, everything);
  const socket = createServer().listen(path.join(change.upper, 'socket'));
  await new Promise((resolve) => socket.once('listening', resolve));
  socket.unref();
  const copied = await keep(store, change);
  const folder = roomOf(store).layers.folder(copied.chainId);
  const asCopied = await listing(folder);
  await roomOf(store).layers.remove(copied.chainId);
  const consumed = await keep(store, change, { consume: true });
  assert.deepEqual(consumed, copied);
  assert.equal(await listing(folder), asCopied);
  await assert.rejects(lstat(change.upper), { code: 'ENOENT' });
  socket.close();

  const found = await names(blobOf(store, copied));
  assert.ok(found.includes('.wh.gone') && found.includes('opaque/.wh..wh..opq') && !found.includes('socket') && found.includes('kept'));
  assert.ok((await lstat(blobOf(store, copied))).size < 2 ** 20, 'holes take no room');
  // What GNU tar makes of it, but for the marks, is what the container saw.
  const out = path.join(store.root, 'gnu');
  await mkdir(out);
  await run('tar', ['-C', out, '--xattrs', '--xattrs-include=*', '--numeric-owner', '-xpf', blobOf(store, copied)]);
  const marks = /^\S*\.wh\.\S* .*\n|^# file: \S*\.wh\.\S*\n(.+\n)*\n/gm;
  const overlay = /^\.\/gone c .*\n|^trusted\.overlay\.opaque=.*\n|^# file: (gone|opaque)\n\n?/gm;
  const dates = / \d+\.\d+ /g; // tar itself dates folders before it fills the last of them
  const plain = (text: string) => text.replace(marks, '').replace(overlay, '').replace(dates, ' ').split('\n').filter((line) => line !== '');
  assert.deepEqual(plain(await listing(out)), plain(asCopied));
  assert.deepEqual(await readdir(path.join(store.root, 'data', 'tmp')), []);
});

test('the same changes give the same bytes at another time, where dates are clamped', async () => {
  await using store = await openStore();
  const commands = 'mkdir -p b/c a; echo 1 > b/c/f; echo 2 > a-; ln a- a/hard; rm kept';
  const first = await keep(store, await changed(store, 'first', below, commands), { clampTime: 1_000_000_000 });
  const second = await keep(store, await changed(store, 'second', below, commands), { clampTime: 1_000_000_000, consume: true });
  assert.equal(second.diffId, first.diffId);
  const folder = roomOf(store).layers.folder(first.chainId);
  assert.equal((await lstat(path.join(folder, 'b/c/f'))).mtimeMs, 1_000_000_000_000);
});

test('mount points are left out where they are empty, with what is there only for them', async () => {
  await using store = await openStore();
  const omitEmpty = ['/proc', '/dev', '/etc/hosts', '/deep/er/mount', '/own/mount', '/full', '/etc/a', '/tight/mount'];
  const commands = 'mkdir -p proc dev deep/er/mount own/mount full tight/mount; touch etc/hosts own/file full/file; : > etc/a; chmod 700 tight';
  for (const consume of [false, true]) {
    const layer = await keep(store, await changed(store, `consumed-${consume}`, 'mkdir -p etc dev; echo a > etc/a', commands), { omitEmpty, clampTime: 1, consume });
    // What the container wrote itself (an emptied file, a folder of other rights) stays.
    assert.deepEqual(await names(blobOf(store, layer)), ['etc/', 'etc/a', 'full/', 'full/file', 'own/', 'own/file', 'tight/']);
  }
  const untouched = await keep(store, await changed(store, 'untouched', 'mkdir etc', 'touch etc/hosts; mkdir proc'), { omitEmpty });
  assert.deepEqual(await names(blobOf(store, untouched)), []);
});

test('a file whose name would mean a deletion is refused by name, and nothing of it stays in the store', async () => {
  await using store = await openStore();
  const change = await changed(store, 'one', below, 'mkdir d; echo x > d/.wh.kept');
  for (const consume of [false, true]) {
    await assert.rejects(keep(store, change, { consume }), { code: 'Invalid', message: /"d\/\.wh\.kept": its name begins with "\.wh\."/ });
  }
  for (const folder of ['tmp', 'layers', 'blobs/sha256']) assert.deepEqual(await readdir(path.join(store.root, 'data', folder)), []);
});

test('what another overlay only renamed is refused, since its content lies below', async () => {
  await using store = await openStore();
  const change = await changed(store, 'one', below, 'mkdir d');
  await run('setfattr', ['-n', 'trusted.overlay.redirect', '-v', '/etc', path.join(change.upper, 'd')]);
  await assert.rejects(keep(store, change), { code: 'Invalid', message: /"d": it is only a reference into the layers below \(trusted\.overlay\.redirect\)/ });
});

test('a packing that is given up ends its process and leaves nothing', async () => {
  await using store = await openStore();
  const change = await changed(store, 'one', below, 'head -c 64M /dev/zero > big');
  const room = roomOf(store);
  const aborting = new AbortController();
  using held = room.pins.open();
  const keeping = keepChanges(room, { upper: { folder: change.upper, lower: [change.lower] }, parent: undefined, consume: false, signal: aborting.signal }, held);
  setImmediate(() => aborting.abort());
  await assert.rejects(keeping, { name: 'AbortError' });
  for (const folder of ['tmp', 'layers', 'blobs/sha256']) assert.deepEqual(await readdir(path.join(store.root, 'data', folder)), []);
  assert.equal((await readFile(path.join(change.upper, 'big'))).length, 64 * 2 ** 20);
  const { stdout } = await run('ps', ['-eo', 'args']);
  assert.ok(!stdout.includes(change.upper));
});
