import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { test } from 'node:test';
import { loadNative } from '../../../src/native/addon.ts';
import { TestBundle } from './bundle.ts';

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
