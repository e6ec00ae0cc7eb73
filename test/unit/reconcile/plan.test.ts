import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Facts } from '../../../src/reconcile/facts.ts';
import { noFacts } from '../../../src/reconcile/facts.ts';
import { plan } from '../../../src/reconcile/plan.ts';
import { networkSchema } from '../../../src/spec/container-network.ts';
import { afterKill, afterSignal } from '../../../src/reconcile/stop.ts';
import { container, creating, desired, exited, none, observed, running, situation, T0 } from '../../support/reconcile-fixtures.ts';

const network = { kind: 'Network', message: 'eth0 has lost 172.31.240.2' } as const;
const bridged = networkSchema.parse({ mode: 'Bridge' });
const limits = { kind: 'Limits', message: 'memory.limit_in_bytes is 134217728, want 67108864' } as const;
const mounts = { kind: 'Mounts', message: '/data is not mounted' } as const;

function facts(parts: Partial<Facts>): Facts {
  return { ...noFacts, ...parts };
}

const cases: readonly { readonly title: string; readonly parts: Parameters<typeof situation>[0]; readonly kind: string; readonly reason: string; readonly says?: RegExp }[] = [
  { title: 'neither desired nor there', parts: {}, kind: 'Forget', reason: 'NotDesired' },
  { title: 'desired and not there', parts: { desired: desired() }, kind: 'Create', reason: 'NotCreated' },
  { title: 'suspended and not there', parts: { desired: desired({ suspend: true }) }, kind: 'Settled', reason: 'Suspended' },
  {
    title: 'a completed job whose container is gone',
    parts: { desired: desired({ restartPolicy: 'Never' }), facts: facts({ completed: true, specHash: desired({ restartPolicy: 'Never' }).specHash, lastExit: exitOf(0) }) },
    kind: 'Settled',
    reason: 'Completed',
  },
  {
    title: 'a completed job whose policy is now Always, its container gone',
    parts: { desired: desired(), facts: facts({ completed: true, specHash: desired().specHash, lastExit: exitOf(0) }) },
    kind: 'Create',
    reason: 'NotCreated',
  },
  { title: 'created, not started', parts: { desired: desired(), observed: observed(none) }, kind: 'Start', reason: 'NotStarted' },
  { title: 'being created', parts: { desired: desired(), observed: observed(creating) }, kind: 'Wait', reason: 'Starting', says: /monitor 99/ },
  { title: 'running as wanted', parts: { desired: desired(), observed: observed(running) }, kind: 'Settled', reason: 'Running', says: /pid 100/ },
  {
    title: 'running with altered limits',
    parts: { desired: desired(), observed: { ...observed(running), drift: [limits] } },
    kind: 'RestoreLimits',
    reason: 'LimitsDrifted',
    says: /is 134217728, want 67108864/,
  },
  {
    title: 'running with altered limits and network: the network comes first',
    parts: { desired: desired(), observed: { ...observed(running), drift: [limits, network] } },
    kind: 'RestoreNetwork',
    reason: 'NetworkDrifted',
    says: /^eth0 has lost 172\.31\.240\.2$/,
  },
  {
    title: 'running with lost mounts and altered limits: the restart mends both',
    parts: { desired: desired(), observed: { ...observed(running), drift: [limits, mounts] } },
    kind: 'Signal',
    reason: 'MountsDrifted',
    says: /\/data is not mounted/,
  },
  { title: 'running and suspended', parts: { desired: desired({ suspend: true }), observed: observed(running) }, kind: 'Signal', reason: 'Suspended' },
  { title: 'ended and suspended', parts: { desired: desired({ suspend: true }), observed: observed(exited()) }, kind: 'Settled', reason: 'Suspended' },
  { title: 'running and not desired', parts: { observed: observed(running) }, kind: 'Signal', reason: 'NotDesired' },
  { title: 'being created and not desired', parts: { observed: observed(creating) }, kind: 'Kill', reason: 'NotDesired' },
  { title: 'ended and not desired', parts: { observed: observed(exited()) }, kind: 'Remove', reason: 'NotDesired' },
  {
    title: 'running with another spec',
    parts: { desired: desired({ image: 'mooring.local/busybox:2' }), observed: observed(running) },
    kind: 'Signal',
    reason: 'SpecChanged',
    says: /spec\.image from .*busybox:latest to .*busybox:2/,
  },
  {
    title: 'running, with another port: no other container is needed',
    parts: { desired: desired({ network: bridged, ports: [{ containerPort: 80, protocol: 'TCP', hostPort: 8080, expose: 'HostPolicy' }] }), observed: observed(running, { network: bridged }) },
    kind: 'Update',
    reason: 'NetworkChanged',
    says: /spec\.ports\[80\/TCP\] from \(none\) to .*; that needs no other container$/,
  },
  {
    title: 'suspended, with another network: it is on that before it starts',
    parts: { desired: desired({ suspend: true, network: { ...bridged, networks: [{ name: 'blue', aliases: [] }] } }), observed: observed(exited(), { network: bridged }) },
    kind: 'Update',
    reason: 'NetworkChanged',
  },
  { title: 'suspended, with another image', parts: { desired: desired({ suspend: true, image: 'mooring.local/busybox:2' }), observed: observed(exited()) }, kind: 'Settled', reason: 'Suspended' },
  {
    title: 'ended, with another network and another image: all anew',
    parts: { desired: desired({ image: 'mooring.local/busybox:2', network: { ...bridged, networks: [{ name: 'blue', aliases: [] }] } }), observed: observed(exited(), { network: bridged }) },
    kind: 'Remove',
    reason: 'SpecChanged',
  },
  {
    title: 'running, with other limits: they are changed where they are',
    parts: { desired: desired({ resources: { memory: '64Mi' } }), observed: observed(running) },
    kind: 'Update',
    reason: 'LimitsChanged',
    says: /spec\.resources\.memory from \(none\) to .*; that needs no other container$/,
  },
  {
    title: 'ended, with other limits and another logging',
    parts: { desired: desired({ resources: { pids: 5 }, logging: { ...container('web').spec.logging, maxFiles: 7 } }), observed: observed(exited()) },
    kind: 'Update',
    reason: 'SpecChanged',
  },
  { title: 'running, with another mode: all anew', parts: { desired: desired({ network: bridged }), observed: observed(running) }, kind: 'Signal', reason: 'SpecChanged' },
  { title: 'ended with another spec', parts: { desired: desired({ tty: true }), observed: observed(exited()) }, kind: 'Remove', reason: 'SpecChanged' },
  { title: 'running with another restart policy', parts: { desired: desired({ restartPolicy: 'Never' }), observed: observed(running) }, kind: 'Settled', reason: 'Running' },
  {
    title: 'crashed, no backoff due',
    parts: { desired: desired(), observed: observed(exited({ exitCode: 137, signal: 9, oomKilled: true })) },
    kind: 'Start',
    reason: 'Exited',
    says: /exit code 137 \(SIGKILL, out of memory\), and restartPolicy is Always/,
  },
  { title: 'crashed, backing off', parts: { desired: desired(), observed: observed(exited()), facts: facts({ crashes: 3, backoffUntil: T0 + 25_000 }) }, kind: 'Wait', reason: 'BackOff' },
  { title: 'backoff over', parts: { desired: desired(), observed: observed(exited()), facts: facts({ crashes: 3, backoffUntil: T0 + 5_000 }) }, kind: 'Start', reason: 'Exited' },
  { title: 'OnFailure, ended well', parts: { desired: desired({ restartPolicy: 'OnFailure' }), observed: observed(exited({ exitCode: 0 })) }, kind: 'Settled', reason: 'Completed' },
  { title: 'OnFailure, failed', parts: { desired: desired({ restartPolicy: 'OnFailure' }), observed: observed(exited()) }, kind: 'Start', reason: 'Exited' },
  { title: 'Never, failed', parts: { desired: desired({ restartPolicy: 'Never' }), observed: observed(exited()) }, kind: 'Settled', reason: 'Failed' },
  {
    title: 'Never, stopped by Mooring',
    parts: { desired: desired({ restartPolicy: 'Never' }), observed: observed(exited()), facts: facts({ exitAsked: true, countedExit: T0 + 5_000 }) },
    kind: 'Start',
    reason: 'Stopped',
  },
];

function exitOf(exitCode: number): NonNullable<Facts['lastExit']> {
  return { exitCode, signal: null, oomKilled: false, startedAt: T0, finishedAt: T0 + 1_000 };
}

for (const { title, parts, kind, reason, says } of cases) {
  test(`${title}: ${kind}`, () => {
    const step = plan(situation(parts));
    assert.equal(step.kind, kind);
    assert.equal(step.reason, reason);
    assert.match(step.message, says ?? /./);
  });
}

test('a stop is a signal, a wait for the grace, a kill, and kills ever further apart', () => {
  const there = observed(running, { stopSignal: 'SIGINT', stopTimeoutSeconds: 3 });
  const at = (now: number, known: Facts) => plan({ desired: undefined, observed: there, facts: known, now });
  const signal = at(T0, noFacts);
  assert.deepEqual(signal.kind === 'Signal' && [signal.signal, signal.cause], ['SIGINT', 'Undesired']);
  const signalled = afterSignal(noFacts, there, 'Undesired', T0);
  const wait = at(T0 + 1, signalled);
  assert.equal(wait.kind === 'Wait' && wait.until, T0 + 3_000);
  assert.equal(at(T0 + 3_000, signalled).kind, 'Kill');
  const killed = afterKill(signalled, there, 'Undesired', T0 + 3_000);
  const waitAgain = at(T0 + 3_001, killed);
  assert.equal(waitAgain.kind === 'Wait' && waitAgain.until, T0 + 4_000);
  const killedAgain = afterKill(killed, there, 'Undesired', T0 + 4_000);
  assert.equal(killedAgain.stop?.deadline, T0 + 6_000);
});

test('a stop uses the settings last desired, not those of creation', () => {
  const step = plan(situation({ observed: observed(running), facts: facts({ stopBy: { signal: 'SIGQUIT', timeoutSeconds: 1 } }) }));
  assert.equal(step.kind === 'Signal' && step.signal, 'SIGQUIT');
});

test('the stop of a former container says nothing of this one', () => {
  const former = { ...observed(running), id: 'c'.repeat(64) as never };
  const step = plan(situation({ observed: observed(running), facts: afterSignal(noFacts, former, 'Undesired', 0) }));
  assert.equal(step.kind, 'Signal');
});

test('repairs in a row wait, and the process runs on meanwhile', () => {
  const drifted = { ...observed(running), drift: [mounts] };
  const step = plan(situation({ desired: desired(), observed: drifted, facts: facts({ repairs: 6, repairAfter: T0 + 60_000 }) }));
  assert.equal(step.kind === 'Wait' && step.until, T0 + 60_000);
});

test('a clock that was set back by a year holds nothing up', () => {
  const nextYear = T0 + 365 * 86_400_000;
  const crashed = plan(situation({ desired: desired(), observed: observed(exited()), facts: facts({ crashes: 3, backoffUntil: nextYear }) }));
  assert.equal(crashed.kind, 'Start');
  const stopping = plan(situation({ observed: observed(running), facts: afterSignal(noFacts, observed(running), 'Undesired', nextYear) }));
  assert.equal(stopping.kind, 'Kill');
});
