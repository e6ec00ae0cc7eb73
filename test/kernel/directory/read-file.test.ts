import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock, type Clock } from '../../../src/lib/clock.ts';
import { MAX_FILE_BYTES, readFileBytes } from '../../../src/sources/directory/read-file.ts';

const SETTLE_MS = 30;
/** As long after the test's writes as a test could take. */
const later: Clock = { ...systemClock, now: () => Date.now() + 3_600_000 };

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'mooring-read-'));
  t.after(() => rm(dir, { recursive: true }));
  return dir;
}

async function kindOf(path: string, clock = later): Promise<string> {
  return (await readFileBytes(path, undefined, clock, SETTLE_MS)).kind;
}

test('a file is read once it has settled, and known again until it changes', async (t) => {
  const path = join(await folder(t), 'web.yaml');
  await writeFile(path, 'one');
  await appendFile(path, '!');
  assert.equal((await readFileBytes(path, undefined, systemClock, 3_600_000)).kind, 'Unsettled');
  const setBack: Clock = { ...systemClock, now: () => Date.now() - 3_600_000 };
  assert.equal(await kindOf(path, setBack), 'Bytes', 'a change in the future is a clock set back');
  const read = await readFileBytes(path, undefined, later, SETTLE_MS);
  assert.ok(read.kind === 'Bytes');
  assert.equal(Buffer.from(read.bytes).toString(), 'one!');
  assert.equal((await readFileBytes(path, read.identity, later, SETTLE_MS)).kind, 'Same');
  const times = new Date(1_600_000_000_000);
  await writeFile(path, 'two!');
  await utimes(path, times, times);
  assert.equal((await readFileBytes(path, read.identity, later, SETTLE_MS)).kind, 'Bytes', 'same size and an old mtime, as by rsync -t');
});

test('what is no settled regular file of sensible size says so', async (t) => {
  const dir = await folder(t);
  assert.equal(await kindOf(join(dir, 'gone.yaml')), 'Gone');
  assert.equal(await kindOf('/dev/null'), 'NotRegular');
  await mkdir(join(dir, 'folder.yaml'));
  assert.equal(await kindOf(join(dir, 'folder.yaml')), 'NotRegular');
  assert.equal(spawnSync('mkfifo', [join(dir, 'fifo.yaml')]).status, 0);
  assert.equal(await kindOf(join(dir, 'fifo.yaml')), 'NotRegular');
  await writeFile(join(dir, 'huge.yaml'), '');
  await truncate(join(dir, 'huge.yaml'), MAX_FILE_BYTES + 1);
  assert.equal(await kindOf(join(dir, 'huge.yaml')), 'TooLarge');
  await truncate(join(dir, 'huge.yaml'), MAX_FILE_BYTES);
  assert.equal(await kindOf(join(dir, 'huge.yaml')), 'Bytes');
  await symlink('loop.yaml', join(dir, 'loop.yaml'));
  await assert.rejects(kindOf(join(dir, 'loop.yaml')), { code: 'ELOOP' });
});
