import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { appendFile, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { readLog } from '../../../src/engine/containers/logs.ts';
import { logLines } from '../../support/log-lines.ts';
import { until } from '../../support/until.ts';

const at = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString().replace('Z', '123456Z');
const entry = (n: number, text = `line ${n}`, tag = 'F') => `${at(n)} stdout ${tag} ${text}\n`;
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const block = (from: number, to: number) => numbers(from, to).map((n) => entry(n)).join('');
async function openInodes(): Promise<Set<number>> {
  const found = await Promise.all((await readdir('/proc/self/fd')).map((fd) => stat(`/proc/self/fd/${fd}`).catch(() => undefined)));
  return new Set(found.map((each) => each?.ino ?? 0));
}

const texts = (lines: readonly { readonly text: string }[]) => lines.map((line) => line.text);

describe('reading a container log', () => {
  let folder: string;
  let log: string;
  let abort: AbortController;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mooring-log-'));
    log = path.join(folder, 'log');
    abort = new AbortController();
  });
  afterEach(async () => {
    abort.abort();
    await rm(folder, { recursive: true, force: true });
  });

  const read = (options: { tail?: number; since?: number } = {}) => Array.fromAsync(logLines(readLog(log, { follow: false, signal: abort.signal, ...options })));

  it('gives the entries of all files, oldest first', async () => {
    await writeFile(`${log}.2`, block(1, 2));
    await writeFile(`${log}.1`, block(3, 4));
    await writeFile(log, block(5, 6));
    await writeFile(`${log}.bak`, block(90, 91));
    const lines = await read();
    assert.deepEqual(texts(lines), numbers(1, 6).map((n) => `line ${n}`));
    assert.deepEqual(lines[0], { time: at(1), stream: 'stdout', text: 'line 1', complete: true });
  });

  it('keeps a text as it is: empty, spaced, not ASCII, or spread over chunks', async () => {
    const long = 'é'.repeat(100_000);
    await writeFile(log, entry(1, '') + entry(2, '  two  words ') + entry(3, 'grüße 🚢') + entry(4, long));
    assert.deepEqual(texts(await read()), ['', '  two  words ', 'grüße 🚢', long]);
  });

  it('skips what is no entry, and a line whose end is not written yet', async () => {
    await writeFile(log, `${entry(1)}junk\n\n${entry(2)}${entry(3).slice(0, -1)}`);
    assert.deepEqual(texts(await read()), ['line 1', 'line 2']);
    assert.deepEqual(texts(await read({ tail: 1 })), ['line 2']);
    assert.deepEqual(texts(await read({ tail: 2 })), ['line 1', 'line 2']);
  });

  it('gives nothing where nothing was logged yet', async () => {
    assert.deepEqual(await read(), []);
    assert.deepEqual(await read({ tail: 3 }), []);
    await writeFile(log, '');
    assert.deepEqual(await read({ tail: 3 }), []);
    await writeFile(log, '\n');
    assert.deepEqual(await read({ tail: 3 }), []);
  });

  it('gives the last lines, of any number, over files and chunks', async () => {
    await writeFile(`${log}.1`, block(1, 4000));
    await writeFile(log, block(4001, 7000));
    for (const tail of [0, 1, 2, 2999, 3000, 3001, 5000, 6999, 7000, 9000]) {
      const expected = numbers(1, 7000).slice(7000 - Math.min(tail, 7000)).map((n) => `line ${n}`);
      assert.deepEqual(texts(await read({ tail })), expected, `tail ${tail}`);
    }
  });

  it('counts the pieces of one long line as one', async () => {
    await writeFile(log, entry(1) + entry(2, 'a', 'P') + entry(2, 'b', 'P') + entry(2, 'c') + entry(3));
    assert.deepEqual(texts(await read({ tail: 2 })), ['a', 'b', 'c', 'line 3']);
    assert.deepEqual((await read({ tail: 2 })).map((line) => line.complete), [false, false, true, true]);
  });

  it('gives the lines since an instant', async () => {
    await writeFile(log, block(1, 5));
    assert.deepEqual(texts(await read({ since: Date.UTC(2026, 0, 1, 0, 0, 4) })), ['line 4', 'line 5']);
    assert.deepEqual(texts(await read({ since: Date.UTC(2026, 0, 1, 0, 0, 4), tail: 1 })), ['line 5']);
  });

  it('follows across rotations without losing or repeating a line', async () => {
    await writeFile(log, block(1, 2));
    const lines = logLines(readLog(log, { follow: true, signal: abort.signal, tail: 1 }));
    const got: string[] = [];
    const next = async () => {
      const { value } = await lines.next();
      assert.ok(value);
      got.push(value.text);
    };
    await next();
    await appendFile(log, block(3, 3));
    await next();
    // Written just before the rotation, and two rotations at once.
    await appendFile(log, block(4, 4));
    await rename(log, `${log}.1`);
    await writeFile(log, block(5, 5));
    await rename(`${log}.1`, `${log}.2`);
    await rename(log, `${log}.1`);
    await writeFile(log, block(6, 6));
    for (let n = 4; n <= 6; n++) await next();
    assert.deepEqual(got, numbers(2, 6).map((n) => `line ${n}`));
    const ended = lines.next();
    abort.abort();
    assert.deepEqual(await ended, { value: undefined, done: true });
  });

  it('holds on to what is rotated away while the reader is elsewhere', async () => {
    await writeFile(log, block(1, 1));
    const lines = logLines(readLog(log, { follow: true, signal: abort.signal }));
    await lines.next();
    for (let n = 2; n <= 20; n++) {
      await rm(`${log}.1`, { force: true });
      await rename(log, `${log}.1`);
      await writeFile(log, block(n, n));
      const { ino } = await stat(log);
      await until('the new file is open, though nobody reads', async () => (await openInodes()).has(ino));
    }
    const got: string[] = [];
    while (got.at(-1) !== 'line 20') got.push((await lines.next()).value?.text ?? 'the end');
    assert.deepEqual(got, numbers(2, 20).map((n) => `line ${n}`));
  });

  it('tells of a gap where the files were gone before they could be opened', async () => {
    await writeFile(log, block(1, 1));
    const lines = logLines(readLog(log, { follow: true, signal: abort.signal }));
    await lines.next();
    // All in one go: the event loop hears of none until it is over.
    for (let n = 2; n <= 5; n++) {
      rmSync(`${log}.1`, { force: true });
      renameSync(log, `${log}.1`);
      writeFileSync(log, block(n, n));
    }
    const got = [await lines.next(), await lines.next(), await lines.next()].map(({ value }) => value?.text);
    assert.deepEqual(got, ['[mooring: lines may be missing here: the log was rotated faster than it was read]', 'line 4', 'line 5']);
  });

  it('waits for a log that is not there yet', async () => {
    const first = logLines(readLog(log, { follow: true, signal: abort.signal })).next();
    await writeFile(log, block(1, 1));
    const { value } = await first;
    assert.equal(value?.text, 'line 1');
  });

  it('ends when the folder goes', async () => {
    await writeFile(log, block(1, 1));
    const lines = logLines(readLog(log, { follow: true, signal: abort.signal }));
    await lines.next();
    const ended = lines.next();
    await rm(folder, { recursive: true });
    assert.equal((await ended).done, true);
  });
});
