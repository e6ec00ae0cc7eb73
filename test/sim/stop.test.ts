import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MooringError } from '../../src/lib/errors.ts';
import { parseContainerName } from '../../src/spec/name.ts';
import { container } from '../support/reconcile-fixtures.ts';
import { HOUR, MINUTE, SECOND, SimulatedNode } from './simulated-node.ts';

const web = parseContainerName('web');

async function runningNode(spec: Parameters<typeof container>[1] = {}): Promise<SimulatedNode> {
  const node = new SimulatedNode();
  node.apply(container('web', spec));
  node.startDaemon();
  assert.ok(await node.settle());
  return node;
}

test('what is no longer desired is asked to stop, then removed, and nothing is kept of it', async () => {
  const node = await runningNode();
  node.delete(web);
  assert.equal(node.reconciler.view(web)?.origin, undefined);
  assert.ok(await node.settle());
  assert.equal(node.engine.peek(web), undefined);
  assert.equal(node.reconciler.view(web), undefined);
  assert.deepEqual([...node.facts.keys()], []);
  assert.equal(node.callsOf('kill').length, 0);
  assert.deepEqual(
    node.events.map(({ reason }) => reason),
    ['Created', 'Started', 'Stopping', 'Exited', 'Removed'],
  );
});

test('a program that ignores the stop signal is killed after its grace', async () => {
  const node = await runningNode({ stopTimeoutSeconds: 7 });
  node.engine.programs.set(web, { endsAfterSignal: undefined });
  const at = node.clock.now();
  node.delete(web);
  assert.ok(await node.settle());
  assert.equal(node.engine.peek(web), undefined);
  const [killedAt = 0, ...more] = node.callsOf('kill');
  assert.deepEqual(more, []);
  assert.ok(killedAt - at >= 7 * SECOND && killedAt - at < 7.1 * SECOND);
});

test('a stop signal that cannot be sent does not keep the kill from coming', async () => {
  const node = await runningNode();
  node.engine.fault = (operation) => (operation === 'signal' ? { kind: 'error', error: new MooringError('Internal', 'EPERM') } : undefined);
  node.delete(web);
  assert.ok(await node.settle());
  assert.equal(node.engine.peek(web), undefined);
});

test('a process that not even a kill ends is killed again at growing intervals, and holds up nobody', async () => {
  const node = await runningNode();
  const program = { endsAfterSignal: undefined, unkillable: true };
  node.engine.programs.set(web, program);
  node.delete(web);
  await node.clock.advance(HOUR);
  const kills = node.callsOf('kill').length;
  assert.ok(kills > 20 && kills < 80, `${kills} kills in an hour`);
  assert.equal(node.reconciler.view(web)?.phase, 'Stopping');
  node.apply(container('other'));
  await node.clock.advance(SECOND);
  assert.equal(node.engine.peek(parseContainerName('other'))?.process.state, 'Running');
  program.unkillable = false;
  await node.clock.advance(2 * MINUTE);
  assert.equal(node.engine.peek(web), undefined);
});

test('a restart of the daemon within the grace goes on with the same stop', async () => {
  const node = await runningNode();
  node.engine.programs.set(web, { endsAfterSignal: undefined });
  const at = node.clock.now();
  node.delete(web);
  await node.clock.advance(4 * SECOND);
  node.killDaemon();
  await node.clock.advance(SECOND);
  node.startDaemon();
  assert.ok(await node.settle());
  assert.equal(node.engine.peek(web), undefined);
  assert.equal(node.callsOf('signal').length, 1);
  assert.ok((node.callsOf('kill')[0] ?? 0) - at < 10.1 * SECOND);
});

test('suspend stops without removing, and its end starts it again uncounted', async () => {
  const node = await runningNode();
  node.apply(container('web', { suspend: true }));
  assert.ok(await node.settle());
  assert.equal(node.engine.peek(web)?.process.state, 'Exited');
  assert.equal(node.reconciler.view(web)?.phase, 'Suspended');
  node.apply(container('web'));
  assert.ok(await node.settle());
  assert.equal(node.engine.peek(web)?.process.state, 'Running');
  assert.equal(node.callsOf('create').length, 1);
  assert.equal(node.reconciler.view(web)?.status.restartCount, 0);
  assert.deepEqual(node.counts.detected, {});
});

test('a stop called off before the process ended starts it again uncounted', async () => {
  const node = await runningNode({ restartPolicy: 'Never' });
  node.engine.programs.set(web, { endsAfterSignal: 2 * SECOND });
  node.apply(container('web', { restartPolicy: 'Never', suspend: true }));
  await node.clock.advance(SECOND);
  node.apply(container('web', { restartPolicy: 'Never' }));
  await node.clock.advance(5 * SECOND);
  assert.equal(node.engine.peek(web)?.process.state, 'Running');
  assert.equal(node.reconciler.view(web)?.status.restartCount, 0);
});

test('a changed spec makes a new container; a changed stop signal or restart policy does not', async () => {
  const node = await runningNode();
  node.apply(container('web', { stopSignal: 'SIGINT', restartPolicy: 'OnFailure' }));
  assert.ok(await node.settle());
  assert.equal(node.callsOf('create').length, 1);
  assert.equal(node.reconciler.view(web)?.status.observedGeneration, 2);
  node.apply(container('web', { image: 'mooring.local/busybox:2' }));
  assert.ok(await node.settle());
  assert.equal(node.callsOf('create').length, 2);
  assert.equal(node.engine.peek(web)?.process.state, 'Running');
  assert.deepEqual(node.engine.violations, []);
  assert.equal(node.counts.desiredToRunning.length, 1, 'only what needed a start is timed');
});

test('takeDown stops all at once and removes everything', async () => {
  const node = new SimulatedNode();
  const names = Array.from({ length: 40 }, (_, index) => `c${index}`);
  node.apply(...names.map((name) => container(name)));
  node.startDaemon();
  assert.ok(await node.settle());
  for (const name of names) node.engine.programs.set(parseContainerName(name), { endsAfterSignal: 5 * SECOND });
  const at = node.clock.now();
  let leftovers: unknown;
  void node.reconciler.takeDown(new AbortController().signal).then((value) => (leftovers = value));
  assert.ok(await node.clock.advanceUntil(() => leftovers !== undefined, HOUR));
  assert.deepEqual(leftovers, []);
  assert.deepEqual(node.engine.list(), []);
  assert.ok(node.clock.now() - at < 6 * SECOND, 'the graces ran side by side');
});

test('takeDown gives back what it could not remove in time, and why', async () => {
  const node = await runningNode();
  node.engine.programs.set(web, { endsAfterSignal: undefined, unkillable: true });
  const abort = new AbortController();
  let leftovers: readonly { readonly name: string; readonly message: string }[] | undefined;
  void node.reconciler.takeDown(abort.signal).then((value) => (leftovers = value));
  await node.clock.advance(MINUTE);
  abort.abort();
  await node.clock.flush();
  assert.equal(leftovers?.[0]?.name, web);
  assert.match(leftovers[0].message, /SIGKILL/);
});
