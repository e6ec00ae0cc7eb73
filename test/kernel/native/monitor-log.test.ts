import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readLog } from '../../../src/engine/containers/logs.ts';
import { loadNative } from '../../../src/native/addon.ts';
import { logLines } from '../../support/log-lines.ts';
import { TestBundle } from './bundle.ts';
import { eventually, untilDead } from './support.ts';

const native = loadNative();

test('of a flood of 50 MB the newest lines are kept whole and in order, and the disk is bounded', async (t) => {
  const maxBytes = 4 << 20;
  const maxFiles = 3;
  const last = 1_000_000;
  // Each line is 51 bytes: its number, and a filling that would show a line that was torn.
  const script = `BEGIN { for (i = 1; i <= ${last}; i++) printf "line %08d abcdefghijklmnopqrstuvwxyz-0123456789\\n", i }`;
  const bundle = await TestBundle.create(t, { args: ['busybox', 'awk', script], maxBytes, maxFiles });
  assert.equal((await bundle.run(native))['exitCode'], 0);

  const files = (await readdir(bundle.folder)).filter((name) => name.startsWith('log')).sort();
  assert.deepEqual(files, ['log', 'log.1', 'log.2']);
  const numbers: number[] = [];
  for (const suffix of ['.2', '.1', '']) {
    const { size } = await stat(bundle.options.log.path + suffix);
    assert.ok(size <= maxBytes, `log${suffix} has ${size} bytes`);
    if (suffix !== '') assert.ok(size > maxBytes - 200, `log${suffix} was rotated at ${size} bytes`);
    for (const { stream, tag, text } of await bundle.log(suffix)) {
      const found = /^line (\d{8}) abcdefghijklmnopqrstuvwxyz-0123456789$/.exec(text);
      assert.ok(found !== null && stream === 'stdout' && tag === 'F', text);
      numbers.push(Number(found[1]));
    }
  }
  assert.equal(numbers.at(-1), last);
  assert.ok(numbers.length > 2 * Math.floor(maxBytes / 100));
  assert.ok(numbers.every((number, index) => number === last - numbers.length + 1 + index));
});

test('nothing is lost of what fits, however the two streams are mixed', async (t) => {
  const script = 'i=0; while [ $i -lt 3000 ]; do echo "out $i"; echo "err $i" >&2; i=$((i+1)); done';
  const bundle = await TestBundle.create(t, { args: ['sh', '-c', script] });
  await bundle.run(native);
  const entries = await bundle.log();
  for (const [stream, word] of [['stdout', 'out'], ['stderr', 'err']] as const) {
    const texts = entries.filter((entry) => entry.stream === stream).map(({ text }) => text);
    assert.deepEqual(texts, Array.from({ length: 3000 }, (_, index) => `${word} ${index}`));
  }
});

test('a very long line is logged in parts', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['sh', '-c', 'busybox dd if=/dev/zero bs=1000 count=150 2>/dev/null | busybox tr "\\0" x; echo; echo short'] });
  await bundle.run(native);
  const entries = await bundle.log();
  const end = entries.findIndex(({ tag }) => tag === 'F');
  assert.ok(end >= 2);
  assert.equal(entries.slice(0, end + 1).map(({ text }) => text).join(''), 'x'.repeat(150_000));
  assert.deepEqual(entries.slice(end + 1).map(({ tag, text }) => `${tag} ${text}`), ['F short']);
});

test('a log goes on where the run before left it', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['sh', '-c', 'printf first'] });
  await bundle.run(native);
  await bundle.configure({ args: ['sh', '-c', 'echo second'] });
  await bundle.run(native);
  const entries = await bundle.log();
  assert.deepEqual(entries.map(({ tag, text }) => `${tag} ${text}`), ['F first', 'F second']);
  assert.ok(entries.every(({ time }, index) => index === 0 || time > (entries[index - 1]?.time ?? '')));
});

test('whoever follows a log that is rotated many times a second sees every line once', async (t) => {
  const last = 30_000;
  // Never further ahead of the reader than the files that are kept, so that a loss would be the reader's.
  const script = `i=0; while [ $i -lt ${last} ]; do busybox seq $((i+1)) $((i+1000)); i=$((i+1000)); until [ -e /tmp/$i ]; do busybox sleep 0.005; done; done`;
  const bundle = await TestBundle.create(t, { args: ['sh', '-c', script], maxBytes: 16 << 10, maxFiles: 10 });
  const { monitor } = await bundle.start(native);
  const abort = new AbortController();
  const seen: number[] = [];
  for await (const { text } of logLines(readLog(bundle.options.log.path, { follow: true, signal: abort.signal }))) {
    seen.push(Number(text));
    if (Number(text) % 1000 === 0) await writeFile(join(bundle.options.bundle, 'rootfs/tmp', text), '');
    if (Number(text) === last) break;
  }
  assert.equal(seen.length, last);
  assert.ok(seen.every((number, index) => number === index + 1));
  await untilDead(monitor.pid);
});

test('with mode drop a log that is stuck does not hold the container up; what is missing is counted and told', async (t) => {
  const lines = 200_000;
  const bundle = await TestBundle.create(t, { args: ['sh', '-c', `busybox seq 1 ${lines}; echo done >/tmp/done; exec busybox sleep 300`], mode: 'drop', maxBytes: 1 << 30 });
  execFileSync('mkfifo', [bundle.options.log.path]); // takes 64 KiB until somebody reads it
  const { init, monitor } = await bundle.start(native);
  await eventually('the container is through', async () => (await readdir(join(bundle.options.bundle, 'rootfs/tmp'))).includes('done') || undefined);
  const lossFile = join(bundle.options.stateDir, 'log-loss.json');
  const { lines: lost } = await eventually('the loss is told', async () => JSON.parse(await readFile(lossFile, 'utf8').catch(() => 'null')) as { lines: number } | null ?? undefined);
  assert.ok(lost > 0);
  process.kill(init.pid, 'SIGKILL');
  const text = execFileSync('cat', [bundle.options.log.path], { encoding: 'utf8', maxBuffer: 1 << 30 }); // until the monitor, the only writer, has ended
  await untilDead(monitor.pid);
  let next = 1;
  for (const line of text.trimEnd().split('\n')) {
    const found = /\[mooring: (\d+) lines .* missing here: they came faster than the log was written\]$/.exec(line);
    if (found) next += Number(found[1]);
    else assert.equal(line.slice(line.indexOf(' F ') + 3), String(next++));
  }
  assert.equal(next, lines + 1);
  assert.deepEqual(await readdir(bundle.options.stateDir), []);
});

test('a file is ended when its first line is old enough, also when the container is silent', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['sh', '-c', 'echo old; exec busybox sleep 300'], maxAgeSeconds: 2 });
  await bundle.start(native);
  await eventually('the file was rotated', async () => (await readdir(bundle.folder)).includes('log.1') || undefined);
  assert.deepEqual((await bundle.log('.1')).map(({ text }) => text), ['old']);
  assert.equal((await stat(bundle.options.log.path)).size, 0);
});
