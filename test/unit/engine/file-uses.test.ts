import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ContainerId } from '../../../src/engine/engine.ts';
import { FileUses } from '../../../src/engine/files/file-uses.ts';

const id = 'a'.repeat(64) as ContainerId;

test('a start ends the uses of the container, waits for their ends, and lets none begin meanwhile', async () => {
  const uses = new FileUses();
  const use = await uses.begin(id);
  const other = await uses.begin('b'.repeat(64) as ContainerId);
  const excluding = uses.exclude(id);
  assert.throws(() => use.signal.throwIfAborted(), { code: 'Conflict', message: /was started or removed meanwhile/ });
  assert.equal(other.signal.aborted, false);
  let excluded = false;
  void excluding.then(() => (excluded = true));
  await new Promise(setImmediate);
  assert.equal(excluded, false, 'the use has not ended yet');
  use[Symbol.dispose]();
  const exclusion = await excluding;

  let begun = false;
  const beginning = uses.begin(id).then((next) => {
    begun = true;
    return next;
  });
  await new Promise(setImmediate);
  assert.equal(begun, false, 'the start is not done yet');
  exclusion[Symbol.dispose]();
  assert.equal((await beginning).signal.aborted, false);
});

test('a use is aborted by its caller, too', async () => {
  const aborting = new AbortController();
  const use = await new FileUses().begin(id, aborting.signal);
  aborting.abort(new Error('enough'));
  assert.throws(() => use.signal.throwIfAborted(), /enough/);
});
