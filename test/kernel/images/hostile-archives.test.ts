import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { unpackLayer } from '../../../src/engine/images/unpack-layer.ts';
import { mountsMentioning, processesMentioning } from '../../support/kernel.ts';
import { type Expected, type HostileArchive, hostileArchives, TEST_BOUNDS } from './hostile-archives.ts';

const archiver = path.resolve(import.meta.dirname, '../../../native/build/mooring-archive');
const SECRET = 'what the host keeps for itself';

describe('a hostile archive is refused or contained', () => {
  let place: string;

  before(async () => {
    place = await mkdtemp(path.join(tmpdir(), 'mooring-hostile-'));
    await mkdir(path.join(place, 'host'));
    await writeFile(path.join(place, 'host', 'secret'), SECRET);
  });

  after(async () => {
    await rm(place, { recursive: true });
    assert.deepEqual(await processesMentioning(place), []);
    assert.deepEqual(await mountsMentioning(place), []);
  });

  for (const [index, hostile] of hostileArchives.entries()) {
    test(hostile.trick, async () => {
      const host = await snapshot(path.join(place, 'host'));
      const own = path.join(place, String(index));
      try {
        await attempt(hostile, own);
      } finally {
        await rm(own, { recursive: true });
      }
      assert.deepEqual(await snapshot(path.join(place, 'host')), host, 'the host was touched');
      assert.deepEqual(await readdir(place), ['host'], 'something was left beside it');
    });
  }

  async function attempt({ archive, refused, holds }: HostileArchive, own: string): Promise<void> {
    const folder = path.join(own, 'layer');
    const blob = path.join(own, 'blob');
    await mkdir(folder, { recursive: true });
    await writeFile(blob, archive({ canary: path.join(place, 'host', 'secret'), root: folder }));
    const unpacking = unpackLayer({ archiver, blob, folder, bounds: TEST_BOUNDS });
    if (refused) {
      await assert.rejects(unpacking, (error: Error & { code?: string }) => {
        assert.equal(error.code, 'Invalid', error.message);
        assert.match(error.message, refused);
        return true;
      });
    } else await unpacking;
    await assertHolds(folder, holds ?? {});
    assert.deepEqual((await readdir(own)).sort(), ['blob', 'layer']);
    assert.doesNotMatch(await attributesOf(folder), /trusted/);
  }
});

/** Every extended attribute of the folder and what is in it. */
async function attributesOf(folder: string): Promise<string> {
  const { stdout } = await promisify(execFile)('getfattr', ['--recursive', '--physical', '--no-dereference', '--dump', '--match=-', '--absolute-names', folder]);
  return stdout;
}

async function assertHolds(folder: string, expected: Expected): Promise<void> {
  for (const [name, want] of Object.entries(expected)) {
    const file = path.join(folder, name);
    if (want === null) {
      await assert.rejects(lstat(file), { code: 'ENOENT' }, name);
      continue;
    }
    const found = await lstat(file);
    if (want.kind !== undefined) assert.equal(kindOf(found), want.kind, name);
    if (want.mode !== undefined) assert.equal(found.mode & 0o7777, want.mode, name);
    if (want.uid !== undefined) assert.equal(found.uid, want.uid, name);
    if (want.links !== undefined) assert.equal(found.nlink, want.links, name);
    if (want.content !== undefined) {
      assert.ok(found.isFile(), name);
      assert.equal(await readFile(file, 'utf8'), want.content, name);
    }
  }
}

function kindOf(found: Awaited<ReturnType<typeof lstat>>): string {
  if (found.isFile()) return 'file';
  if (found.isDirectory()) return 'folder';
  if (found.isSymbolicLink()) return 'link';
  if (found.isFIFO()) return 'pipe';
  return found.isCharacterDevice() && found.rdev === 0 ? 'whiteout' : 'device';
}

/** Everything of a folder that an archive could have changed. */
async function snapshot(folder: string): Promise<unknown> {
  const names = await readdir(folder);
  return Promise.all(
    names.map(async (name) => {
      const { mode, uid, gid, mtimeMs, nlink, ino } = await lstat(path.join(folder, name));
      return { name, mode, uid, gid, mtimeMs, nlink, ino, content: await readFile(path.join(folder, name), 'utf8') };
    }),
  );
}
