import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import { BlobStore, type GrowingFile } from '../../../src/engine/images/blob-store.ts';
import { digestOf } from '../../../src/engine/images/digest.ts';
import { DataDir } from '../../../src/engine/store/data-dir.ts';
import { freeHold } from '../../support/free-hold.ts';

let root: string;
let folders: DataDir;
let blobs: BlobStore;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mooring-follow-'));
  folders = await DataDir.open(root);
  blobs = new BlobStore(folders);
});
afterEach(() => rm(root, { recursive: true }));

/** All of a growing file, read after each word. */
async function all({ open, growth }: GrowingFile): Promise<Buffer> {
  await using file = await open();
  const pieces: Buffer[] = [];
  for await (const _ of growth) pieces.push(await file.readFile());
  return Buffer.concat([...pieces, await file.readFile()]);
}

test('what follows a blob reads all of it as it comes, and ends with it', async () => {
  const content = randomBytes(5_000_000);
  const writer = await blobs.writer({ digest: digestOf(content), size: content.length });
  const followed = all(writer.follow());
  for (let offset = 0; offset < content.length; offset += 70_000) {
    await writer.write(content.subarray(offset, offset + 70_000));
    await turn();
  }
  await writer.commit(freeHold);
  assert.ok((await followed).equals(content));
  assert.ok((await all(writer.follow())).equals(content), 'it can be read again while it is open');
  await writer[Symbol.asyncDispose]();
});

test('a blob that begins anew, or is given up, fails whoever follows it', async () => {
  for (const end of ['restart', 'dispose'] as const) {
    const writer = await blobs.writer();
    await writer.write(Buffer.from('some'));
    const followed = assert.rejects(all(writer.follow()), { code: 'Unavailable' });
    await turn();
    if (end === 'restart') await writer.restart();
    else await writer[Symbol.asyncDispose]();
    await followed;
    if (end === 'restart') await writer[Symbol.asyncDispose]();
  }
  assert.deepEqual(await readdir(folders.temporary), []);
});
