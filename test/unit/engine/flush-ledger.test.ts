import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { digestOf } from '../../../src/engine/images/digest.ts';
import { FlushLedger, type Unflushed } from '../../../src/engine/images/flush-ledger.ts';
import { DataDir } from '../../../src/engine/store/data-dir.ts';

const [A, B, C] = [digestOf('a'), digestOf('b'), digestOf('c')];

let root: string;
let dataDir: DataDir;
let recovered: Unflushed[][];
/** What a flush waits for. */
let disk: Promise<void>;
let ledgers: FlushLedger[];

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mooring-ledger-'));
  dataDir = await DataDir.open(root);
  [recovered, disk, ledgers] = [[], Promise.resolve(), []];
});
afterEach(async () => {
  await Promise.all(ledgers.map((ledger) => ledger.close()));
  await rm(root, { recursive: true });
});

function openLedger(recover: () => Promise<void> = async () => {}): FlushLedger {
  const ledger = new FlushLedger({
    dataDir,
    flush: () => disk,
    recover: (suspects) => {
      recovered.push([...suspects]);
      return recover();
    },
    onFailure: (error) => assert.fail(String(error)),
  });
  ledgers.push(ledger);
  return ledger;
}

/** The names in the file, sorted. */
async function named(): Promise<string[]> {
  const [boot, ...lines] = (await readFile(dataDir.unflushed, 'utf8')).trimEnd().split('\n');
  assert.equal(boot, (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim());
  return lines.filter((line) => line !== '').sort();
}

test('a name stands in the file from before its thing gets its place until a flush after that', async () => {
  const ledger = openLedger();
  await ledger.note([A, B]);
  assert.deepEqual(await named(), [A, B].sort());
  await ledger.flush();
  assert.deepEqual(await named(), [A, B].sort(), 'both may still come in');
  ledger.release([A]);
  await ledger.flush();
  assert.deepEqual(await named(), [B]);
  ledger.release([B]);
  await ledger.flush();
  assert.deepEqual(await named(), []);
});

test('what is noted while a flush is under way is not struck out by it', async () => {
  const ledger = openLedger();
  await ledger.note([A, B]);
  ledger.release([A, B]);
  const gate = Promise.withResolvers<void>();
  disk = gate.promise;
  const flushing = ledger.flush();
  await ledger.note([A]);
  ledger.release([A]);
  gate.resolve();
  await flushing;
  assert.deepEqual(await named(), [A]);
});

test('what is to be settled is flushed where it is in doubt, and costs nothing where it is not', async () => {
  const ledger = openLedger();
  await ledger.settle([A]);
  await ledger.note([A, B]);
  ledger.release([A, B]);
  disk = Promise.reject(new Error('the disk is gone'));
  disk.catch(() => {});
  await ledger.settle([C]);
  await assert.rejects(ledger.settle([A]), /the disk is gone/);
  disk = Promise.resolve();
  await ledger.settle([A]);
  assert.deepEqual(await named(), [], 'all that came in was flushed with it');
});

test('what fits is written in place, and what does not is written behind it', async () => {
  const ledger = openLedger();
  await ledger.note([A]);
  const { size } = await stat(dataDir.unflushed);
  await ledger.note([B]);
  assert.equal((await stat(dataDir.unflushed)).size, size);
  const many = Array.from({ length: 300 }, (_, index) => digestOf(String(index)));
  await ledger.note(many);
  assert.ok((await stat(dataDir.unflushed)).size > size);
  await ledger.note([C]);
  assert.deepEqual(await named(), [A, B, C, ...many].sort());
});

test('a flush that fails strikes nothing out', async () => {
  const ledger = openLedger();
  await ledger.note([A]);
  ledger.release([A]);
  disk = Promise.reject(new Error('the disk is gone'));
  await assert.rejects(ledger.flush(), /the disk is gone/);
  assert.deepEqual(await named(), [A]);
});

test('the next daemon of the same boot flushes what the last one left, and doubts nothing', async () => {
  await openLedger().note([A]);
  await appendFile(dataDir.unflushed, 'sha256:12'); // where it was killed
  const next = openLedger();
  await next.note([B]);
  assert.deepEqual(recovered, []);
  assert.deepEqual((await named()).filter((line) => line.length === A.length), [A, B].sort());
  next.release([B]);
  await next.flush();
  assert.deepEqual(await named(), []);
});

test('after another boot all that is named is recovered first, and stays named until it is flushed', async () => {
  await writeFile(dataDir.unflushed, `11111111-2222-3333-4444-555555555555\n${A}\n${B}\nsha256:12`);
  const gate = Promise.withResolvers<void>();
  const ledger = openLedger(() => gate.promise);
  const noted = ledger.note([C]);
  const first = await Promise.race([noted.then(() => 'noted'), new Promise((resolve) => setImmediate(resolve, 'waiting'))]);
  assert.equal(first, 'waiting');
  gate.resolve();
  await noted;
  assert.deepEqual(recovered, [[A, B]]);
  assert.deepEqual(await named(), [A, B, C].sort());
  await ledger.flush();
  assert.deepEqual(await named(), [C]);
});

test('a recovery that fails is begun again', async () => {
  await writeFile(dataDir.unflushed, `11111111-2222-3333-4444-555555555555\n${A}\n`);
  let fails = true;
  const ledger = openLedger(() => (fails ? Promise.reject(new Error('the disk is gone')) : Promise.resolve()));
  await assert.rejects(ledger.open(), /the disk is gone/);
  fails = false;
  await ledger.open();
  assert.deepEqual(recovered, [[A], [A]]);
});
