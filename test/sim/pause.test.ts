import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseContainerName } from '../../src/spec/name.ts';
import { container } from '../support/reconcile-fixtures.ts';
import { SECOND, SimulatedNode } from './simulated-node.ts';

const web = parseContainerName('web');
const never = new AbortController().signal;

async function settledNode(spec: Parameters<typeof container>[1] = {}): Promise<SimulatedNode> {
  const node = new SimulatedNode();
  node.apply(container('web', spec));
  node.startDaemon();
  assert.ok(await node.settle());
  return node;
}

function isFrozen(node: SimulatedNode): boolean {
  const process = node.engine.peek(web)?.process;
  assert.equal(process?.state, 'Running');
  return process.state === 'Running' && process.frozen === true;
}

const told = (node: SimulatedNode): string[] => node.events.map(({ reason }) => reason);

test('a container is paused and let run on where it is, and that is neither a restart nor drift', async () => {
  const node = await settledNode();
  node.apply(container('web', { pause: true }));
  assert.ok(await node.settle());
  assert.ok(isFrozen(node));
  const paused = node.reconciler.view(web);
  assert.deepEqual([paused?.phase, paused?.status.conditions.find(({ type }) => type === 'Ready')?.reason], ['Paused', 'Paused']);
  node.apply(container('web'));
  assert.ok(await node.settle());
  assert.ok(!isFrozen(node));
  assert.equal(node.reconciler.view(web)?.phase, 'Running');
  assert.deepEqual(told(node), ['Created', 'Started', 'Paused', 'Resumed']);
  assert.deepEqual([node.counts.detected, node.callsOf('start').length], [{}, 1]);
});

test('frozen by hand, or let run on by hand, is drift, and undone', async () => {
  const node = await settledNode();
  node.engine.freeze(web, true);
  assert.ok(await node.settle());
  assert.ok(!isFrozen(node));
  assert.match(node.reconciler.view(web)?.status.lastDrift?.message ?? '', /stand still, want them running/);
  node.apply(container('web', { pause: true }));
  assert.ok(await node.settle());
  node.engine.freeze(web, false);
  assert.ok(await node.settle());
  assert.ok(isFrozen(node));
  assert.match(node.reconciler.view(web)?.status.lastDrift?.message ?? '', /run, want them to stand still/);
  assert.deepEqual([node.counts.detected, node.counts.repaired], [{ Frozen: 2 }, { Frozen: 2 }]);
});

test('a paused container that is stopped is let run on, so that it ends in order', async () => {
  const node = await settledNode({ pause: true });
  node.apply(container('web', { pause: true, suspend: true }));
  assert.ok(await node.settle());
  assert.equal(node.engine.peek(web)?.process.state, 'Exited');
  assert.deepEqual([node.callsOf('resume').length, node.callsOf('kill').length], [1, 0]);
  assert.deepEqual(node.counts.detected, {});
});

test('one that is started anew is paused again', async () => {
  const node = await settledNode({ pause: true });
  const stopping = node.reconciler.stop(web, {}, never);
  await node.clock.advance(SECOND);
  assert.equal(await stopping, true);
  assert.ok(await node.settle());
  assert.ok(isFrozen(node));
  node.killDaemon();
  node.engine.reboot();
  node.startDaemon();
  assert.ok(await node.settle());
  assert.ok(isFrozen(node));
  assert.deepEqual(node.counts.detected, {});
});

test('a daemon that dies between the pause and its note of it takes that for no drift', async () => {
  const node = await settledNode();
  node.killDaemon();
  node.engine.freeze(web, true);
  node.apply(container('web', { pause: true }));
  node.startDaemon();
  assert.ok(await node.settle());
  assert.ok(isFrozen(node));
  assert.deepEqual([node.counts.detected, node.callsOf('pause').length], [{}, 0]);
});

test('the plan tells of a pause as of a change in place', async () => {
  const node = await settledNode();
  const planning = node.reconciler.plan([container('web', { pause: true })], { prune: false });
  await node.clock.advance(SECOND);
  const [change] = await planning;
  assert.equal(change?.action, 'Update');
  assert.deepEqual(change.kind === 'Container' && change.steps.map(({ kind }) => kind), ['Pause']);
});
