import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseContainerName } from '../../src/spec/name.ts';
import { container } from '../support/reconcile-fixtures.ts';
import { HOUR, MINUTE, SECOND, SimulatedNode } from './simulated-node.ts';

const web = parseContainerName('web');

/** Seconds between the end of each run and the start of the next. */
function pauses(node: SimulatedNode, lasts: number): number[] {
  const starts = node.callsOf('start', web);
  return starts.slice(1).map((at, index) => Math.round((at - (starts[index] ?? 0) - lasts) / SECOND));
}

test('a program that keeps crashing is restarted after 0, 10, 20, 40 … 300 s', async () => {
  const node = new SimulatedNode();
  node.engine.programs.set(web, { run: () => ({ lasts: 2 * SECOND, exitCode: 1 }) });
  node.apply(container('web'));
  node.startDaemon();
  await node.clock.advance(HOUR);
  assert.deepEqual(pauses(node, 2 * SECOND).slice(0, 9), [0, 10, 20, 40, 80, 160, 300, 300, 300]);
  assert.equal(node.reconciler.view(web)?.phase, 'CrashLoopBackOff');
  assert.deepEqual(node.engine.violations, []);
});

test('a stable run ends the series: the next crash is restarted at once', async () => {
  const node = new SimulatedNode();
  node.engine.programs.set(web, { run: (run) => ({ lasts: run === 4 ? 11 * MINUTE : SECOND, exitCode: 1 }) });
  node.apply(container('web'));
  node.startDaemon();
  await node.clock.advance(HOUR);
  const starts = node.callsOf('start', web);
  const ends = starts.map((at, index) => at + (index === 3 ? 11 * MINUTE : SECOND));
  const waits = starts.slice(1).map((at, index) => Math.round((at - (ends[index] ?? 0)) / SECOND));
  assert.deepEqual(waits.slice(0, 6), [0, 10, 20, 0, 10, 20]);
});

test('the backoff goes on over a restart of the daemon', async () => {
  const node = new SimulatedNode();
  node.engine.programs.set(web, { run: () => ({ lasts: SECOND, exitCode: 1 }) });
  node.apply(container('web'));
  node.startDaemon();
  await node.clock.advance(20 * SECOND);
  const before = node.factsOf(web);
  node.killDaemon();
  await node.clock.advance(SECOND);
  node.startDaemon();
  await node.clock.advance(SECOND);
  assert.equal(node.factsOf(web)?.crashes, before?.crashes);
  await node.clock.advance(HOUR);
  assert.deepEqual(pauses(node, SECOND).slice(0, 6), [0, 10, 20, 40, 80, 160]);
});

test('a changed spec replaces a crash-looping container without waiting for its backoff', async () => {
  const node = new SimulatedNode();
  node.engine.programs.set(web, { run: (run) => ({ lasts: run > 6 ? Number.POSITIVE_INFINITY : SECOND, exitCode: 1 }) });
  node.apply(container('web'));
  node.startDaemon();
  await node.clock.advance(4 * MINUTE);
  assert.equal(node.reconciler.view(web)?.phase, 'CrashLoopBackOff');
  const changedAt = node.clock.now();
  node.apply(container('web', { args: ['--fixed'] }));
  await node.clock.advance(SECOND);
  assert.equal(node.reconciler.view(web)?.phase, 'Running');
  assert.ok((node.callsOf('start', web).at(-1) ?? 0) - changedAt < SECOND);
});

test('restartPolicy OnFailure restarts failures and lets a success be', async () => {
  const node = new SimulatedNode();
  node.engine.programs.set(web, { run: (run) => ({ lasts: SECOND, exitCode: run < 3 ? 1 : 0 }) });
  node.apply(container('web', { restartPolicy: 'OnFailure' }));
  node.startDaemon();
  await node.clock.advance(MINUTE);
  assert.equal(node.callsOf('start', web).length, 3);
  assert.equal(node.reconciler.view(web)?.phase, 'Completed');
  assert.equal(node.reconciler.view(web)?.status.restartCount, 2);
  assert.deepEqual(node.counts.detected, { Process: 2 });
  assert.deepEqual(node.counts.repaired, { Process: 2 });
});

test('a job that failed under restartPolicy Never stays failed, over resyncs, restarts of the daemon and of the machine', async () => {
  const node = new SimulatedNode();
  node.engine.programs.set(web, { run: () => ({ lasts: SECOND, exitCode: 3 }) });
  node.apply(container('web', { restartPolicy: 'Never' }));
  node.startDaemon();
  await node.clock.advance(HOUR);
  node.killDaemon();
  node.engine.reboot();
  node.startDaemon();
  await node.clock.advance(HOUR);
  assert.equal(node.callsOf('start', web).length, 1);
  const view = node.reconciler.view(web);
  assert.equal(view?.phase, 'Failed');
  assert.equal(view?.status.exitCode, 3);
  assert.equal(node.counts.restarted, 0);
});
