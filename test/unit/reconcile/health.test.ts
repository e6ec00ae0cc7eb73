import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterProbe, describeHealth, type Health, type Probe, probeOf, startingHealth, untilNextProbe } from '../../../src/reconcile/health.ts';
import { healthcheckSchema } from '../../../src/spec/healthcheck.ts';
import { T0 } from '../../support/reconcile-fixtures.ts';

const SECOND = 1_000;
const probe: Probe = { action: { exec: { command: ['true'] } }, interval: 30 * SECOND, timeout: SECOND, startPeriod: 60 * SECOND, startInterval: 5 * SECOND, retries: 3, successes: 1 };

const after = (health: Health, at: number, exitCode: number): Health => afterProbe(health, { startedAt: T0 + at, endedAt: T0 + at + 1, exitCode, output: `says ${exitCode}\n` }, probe, T0);

test('the spec goes over the image, and the image over the defaults', () => {
  assert.equal(probeOf(undefined, undefined), undefined);
  assert.equal(probeOf(undefined, { Test: ['NONE'] }), undefined);
  assert.equal(probeOf(undefined, { Test: [] }), undefined);
  assert.equal(probeOf(healthcheckSchema.parse({ disabled: true }), { Test: ['CMD', 'true'] }), undefined);
  assert.equal(probeOf(healthcheckSchema.parse({ interval: '1s' }), null), undefined, 'there is nothing to run');
  assert.deepEqual(probeOf(undefined, { Test: ['CMD-SHELL', 'curl -f localhost'] }), {
    ...{ action: { exec: { command: ['/bin/sh', '-c', 'curl -f localhost'] } }, interval: 30_000, timeout: 30_000 },
    ...{ startPeriod: 0, startInterval: 5_000, retries: 3, successes: 1 },
  });
  assert.deepEqual(probeOf(healthcheckSchema.parse({ interval: '2s', retries: 1 }), { Test: ['CMD', 'check', '-q'], Interval: 9e9, Timeout: 1e9, StartPeriod: 3e9, StartInterval: 5e8, Retries: 7 }), {
    ...{ action: { exec: { command: ['check', '-q'] } }, interval: 2_000, timeout: 1_000 },
    ...{ startPeriod: 3_000, startInterval: 500, retries: 1, successes: 1 },
  });
  assert.deepEqual(probeOf(healthcheckSchema.parse({ command: ['mine'] }), { Test: ['NONE'] })?.action.exec?.command, ['mine']);
});

test('so many failures in a row make it unhealthy, one success healthy', () => {
  let health = startingHealth;
  for (const at of [70, 100]) health = after(health, at * SECOND, 1);
  assert.deepEqual([health.status, health.failingStreak], ['Starting', 2]);
  health = after(health, 130 * SECOND, 1);
  assert.deepEqual([health.status, health.failingStreak], ['Unhealthy', 3]);
  assert.equal(describeHealth(health), '3 probes in a row failed, the last with exit code 1: says 1');
  health = after(health, 160 * SECOND, 0);
  assert.deepEqual([health.status, health.failingStreak], ['Healthy', 0]);
  health = after(after(health, 190 * SECOND, 2), 220 * SECOND, 2);
  assert.deepEqual([health.status, health.failingStreak, health.log.length], ['Healthy', 2, 5]);
  assert.match(describeHealth({ ...health, status: 'Unhealthy', log: [{ startedAt: 0, endedAt: 0, exitCode: -1, output: 'too slow' }] }), /the last: too slow$/);
});

test('within the start period failures do not count until a probe has passed', () => {
  const failed = after(startingHealth, 10 * SECOND, 1);
  assert.deepEqual([failed.status, failed.failingStreak, failed.log.length], ['Starting', 0, 1]);
  assert.equal(untilNextProbe(failed, probe, T0, T0 + 10 * SECOND), 5 * SECOND);
  const passed = after(failed, 15 * SECOND, 0);
  assert.equal(passed.status, 'Healthy');
  assert.equal(untilNextProbe(passed, probe, T0, T0 + 16 * SECOND), 30 * SECOND);
  assert.equal(after(passed, 20 * SECOND, 1).failingStreak, 1);
  assert.equal(untilNextProbe(failed, probe, T0, T0 + 61 * SECOND), 30 * SECOND);
});
