import assert from 'node:assert/strict';
import { test } from 'node:test';
import { account } from '../../../src/reconcile/account.ts';
import { noFacts, type Facts } from '../../../src/reconcile/facts.ts';
import { afterSignal } from '../../../src/reconcile/stop.ts';
import { desired, exited, observed, running, situation, T0 } from '../../support/reconcile-fixtures.ts';

const mounts = { kind: 'Mounts', message: '/data is not mounted' } as const;

function kinds(result: ReturnType<typeof account>): string[] {
  return result.happenings.map(({ kind }) => kind);
}

test('an end that nobody asked for is a crash, drift and a restart', () => {
  const result = account(situation({ desired: desired(), observed: observed(exited()) }));
  assert.deepEqual(kinds(result), ['Exited', 'DriftDetected', 'Restarting']);
  const { crashes, restartCount, backoffUntil, lastDrift, exitAsked } = result.facts;
  assert.deepEqual([crashes, restartCount, backoffUntil, exitAsked], [1, 1, undefined, false]);
  assert.equal(lastDrift?.message, 'the process ended by itself with exit code 1, want it running (restartPolicy Always)');
});

test('the second crash in a row backs off from the end of the run, and a stable run begins a new series', () => {
  const facts: Facts = { ...noFacts, specHash: desired().specHash, crashes: 1 };
  const again = account(situation({ desired: desired(), observed: observed(exited()), facts }));
  assert.equal(again.facts.backoffUntil, T0 + 15_000);
  assert.ok(kinds(again).includes('BackOff'));
  const stable = account(situation({ desired: desired(), observed: observed(exited({ finishedAt: T0 + 600_000 })), facts: { ...facts, crashes: 5 } }));
  assert.deepEqual([stable.facts.crashes, stable.facts.backoffUntil], [1, undefined]);
});

test('an end after an end was preceded by a run, though nobody saw it: the first was made good', () => {
  const first = account(situation({ desired: desired(), observed: observed(exited()) })).facts;
  const second = account(situation({ desired: desired(), observed: observed(exited({ startedAt: T0 + 6_000, finishedAt: T0 + 7_000 })), facts: first }));
  assert.deepEqual(kinds(second), ['DriftRepaired', 'Exited', 'DriftDetected', 'Restarting', 'BackOff']);
  assert.deepEqual(second.facts.drifted, ['Process']);
});

test('resetAfter 0s does not make a program that ends at once restart without a pause', () => {
  const wish = desired({ restartBackoff: { initial: '10s', max: '5m', resetAfter: '0s' } });
  const there = { ...observed(exited({ finishedAt: T0 + 1 })), specHash: wish.specHash };
  const result = account(situation({ desired: wish, observed: there, facts: { ...noFacts, specHash: wish.specHash, crashes: 1 } }));
  assert.equal(result.facts.crashes, 2);
});

test('an end that was asked for is neither drift nor a crash', () => {
  const there = observed(running);
  const suspended = desired({ suspend: true });
  const facts = afterSignal(noFacts, there, 'Suspended', T0 + 4_000);
  const result = account(situation({ desired: suspended, observed: observed(exited()), facts }));
  assert.deepEqual(kinds(result), ['Exited']);
  assert.deepEqual([result.facts.crashes, result.facts.restartCount, result.facts.exitAsked, result.facts.stop], [0, 0, true, undefined]);
});

test('an end before the signal was sent is its own', () => {
  const facts = afterSignal({ ...noFacts, specHash: desired().specHash }, observed(running), 'Drift', T0 + 6_000);
  const result = account(situation({ desired: desired(), observed: observed(exited({ finishedAt: T0 + 5_000 })), facts }));
  assert.equal(result.facts.exitAsked, false);
  assert.equal(result.facts.crashes, 1);
});

test('a restart to undo drift is counted, and no crash', () => {
  const facts = afterSignal({ ...noFacts, specHash: desired().specHash, drifted: ['Mounts'] }, observed(running), 'Drift', T0);
  const ended = account(situation({ desired: desired(), observed: observed(exited()), facts }));
  assert.deepEqual(kinds(ended), ['Exited', 'Restarting']);
  assert.deepEqual([ended.facts.restartCount, ended.facts.crashes, ended.facts.repairs], [1, 0, 1]);
  const whole = account(situation({ desired: desired(), observed: observed(running), facts: ended.facts }));
  assert.deepEqual(whole.happenings, [{ kind: 'DriftRepaired', drift: 'Mounts' }]);
});

test('drift is told once while it lasts, and only of what is wanted', () => {
  const drifted = { ...observed(running), drift: [mounts] };
  const first = account(situation({ desired: desired(), observed: drifted }));
  assert.deepEqual(first.happenings, [{ kind: 'DriftDetected', drift: mounts, policy: 'Correct' }]);
  assert.deepEqual(first.facts.lastDrift, { ...mounts, time: T0 + 5_000 });
  assert.deepEqual(account(situation({ desired: desired(), observed: drifted, facts: first.facts })).happenings, []);
  assert.deepEqual(account(situation({ observed: drifted })).happenings, []);
  assert.deepEqual(account(situation({ desired: desired({ tty: true }), observed: drifted })).happenings, []);
});

test('another spec starts afresh, and keeps the count of restarts', () => {
  const facts: Facts = { restartCount: 7, crashes: 7, backoffUntil: T0 + 1e6, completed: true, repairs: 9, repairAfter: T0 + 1e6, specHash: 'former' };
  const { facts: fresh } = account(situation({ desired: desired(), facts }));
  assert.deepEqual(fresh, { restartCount: 7, crashes: 0, specHash: desired().specHash, observedGeneration: 1, stopBy: { signal: 'SIGTERM', timeoutSeconds: 10 } });
});

test('a policy changed to Never makes a completed run of a crash', () => {
  const crashed = account(situation({ desired: desired(), observed: observed(exited()) })).facts;
  const never = account(situation({ desired: desired({ restartPolicy: 'Never' }, 2), observed: observed(exited()), facts: crashed }));
  assert.deepEqual([never.facts.completed, never.facts.crashes, never.facts.drifted], [true, 0, undefined]);
});
