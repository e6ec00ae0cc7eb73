import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crashDelay, exponentialDelay, repairDelay, restartBackoffOf } from '../../../src/reconcile/backoff.ts';
import { container } from '../../support/reconcile-fixtures.ts';

const range = { initial: 10, max: 300 };

test('a delay doubles from initial to max, however often', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6, 5_000].map((attempt) => exponentialDelay(attempt, range)),
    [10, 20, 40, 80, 160, 300, 300, 300],
  );
});

test('the first crash is restarted at once, the first repairs too', () => {
  assert.deepEqual(
    [1, 2, 3, 4].map((crashes) => crashDelay(crashes, range)),
    [0, 10, 20, 40],
  );
  assert.deepEqual(
    [1, 4, 5, 6].map((repairs) => repairDelay(repairs, range)),
    [0, 0, 10, 20],
  );
});

test("a container's own backoff comes from its spec, the kubelet's by default", () => {
  assert.deepEqual(restartBackoffOf(container('web').spec), { initial: 10_000, max: 300_000, resetAfter: 600_000 });
  const own = container('web', { restartBackoff: { initial: '250ms', max: '1m30s', resetAfter: '1h' } });
  assert.deepEqual(restartBackoffOf(own.spec), { initial: 250, max: 90_000, resetAfter: 3_600_000 });
});
