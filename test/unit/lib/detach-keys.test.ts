import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DetachKeys } from '../../../src/lib/detach-keys.ts';

/** What gets through of keys typed one after the other, and whether they detached. */
function typed(keys: string, ...pieces: readonly string[]): [string, boolean] {
  const detachKeys = new DetachKeys(keys);
  let through = '';
  for (const piece of pieces) {
    const { bytes, found } = detachKeys.take(Buffer.from(piece));
    through += bytes.toString();
    if (found) return [through, true];
  }
  return [through, false];
}

test('the keys are found however they arrive, and nothing of them gets through', () => {
  assert.deepEqual(typed('ctrl-p,ctrl-q', 'ab\x10\x11cd'), ['ab', true]);
  assert.deepEqual(typed('ctrl-p,ctrl-q', 'a', '\x10', '\x11'), ['a', true]);
  assert.deepEqual(typed('ctrl-]', 'a\x1d'), ['a', true]);
  assert.deepEqual(typed('x', 'abxc'), ['ab', true]);
});

test('what only begins like them gets through with what follows', () => {
  assert.deepEqual(typed('ctrl-p,ctrl-q', '\x10', 'a'), ['\x10a', false]);
  assert.deepEqual(typed('ctrl-p,ctrl-q', '\x10\x10', 'a'), ['\x10\x10a', false]);
  assert.deepEqual(typed('ctrl-p,ctrl-q', '\x10\x10\x11'), ['\x10', true]);
  assert.deepEqual(typed('', '\x10\x11x'), ['\x10\x11x', false]);
});

test('what is no key is told', () => {
  assert.throws(() => new DetachKeys('ctrl-p,quit'), { code: 'Invalid', message: '--detach-keys "ctrl-p,quit": "quit" is no key' });
});
