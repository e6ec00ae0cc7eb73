import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noQueueObserver, WorkQueue, type WorkQueueOptions } from '../../../src/reconcile/queue.ts';
import { SimulatedClock } from '../../support/simulated-clock.ts';

/** A queue whose work on a key lasts until `finish(key)`. */
function manualQueue(options: Partial<WorkQueueOptions<string>> = {}) {
  const clock = new SimulatedClock(0);
  const begun: string[] = [];
  const errors: unknown[] = [];
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const queue = new WorkQueue<string>({
    work: (key) => {
      begun.push(key);
      const end = Promise.withResolvers<void>();
      ends.set(key, end);
      return end.promise;
    },
    onError: (_, error) => void errors.push(error),
    concurrency: 2,
    rateLimit: { burst: 1, interval: 100 },
    clock,
    observer: noQueueObserver,
    ...options,
  });
  const finish = async (key: string, error?: Error): Promise<void> => {
    if (error === undefined) ends.get(key)?.resolve();
    else ends.get(key)?.reject(error);
    await clock.flush();
  };
  return { queue, clock, begun, errors, finish };
}

test('a key that waits is not added twice', async () => {
  const { queue, begun, finish } = manualQueue({ concurrency: 1 });
  for (const key of ['a', 'b', 'b', 'c', 'b']) queue.add(key);
  assert.equal(queue.depth, 2);
  await finish('a');
  await finish('b');
  await finish('c');
  assert.deepEqual(begun, ['a', 'b', 'c']);
  assert.ok(queue.idle);
});

test('a key added while it is worked on gets one more turn after, never two at once', async () => {
  const { queue, begun, finish } = manualQueue();
  queue.add('a');
  queue.add('a');
  queue.add('a');
  assert.deepEqual(begun, ['a']);
  await finish('a');
  assert.deepEqual(begun, ['a', 'a']);
  await finish('a');
  assert.deepEqual(begun, ['a', 'a']);
});

test('no more keys than the bound are worked on at once', async () => {
  const { queue, begun, finish } = manualQueue();
  for (const key of ['a', 'b', 'c']) queue.add(key);
  assert.deepEqual(begun, ['a', 'b']);
  await finish('b');
  assert.deepEqual(begun, ['a', 'b', 'c']);
});

test('hints beyond the burst wait; a plain add overtakes them and stands for them', async () => {
  const retried: number[] = [];
  const { queue, clock, begun, finish } = manualQueue({ observer: { ...noQueueObserver, retried: () => void retried.push(clock.now()) } });
  queue.addRateLimited('a');
  await finish('a');
  queue.addRateLimited('a');
  queue.addRateLimited('a');
  assert.deepEqual(begun, ['a']);
  assert.equal(retried.length, 1);
  assert.equal(queue.idle, false);
  await clock.advance(100);
  assert.deepEqual(begun, ['a', 'a']);
  await finish('a');

  queue.addRateLimited('a');
  queue.add('a');
  assert.equal(clock.pending, 0);
  assert.deepEqual(begun, ['a', 'a', 'a']);
});

test('work that throws is told, and the queue goes on', async () => {
  const { queue, begun, errors, finish } = manualQueue({ concurrency: 1 });
  queue.add('a');
  queue.add('b');
  const error = new Error('no');
  await finish('a', error);
  assert.deepEqual(errors, [error]);
  assert.deepEqual(begun, ['a', 'b']);
});

test('a stopped queue begins nothing more and keeps no timer', async () => {
  const { queue, clock, begun, finish } = manualQueue({ concurrency: 1 });
  queue.addRateLimited('a');
  queue.addRateLimited('b');
  queue.addRateLimited('b');
  await finish('a');
  await finish('b');
  queue.addRateLimited('b');
  queue.stop();
  queue.add('c');
  assert.equal(clock.pending, 0);
  assert.deepEqual(begun, ['a', 'b']);
});

test('waits and work are measured, finished and unfinished', async () => {
  const taken: number[] = [];
  const done: number[] = [];
  const { queue, clock, finish } = manualQueue({
    concurrency: 1,
    observer: { ...noQueueObserver, taken: (waited) => void taken.push(waited), done: (worked) => void done.push(worked) },
  });
  queue.add('a');
  queue.add('b');
  await clock.advance(3_000);
  assert.deepEqual(queue.unfinished(), { totalSeconds: 3, longestSeconds: 3 });
  await finish('a');
  assert.deepEqual(taken, [0, 3]);
  assert.deepEqual(done, [3]);
});
