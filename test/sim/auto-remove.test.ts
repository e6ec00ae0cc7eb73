import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseContainerName } from '../../src/spec/name.ts';
import { container } from '../support/reconcile-fixtures.ts';
import { HOUR, MINUTE, SECOND, SimulatedNode } from './simulated-node.ts';

const job = parseContainerName('job');
const never = new AbortController().signal;

async function runningJob(spec: Parameters<typeof container>[1] = {}): Promise<SimulatedNode> {
  const node = new SimulatedNode();
  node.applyFrom('api', container('job', { restartPolicy: 'Never', autoRemove: true, ...spec }));
  node.startDaemon();
  assert.ok(await node.settle());
  assert.equal(node.engine.peek(job)?.process.state, 'Running');
  return node;
}

function assertGone(node: SimulatedNode): void {
  assert.equal(node.engine.peek(job), undefined);
  assert.deepEqual(node.desired(), []);
  assert.deepEqual([...node.facts.keys()], []);
  assert.deepEqual(node.engine.violations, []);
}

for (const exitCode of [0, 1]) {
  test(`a run that ends with exit code ${exitCode} takes record and container with it, after its end was told`, async () => {
    const node = new SimulatedNode();
    node.engine.programs.set(job, { run: () => ({ lasts: SECOND, exitCode }) });
    node.startDaemon();
    const ends: number[] = [];
    node.reconciler.onExit(({ exit }) => ends.push(exit.exitCode));
    node.applyFrom('api', container('job', { restartPolicy: 'Never', autoRemove: true }));
    await node.clock.advance(MINUTE);
    assertGone(node);
    assert.deepEqual(ends, [exitCode]);
    assert.deepEqual(node.events.map(({ reason }) => reason), ['Created', 'Started', 'Exited', 'AutoRemove', 'Removed']);
  });
}

test('one that is made and has not run stays; stopped, it goes', async () => {
  const node = new SimulatedNode();
  const document = { restartPolicy: 'Never', autoRemove: true } as const;
  node.applyFrom('api', container('job', { ...document, suspend: true }));
  node.startDaemon();
  const made = node.reconciler.make(job, never);
  await node.clock.advance(HOUR);
  await made;
  assert.equal(node.engine.peek(job)?.process.state, 'None');
  node.applyFrom('api', container('job', document));
  await node.clock.advance(SECOND);
  assert.equal(node.engine.peek(job)?.process.state, 'Running');
  node.applyFrom('api', container('job', { ...document, suspend: true }));
  await node.clock.advance(SECOND);
  assertGone(node);
});

test('one that ends while it is to be restarted stays; once its restarts are used up it goes', async () => {
  const node = await runningJob({ restartPolicy: 'OnFailure', restartBackoff: { ...container('job').spec.restartBackoff, maxRetries: 2 } });
  node.engine.programs.set(job, { run: () => ({ lasts: SECOND, exitCode: 1 }) });
  node.engine.crash(job);
  await node.clock.advance(SECOND);
  assert.equal(node.engine.peek(job)?.process.state, 'Running');
  await node.clock.advance(HOUR);
  assertGone(node);
  assert.equal(node.callsOf('start').length, 3);
});

test('what a directory wants is never removed for having ended', async () => {
  const node = new SimulatedNode();
  node.apply(container('job', { restartPolicy: 'Never', autoRemove: true }));
  node.startDaemon();
  assert.ok(await node.settle());
  node.engine.crash(job);
  assert.ok(await node.settle());
  assert.equal(node.engine.peek(job)?.process.state, 'Exited');
  assert.equal(node.desired().length, 1);
});

test('one that the machine went down under is not run again', async () => {
  const node = await runningJob();
  node.killDaemon();
  node.engine.reboot();
  node.startDaemon();
  assert.ok(await node.settle());
  assertGone(node);
  assert.equal(node.callsOf('start').length, 1);
});

test('a daemon that dies between the end and the removal removes it when it starts again', async () => {
  const node = await runningJob();
  node.killDaemon();
  node.engine.crash(job);
  node.startDaemon();
  assert.ok(await node.settle());
  assertGone(node);
});

test('so many restarts in a row, and then it has failed for good, until somebody asks for a run', async () => {
  const node = new SimulatedNode();
  const backoff = { ...container('job').spec.restartBackoff, maxRetries: 3 };
  node.apply(container('job', { restartPolicy: 'OnFailure', restartBackoff: backoff }));
  node.engine.programs.set(job, { run: () => ({ lasts: SECOND, exitCode: 4 }) });
  node.startDaemon();
  await node.clock.advance(HOUR);
  assert.equal(node.callsOf('start').length, 4);
  const view = node.reconciler.view(job);
  assert.deepEqual([view?.phase, view?.status.restartCount, view?.status.exitCode], ['Failed', 3, 4]);
  assert.match(view?.status.conditions.find(({ type }) => type === 'Ready')?.message ?? '', /with at most 3 restarts in a row/);
  const running = node.reconciler.run(job, never);
  await node.clock.advance(HOUR);
  await running;
  assert.equal(node.callsOf('start').length, 8);
  node.apply(container('job', { restartPolicy: 'OnFailure', restartBackoff: { ...backoff, maxRetries: 4 } }));
  await node.clock.advance(HOUR);
  assert.equal(node.callsOf('start').length, 9, 'one more is allowed now');
});
