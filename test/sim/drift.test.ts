import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DriftKind } from '../../src/engine/engine.ts';
import { parseContainerName } from '../../src/spec/name.ts';
import { container } from '../support/reconcile-fixtures.ts';
import { HOUR, MINUTE, SECOND, SimulatedNode } from './simulated-node.ts';

const web = parseContainerName('web');

async function runningNode(): Promise<SimulatedNode> {
  const node = new SimulatedNode();
  node.apply(container('web'));
  node.startDaemon();
  assert.ok(await node.settle());
  assert.equal(node.engine.peek(web)?.process.state, 'Running');
  return node;
}

function assertWhole(node: SimulatedNode): void {
  assert.equal(node.engine.peek(web)?.process.state, 'Running');
  assert.deepEqual(node.engine.peek(web)?.drift, []);
  assert.deepEqual(node.engine.violations, []);
  assert.equal(node.reconciler.view(web)?.phase, 'Running');
}

test('a killed process runs again at once', async () => {
  const node = await runningNode();
  const at = node.clock.now();
  node.engine.crash(web);
  assert.ok(await node.settle());
  assertWhole(node);
  assert.ok(node.clock.now() - at < 100);
  assert.deepEqual(node.counts.detected, { Process: 1 });
  assert.deepEqual(node.counts.repaired, { Process: 1 });
  assert.equal(node.reconciler.view(web)?.status.restartCount, 1);
  assert.equal(node.reconciler.view(web)?.status.lastDrift?.kind, 'Process');
  assert.deepEqual(
    node.events.map(({ reason }) => reason),
    ['Created', 'Started', 'Exited', 'DriftDetected', 'Started', 'DriftRepaired'],
  );
});

test('altered limits are written again without a restart', async () => {
  const node = await runningNode();
  node.engine.disturb(web, { kind: 'Limits', message: 'pids.max is 5, want 100' });
  assert.ok(await node.settle());
  assertWhole(node);
  assert.equal(node.callsOf('start').length, 1);
  assert.equal(node.callsOf('restoreLimits').length, 1);
  assert.deepEqual(node.counts.detected, { Limits: 1 });
  assert.deepEqual(node.counts.repaired, { Limits: 1 });
  assert.equal(node.reconciler.view(web)?.status.restartCount, 0);
});

for (const kind of ['Mounts', 'Rootfs', 'Bundle'] satisfies DriftKind[]) {
  test(`drift of kind ${kind} is undone by an orderly restart`, async () => {
    const node = await runningNode();
    node.engine.disturb(web, { kind, message: 'something is missing' });
    await node.clock.advance(SECOND);
    assertWhole(node);
    assert.equal(node.callsOf('signal').length, 1);
    assert.equal(node.callsOf('kill').length, 0);
    assert.equal(node.callsOf('start').length, 2);
    assert.deepEqual(node.counts.detected, { [kind]: 1 });
    assert.deepEqual(node.counts.repaired, { [kind]: 1 });
    assert.equal(node.reconciler.view(web)?.status.restartCount, 1);
    assert.equal(node.factsOf(web)?.crashes, 0);
  });
}

test('drift that comes back after each repair is fought with a backoff, and the container goes on running meanwhile', async () => {
  const node = await runningNode();
  const disturbing = setIntervalOn(node, SECOND, () => node.engine.disturb(web, { kind: 'Mounts', message: 'a mount is missing' }));
  await node.clock.advance(HOUR);
  disturbing.stop();
  const restarts = node.callsOf('start').length - 1;
  assert.ok(restarts >= 8 && restarts < 25, `${restarts} restarts in an hour`);
  await node.clock.advance(10 * MINUTE);
  assertWhole(node);
});

test('limits that are altered a thousand times a second cost a bounded number of repairs', async () => {
  const node = await runningNode();
  const disturbing = setIntervalOn(node, 1, () => node.engine.disturb(web, { kind: 'Limits', message: 'pids.max is 5, want 100' }));
  await node.clock.advance(10 * SECOND);
  disturbing.stop();
  assert.ok(node.callsOf('restoreLimits').length < 350, `${node.callsOf('restoreLimits').length} repairs in ten seconds`);
  assert.ok(await node.settle());
  assertWhole(node);
});

test('a repair without effect is retried ever more slowly, and reported', async () => {
  const node = await runningNode();
  let repairs = 0;
  node.engine.restoreLimits = async () => {
    repairs += 1;
  };
  node.engine.disturb(web, { kind: 'Limits', message: 'pids.max is 5, want 100' });
  await node.clock.advance(HOUR);
  assert.ok(repairs > 5 && repairs < 40, `${repairs} repairs`);
  const stalled = node.reconciler.view(web)?.status.conditions.find(({ type }) => type === 'Stalled');
  assert.equal(stalled?.status, 'True');
  assert.match(stalled.message, /RestoreLimits was carried out, and is still needed: pids\.max/);
});

test('a lost event is made up for by the resync', async () => {
  const node = await runningNode();
  node.engine.losesEvent = () => true;
  node.engine.crash(web);
  await node.clock.advance(10 * SECOND);
  assert.equal(node.engine.peek(web)?.process.state, 'Exited');
  await node.clock.advance(6 * MINUTE);
  assertWhole(node);
});

function setIntervalOn(node: SimulatedNode, every: number, action: () => void): { stop(): void } {
  let stopped = false;
  const tick = (): void => {
    if (stopped) return;
    action();
    node.clock.setTimeout(tick, every);
  };
  node.clock.setTimeout(tick, every);
  return {
    stop: () => {
      stopped = true;
    },
  };
}
