import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateLimiter } from '../../../src/reconcile/rate-limiter.ts';

test('a burst is free, what comes faster after it is spread, a pause fills the bucket again', () => {
  const limiter = new RateLimiter<string>({ burst: 3, interval: 10 });
  assert.deepEqual([1, 2, 3, 4, 5].map(() => limiter.take('a', 1_000)), [0, 0, 0, 10, 20]);
  assert.equal(limiter.take('b', 1_000), 0, 'each key has a bucket of its own');
  assert.equal(limiter.take('a', 1_030), 0);
  assert.equal(limiter.take('a', 1_030), 10);
  assert.deepEqual([1, 2, 3, 4].map(() => limiter.take('a', 2_000)), [0, 0, 0, 10]);
});

test('a forgotten key starts afresh', () => {
  const limiter = new RateLimiter<string>({ burst: 1, interval: 10 });
  limiter.take('a', 0);
  assert.equal(limiter.take('a', 0), 10);
  limiter.forget('a');
  assert.equal(limiter.take('a', 0), 0);
});
