import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Semaphore } from '../../../src/lib/semaphore.ts';

test('no more than the permits are held at once, waiters are served in order, and giving back twice gives one permit', async () => {
  const semaphore = new Semaphore(1);
  const order: string[] = [];
  const first = await semaphore.acquire();
  const second = semaphore.acquire().then((release) => {
    order.push('second');
    return release;
  });
  const third = semaphore.acquire().then((release) => {
    order.push('third');
    return release;
  });
  await Promise.resolve();
  assert.deepEqual(order, []);
  first();
  first();
  const release = await second;
  assert.deepEqual(order, ['second']);
  release();
  (await third)();
  assert.deepEqual(order, ['second', 'third']);
  (await semaphore.acquire())();
});
