import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatAge } from '../../../src/cli/output/age.ts';
import { LiveScreen } from '../../../src/cli/output/live-screen.ts';
import { createStyle, wantsColour } from '../../../src/cli/output/style.ts';
import { cutToWidth, printable, renderTable } from '../../../src/cli/output/table.ts';
import { parseSince } from '../../../src/cli/since.ts';
import { fakeIo } from './fake-io.ts';

test('columns are as wide as their widest cell, whatever the colours, and lines end without blanks', () => {
  const { red } = createStyle(true);
  assert.equal(renderTable(['A', 'LONG HEAD', 'B'], [['wider', { text: 'x', paint: red }, 'y'], ['a', '', '']]), 'A       LONG HEAD   B\nwider   \u001b[31mx        \u001b[39m   y\na\n');
});

test('colours are for terminals, unless somebody has said no', () => {
  assert.equal(wantsColour(true, { TERM: 'xterm' }), true);
  assert.equal(wantsColour(true, { NO_COLOR: '' }), true);
  for (const [isTerminal, env] of [[false, {}], [true, { NO_COLOR: '1' }], [true, { TERM: 'dumb' }]] as const) assert.equal(wantsColour(isTerminal, env), false);
});

test('what a container wrote can not drive the terminal', () => {
  assert.equal(printable('a\u001b[2Jb\u0007\nc\td\u009b1m'), 'a?[2Jb? c?d?1m');
});

test('a line is cut by what is seen of it', () => {
  assert.equal(cutToWidth('abc', 3), 'abc');
  assert.equal(cutToWidth('abcd', 3), 'ab…');
  assert.equal(cutToWidth('\u001b[31mabcd\u001b[39m', 3), '\u001b[31mab…\u001b[39m');
  assert.equal(cutToWidth('\u001b[31mabc\u001b[39m', 3), '\u001b[31mabc\u001b[39m');
});

test('ages are as kubectl has them', () => {
  const ages: readonly [number, string][] = [[-5, '0s'], [0, '0s'], [119, '119s'], [120, '2m'], [130, '2m10s'], [599, '9m59s'], [600, '10m'], [10_799, '179m'], [10_800, '3h'], [11_400, '3h10m'], [28_800, '8h'], [172_800, '2d'], [190_000, '2d4h'], [700_000, '8d']];
  for (const [seconds, text] of ages) assert.equal(formatAge(seconds * 1000), text);
});

test('--since takes spans and instants, and refuses the rest', () => {
  const now = Date.parse('2026-01-01T01:00:00Z');
  assert.equal(parseSince('10m', now), now - 600_000);
  assert.equal(parseSince('2025-12-31T23:00:00Z', now), now - 7_200_000);
  for (const wrong of ['yesterday', '2026-13-01T00:00:00Z', '2026-01-01', '10']) assert.throws(() => parseSince(wrong, now), { code: 'Invalid' }, wrong);
});

test('the live screen redraws in place, no more lines than fit, and not for every change', async () => {
  const io = fakeIo({ rows: () => 4, columns: () => 10 });
  let text = 'one\ntwo';
  {
    using screen = new LiveScreen(io, () => text, { redrawMs: 20, refreshMs: 1_000_000 });
    for (let n = 0; n < 100; n++) screen.changed();
    await sleep(60);
    text = 'a line far too long\n2\n3\n4\n5';
    for (let n = 0; n < 100; n++) screen.changed();
    await sleep(60);
  }
  assert.equal(io.written.out, 'one\u001b[K\ntwo\u001b[K\n\u001b[J\u001b[2A\ra line fa…\u001b[K\n2\u001b[K\n… 3 more\u001b[K\n\u001b[J');
});
