import assert from 'node:assert/strict';
import { test } from 'node:test';
import { account } from '../../../src/reconcile/account.ts';
import type { Failure } from '../../../src/reconcile/machine.ts';
import { plan, type Step } from '../../../src/reconcile/plan.ts';
import type { Situation } from '../../../src/reconcile/situation.ts';
import { phaseOf, statusOf, type StatusInput } from '../../../src/reconcile/status.ts';
import type { ContainerStatus } from '../../../src/spec/condition.ts';
import { desired, exited, observed, running, situation, T0 } from '../../support/reconcile-fixtures.ts';

function input(parts: Partial<Situation>, extra: Partial<StatusInput> = {}): StatusInput {
  const raw = situation(parts);
  const judged = { ...raw, facts: account(raw).facts };
  return { situation: judged, step: plan(judged), failure: undefined, previous: undefined, now: T0, ...extra };
}

function conditions(status: ContainerStatus): Record<string, string> {
  return Object.fromEntries(status.conditions.map(({ type, status: value, reason }) => [type, `${value} ${reason}`]));
}

test('what was never looked at is Unknown', () => {
  const step: Step = { kind: 'Wait', until: 0, reason: 'NotYetObserved', message: 'it has not been looked at yet' };
  const unseen: StatusInput = { situation: undefined, step, failure: undefined, previous: undefined, now: T0 };
  assert.equal(phaseOf(unseen), 'Unknown');
  assert.deepEqual(conditions(statusOf(unseen)), { Ready: 'Unknown NotYetObserved', Progressing: 'Unknown NotYetObserved', Stalled: 'Unknown NotYetObserved' });
});

test('running as wanted is Ready', () => {
  const seen = input({ desired: desired({}, 3), observed: observed(running) });
  const status = statusOf(seen);
  assert.equal(phaseOf(seen), 'Running');
  assert.deepEqual(conditions(status), { Ready: 'True Running', Progressing: 'False Running', Stalled: 'False NotStalled' });
  assert.deepEqual([status.pid, status.startedAt, status.exitCode, status.observedGeneration], [100, new Date(T0).toISOString(), undefined, 3]);
});

test('a crash loop is Stalled, with the last exit', () => {
  const seen = input({ desired: desired(), observed: observed(exited()), facts: { restartCount: 4, crashes: 4, specHash: desired().specHash } });
  const status = statusOf(seen);
  assert.equal(phaseOf(seen), 'CrashLoopBackOff');
  assert.deepEqual(conditions(status), { Ready: 'False BackOff', Progressing: 'False BackOff', Stalled: 'True CrashLoopBackOff' });
  assert.deepEqual([status.exitCode, status.restartCount, status.lastDrift?.kind], [1, 5, 'Process']);
});

test('a failure stands in the conditions: as progress while it may pass, as a stall once it lasts', () => {
  const failure: Failure = { kind: 'Create', code: 'Unavailable', message: 'the disk is busy', count: 1, until: T0 + 5 };
  const passing = input({ desired: desired() }, { failure });
  assert.deepEqual(conditions(statusOf(passing)), { Ready: 'False CreateFailed', Progressing: 'True CreateFailed', Stalled: 'False NotStalled' });
  assert.equal(phaseOf(passing), 'CreateError');
  const lasting = input({ desired: desired() }, { failure: { ...failure, code: 'NotFound' } });
  assert.deepEqual(conditions(statusOf(lasting)), { Ready: 'False CreateFailed', Progressing: 'False CreateFailed', Stalled: 'True CreateFailed' });
});

test('a completed job is neither Ready nor Stalled; a failed one is Stalled', () => {
  const done = input({ desired: desired({ restartPolicy: 'Never' }), observed: observed(exited({ exitCode: 0 })) });
  assert.equal(phaseOf(done), 'Completed');
  assert.deepEqual(conditions(statusOf(done)), { Ready: 'False Completed', Progressing: 'False Completed', Stalled: 'False NotStalled' });
  const failed = input({ desired: desired({ restartPolicy: 'Never' }), observed: observed(exited()) });
  assert.equal(phaseOf(failed), 'Failed');
  assert.equal(conditions(statusOf(failed))['Stalled'], 'True Failed');
});

test('a transition time changes with the status of its condition only', () => {
  const first = statusOf(input({ desired: desired(), observed: observed(exited()) }));
  const later = statusOf(input({ desired: desired(), observed: observed(running) }, { previous: first, now: T0 + 60_000 }));
  const timeOf = (status: ContainerStatus, type: string) => status.conditions.find((condition) => condition.type === type)?.lastTransitionTime;
  assert.equal(timeOf(later, 'Ready'), new Date(T0 + 60_000).toISOString());
  assert.equal(timeOf(later, 'Stalled'), new Date(T0).toISOString());
});
