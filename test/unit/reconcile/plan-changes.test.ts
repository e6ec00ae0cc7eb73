import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planChanges } from '../../../src/reconcile/plan-changes.ts';
import type { PlannedChange } from '../../../src/reconcile/planned-change.ts';
import type { Situation } from '../../../src/reconcile/situation.ts';
import { desired, exited, none, observed, running, situation } from '../../support/reconcile-fixtures.ts';

function change(parts: Partial<Situation>, accepted = parts.desired): PlannedChange {
  return planChanges(desired().name, situation(parts), accepted);
}

function kinds({ steps }: PlannedChange): string[] {
  return steps.map(({ kind }) => kind);
}

test('each change is shown with all its steps', () => {
  const other = desired({ image: 'mooring.local/busybox:2' });
  const mounts = { kind: 'Mounts', message: '/data is not mounted' } as const;
  const network = { kind: 'Network', message: 'eth0 is gone' } as const;
  const limits = { kind: 'Limits', message: 'pids.max is 1, want 2' } as const;
  const table: readonly [PlannedChange, PlannedChange['action'], string[]][] = [
    [change({ desired: desired() }), 'Create', ['Create', 'Start']],
    [change({ desired: other, observed: observed(running) }, desired()), 'Recreate', ['Signal', 'Remove', 'Create', 'Start']],
    [change({ desired: other, observed: observed(exited()) }, desired()), 'Recreate', ['Remove', 'Create', 'Start']],
    [change({ desired: desired(), observed: observed(none) }), 'Start', ['Start']],
    [change({ desired: desired(), observed: { ...observed(running), drift: [mounts] } }), 'Restart', ['Signal', 'Start']],
    [change({ desired: desired(), observed: { ...observed(running), drift: [limits] } }), 'Update', ['RestoreLimits']],
    [change({ desired: desired(), observed: { ...observed(running), drift: [limits, network] } }), 'Update', ['RestoreNetwork', 'RestoreLimits']],
    [change({ desired: desired({ suspend: true }), observed: observed(running) }, desired()), 'Stop', ['Signal']],
    [change({ observed: observed(running) }, desired()), 'Remove', ['Signal', 'Remove']],
    [change({ desired: desired(), observed: observed(running) }), 'None', ['Settled']],
  ];
  for (const [planned, action, steps] of table) assert.deepEqual([planned.action, kinds(planned)], [action, steps]);
});

test('what differs is named with both values, and never with a secret', () => {
  const secret = desired({ image: 'mooring.local/busybox:2', env: [{ name: 'TOKEN', value: 'hunter2' }] });
  const planned = change({ desired: secret, observed: observed(running) }, desired());
  assert.deepEqual(
    planned.changes.map(({ field }) => field),
    ['spec.image', 'spec.env[TOKEN]'],
  );
  assert.ok(!JSON.stringify(planned).includes('hunter2'));
  assert.match(planned.steps[0]?.message ?? '', /spec\.image from mooring\.local\/busybox:latest to mooring\.local\/busybox:2/);
});

test('a change that takes effect on the running container is an update without steps, and shows once', () => {
  const patient = desired({ stopTimeoutSeconds: 60 });
  const planned = change({ desired: patient, observed: observed(running) }, desired());
  assert.deepEqual([planned.action, kinds(planned)], ['Update', ['Settled']]);
  assert.deepEqual(planned.changes, [{ field: 'spec.stopTimeoutSeconds', from: '10', to: '60' }]);
  const after = change({ desired: patient, observed: observed(running) }, patient);
  assert.deepEqual([after.action, after.changes], ['None', []]);
});
