import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadNative } from '../../../src/native/addon.ts';

const native = loadNative();
let folder: string;
before(async () => void (folder = await mkdtemp(join(tmpdir(), 'mooring-read-'))));
after(() => rm(folder, { recursive: true }));

test('readFiles gives contents in the order asked for, and the errno of what it could not read', async () => {
  await writeFile(join(folder, 'a'), 'first');
  await writeFile(join(folder, 'b'), 'zweite ñ\n');
  const contents = await native.readFiles([join(folder, 'a'), join(folder, 'none'), folder, join(folder, 'b'), join(folder, 'a', 'x')]);
  assert.deepEqual(contents, [{ text: 'first' }, { errno: 'ENOENT' }, { errno: 'EISDIR' }, { text: 'zweite ñ\n' }, { errno: 'ENOTDIR' }]);
});

test('readFiles reads procfs, whose files say that they are empty', async () => {
  const [stat] = await native.readFiles(['/proc/self/stat']);
  assert.ok(stat !== undefined && 'text' in stat);
  assert.equal(Number.parseInt(stat.text, 10), process.pid);
});

test('readFiles reads at most 1 MiB of a file, and all of one just as large as its buffer', async () => {
  await writeFile(join(folder, 'large'), 'x'.repeat(3 << 20));
  await writeFile(join(folder, 'even'), 'y'.repeat(16 << 10));
  const [large, even] = await native.readFiles([join(folder, 'large'), join(folder, 'even')]);
  assert.ok(large !== undefined && 'text' in large && even !== undefined && 'text' in even);
  assert.equal(large.text.length, 1 << 20);
  assert.equal(even.text, 'y'.repeat(16 << 10));
});

test('readFiles is not held up by a FIFO without a writer', async () => {
  const fifo = join(folder, 'fifo');
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0);
  assert.deepEqual(await native.readFiles([fifo]), [{ text: '' }]);
});

test('readFiles of nothing is nothing', async () => {
  assert.deepEqual(await native.readFiles([]), []);
});
