import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, test } from 'node:test';

import { FolderTree } from '../../../src/engine/build/folder-tree.ts';
import { parseIgnoreFile } from '../../../src/engine/build/ignore.ts';
import { mapAtOnce } from '../../../src/lib/map-at-once.ts';

const native = { readAttributes: async () => [] };
/** More than a tree keeps open. */
const FOLDERS = 150;

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mooring-tree-'));
});
afterEach(() => rm(root, { recursive: true }));

async function openFolders(): Promise<number> {
  const links = await readdir('/proc/self/fd');
  return links.length;
}

test('many at once look at and read files of more folders than are kept open, and none stays open', async () => {
  for (let index = 0; index < FOLDERS; index++) {
    await mkdir(path.join(root, `${index}/in`), { recursive: true });
    await writeFile(path.join(root, `${index}/in/file`), `content ${index}`);
  }
  const before = await openFolders();
  {
    await using tree = new FolderTree(root, native);
    const indexes = Array.from({ length: 4 * FOLDERS }, (_, index) => (index * 7) % FOLDERS);
    const read = await mapAtOnce(indexes, 32, async (index) => {
      const file = `${index}/in/file`;
      assert.equal((await tree.look(file))?.kind, 'file');
      return String(await buffer(tree.read(file)));
    });
    assert.deepEqual(read, indexes.map((index) => `content ${index}`));
    assert.ok((await openFolders()) - before < FOLDERS);
  }
  assert.equal(await openFolders(), before);
});

test('what is large, small or empty is read to its end', async () => {
  await using tree = new FolderTree(root, native);
  for (const bytes of [0, 1, 256 * 1024 - 1, 256 * 1024, 700_000]) {
    await writeFile(path.join(root, 'file'), Buffer.alloc(bytes, 'x'));
    assert.equal((await buffer(tree.read('file'))).length, bytes);
  }
});

test('no link leads out, not even one that takes the place of a folder meanwhile', async () => {
  await mkdir(path.join(root, 'outside'));
  await writeFile(path.join(root, 'outside/secret'), 'secret');
  await mkdir(path.join(root, 'context/folder'), { recursive: true });
  await writeFile(path.join(root, 'context/folder/secret'), 'own');
  await using tree = new FolderTree(path.join(root, 'context'), native);
  assert.equal((await tree.look('folder'))?.kind, 'folder');
  await rename(path.join(root, 'context/folder'), path.join(root, 'context/moved'));
  await symlink('../outside', path.join(root, 'context/folder'));
  assert.equal(await tree.look('folder/secret'), undefined);
  await assert.rejects(buffer(tree.read('folder/secret')), { code: 'Conflict' });
  await assert.rejects(tree.look('../outside/secret'), { code: 'Internal' });
});

test('what an ignore file lets in again is found in folders that it leaves out', async () => {
  for (const file of ['out/a', 'out/keep', 'in/b']) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), file);
  }
  await using tree = new FolderTree(root, native, parseIgnoreFile('out\n!out/keep\n', '.dockerignore'));
  assert.deepEqual(await tree.names(''), ['in', 'out']);
  assert.deepEqual(await tree.names('out'), ['keep']);
  assert.equal(await tree.look('out/a'), undefined);
});
