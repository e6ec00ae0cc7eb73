import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import { mapAtOnce } from '../../../src/lib/map-at-once.ts';

test('results come in the order of the items, with no more at work than was said', async () => {
  let working = 0;
  let most = 0;
  const results = await mapAtOnce([3, 1, 2, 0, 5], 2, async (turns) => {
    most = Math.max(most, ++working);
    for (let left = turns; left > 0; left--) await turn();
    working--;
    return turns * 10;
  });
  assert.deepEqual(results, [30, 10, 20, 0, 50]);
  assert.equal(most, 2);
  assert.deepEqual(await mapAtOnce([], 2, () => Promise.reject(new Error('nothing to do'))), []);
});

test('a failure is told once what was begun has ended, and nothing is begun after it', async () => {
  const ended: number[] = [];
  const work = async (item: number): Promise<void> => {
    await turn();
    if (item === 0) throw new Error('the first');
    await turn();
    ended.push(item);
    if (item === 1) throw new Error('a later one');
  };
  await assert.rejects(mapAtOnce([0, 1, 2, 3], 2, work), /the first/);
  assert.deepEqual(ended, [1]);
});
