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

/** Asks for it, and lets time pass until it is done. */
async function reset(node: SimulatedNode): Promise<void> {
  const resetting = node.reconciler.reset(web, never);
  await node.clock.advance(SECOND);
  assert.ok(await node.settle());
  await resetting;
}

const told = (node: SimulatedNode): string[] => node.events.map(({ reason }) => reason);

test('a running container that is reset is stopped, emptied and started again, and that is no restart of its own', async () => {
  const node = await settledNode();
  await reset(node);
  assert.deepEqual(told(node), ['Created', 'Started', 'Stopping', 'Exited', 'Reset', 'Started']);
  assert.equal(node.callsOf('reset').length, 1);
  assert.equal(node.engine.peek(web)?.process.state, 'Running');
  assert.equal(node.reconciler.view(web)?.status.restartCount, 0);
});

test('one that ignores the stop signal is killed after its grace, and then reset', async () => {
  const node = await settledNode({ stopTimeoutSeconds: 7 });
  node.engine.programs.set(web, { endsAfterSignal: undefined });
  await reset(node);
  assert.equal(node.callsOf('kill').length, 1);
  assert.equal(node.callsOf('reset').length, 1);
});

test('one that is suspended is reset, and stays stopped', async () => {
  const node = await settledNode();
  node.apply(container('web', { suspend: true }));
  assert.ok(await node.settle());
  await reset(node);
  assert.equal(node.callsOf('reset').length, 1);
  assert.equal(node.engine.peek(web)?.process.state, 'Exited');
});

test('a daemon that dies before a reset is done does it when it starts again', async () => {
  const node = await settledNode({ stopTimeoutSeconds: 7 });
  node.engine.programs.set(web, { endsAfterSignal: undefined });
  node.reconciler.reset(web, never).catch(() => undefined); // its daemon dies
  await node.clock.advance(SECOND);
  node.killDaemon();
  node.startDaemon();
  assert.ok(await node.settle());
  assert.equal(node.callsOf('reset').length, 1);
  assert.equal(node.engine.peek(web)?.process.state, 'Running');
});

test('what is not there can not be reset', async () => {
  const node = await settledNode();
  const refused = assert.rejects(node.reconciler.reset(parseContainerName('nobody'), never), { code: 'NotFound' });
  await node.clock.advance(SECOND);
  await refused;
});
