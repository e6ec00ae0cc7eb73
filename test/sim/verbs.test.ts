import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MooringError } from '../../src/lib/errors.ts';
import type { RunEnd } from '../../src/reconcile/reconciler-face.ts';
import { parseContainerName } from '../../src/spec/name.ts';
import { container } from '../support/reconcile-fixtures.ts';
import { HOUR, MINUTE, SECOND, SimulatedNode } from './simulated-node.ts';

const web = parseContainerName('web');
const never = new AbortController().signal;

async function settledNode(spec: Parameters<typeof container>[1] = {}): Promise<SimulatedNode> {
  const node = new SimulatedNode();
  node.apply(container('web', spec));
  node.startDaemon();
  assert.ok(await node.settle());
  return node;
}

/** Lets time pass until it settles; what it settles with. */
async function outcome<T>(node: SimulatedNode, work: Promise<T>): Promise<PromiseSettledResult<T>> {
  const settled = Promise.allSettled([work]);
  let done = false;
  void settled.then(() => (done = true));
  assert.ok(await node.clock.advanceUntil(() => done, HOUR), 'it settles');
  return (await settled)[0];
}

async function valueOf<T>(node: SimulatedNode, work: Promise<T>): Promise<T> {
  const result = await outcome(node, work);
  assert.equal(result.status, 'fulfilled', result.status === 'rejected' ? String(result.reason) : '');
  return result.status === 'fulfilled' ? result.value : assert.fail();
}

async function errorOf(node: SimulatedNode, work: Promise<unknown>): Promise<MooringError> {
  const result = await outcome(node, work);
  assert.ok(result.status === 'rejected' && result.reason instanceof MooringError);
  return result.reason;
}

const told = (node: SimulatedNode): string[] => node.events.map(({ reason }) => reason);
const stateOf = (node: SimulatedNode): string | undefined => node.engine.peek(web)?.process.state;

test('a suspended container is made on request, and not started', async () => {
  const node = await settledNode({ suspend: true });
  assert.equal(node.engine.peek(web), undefined);
  const id = await valueOf(node, node.reconciler.make(web, never));
  assert.equal(stateOf(node), 'None');
  assert.ok(await node.settle());
  assert.equal(node.reconciler.view(web)?.status.containerID, id);
  assert.equal(node.reconciler.view(web)?.phase, 'Suspended');
  assert.equal(await valueOf(node, node.reconciler.make(web, never)), id, 'one that is there is given as it is');
  assert.deepEqual([node.callsOf('create').length, node.callsOf('start').length], [1, 0]);
});

test('what was made from another spec is made anew on request, and stays as it is without one', async () => {
  const node = await settledNode({ suspend: true });
  const first = await valueOf(node, node.reconciler.make(web, never));
  node.apply(container('web', { suspend: true, image: 'mooring.local/busybox:2' }));
  assert.ok(await node.settle());
  assert.equal(node.reconciler.view(web)?.status.containerID, first);
  assert.notEqual(await valueOf(node, node.reconciler.make(web, never)), first);
  assert.deepEqual(node.engine.violations, []);
});

test('a failure that keeps it from being made rejects, and nothing is tried any more', async () => {
  const node = await settledNode({ suspend: true });
  const failure = new MooringError('NotFound', 'there is no such image');
  node.engine.fault = (operation) => (operation === 'create' ? { kind: 'error', error: failure } : undefined);
  assert.equal(await errorOf(node, node.reconciler.make(web, never)), failure);
  const tries = node.callsOf('create').length;
  node.engine.fault = () => undefined;
  await node.clock.advance(HOUR);
  assert.equal(node.callsOf('create').length, tries);
  assert.equal(node.engine.peek(web), undefined);
});

test('a hiccup does not reject', async () => {
  const node = await settledNode({ suspend: true });
  let hiccups = 3;
  node.engine.fault = (operation) => (operation === 'create' && hiccups-- > 0 ? { kind: 'error', error: new MooringError('Unavailable', 'not now') } : undefined);
  assert.ok(await valueOf(node, node.reconciler.make(web, never)));
});

test('a network that nobody declared is told at once', async () => {
  const node = await settledNode({ suspend: true, network: { ...container('web').spec.network, mode: 'Bridge', networks: [{ name: 'nowhere', aliases: [] }] } });
  const error = await errorOf(node, node.reconciler.make(web, never));
  assert.equal(error.code, 'NotFound');
  assert.match(error.message, /network default\/nowhere/);
});

test('what is not desired is not made or run; what is suspended is not run; what is not there is not stopped', async () => {
  const node = await settledNode({ suspend: true });
  const nobody = parseContainerName('nobody');
  assert.equal((await errorOf(node, (async () => node.reconciler.make(nobody, never))())).code, 'NotFound');
  assert.equal((await errorOf(node, node.reconciler.run(nobody, never))).code, 'NotFound');
  assert.equal((await errorOf(node, node.reconciler.run(web, never))).code, 'Conflict');
  assert.equal((await errorOf(node, node.reconciler.stop(nobody, {}, never))).code, 'NotFound');
  assert.equal((await errorOf(node, node.reconciler.stop(web, { signal: 'SIGNOTHING' }, never))).code, 'Invalid');
  assert.equal((await errorOf(node, node.reconciler.stop(web, { graceSeconds: -2 }, never))).code, 'Invalid');
  assert.equal(await valueOf(node, node.reconciler.stop(web, {}, never)), false);
  assert.ok(await node.settle());
});

test('a completed run is repeated on request, once, and its restarts are counted anew', async () => {
  const node = await settledNode({ restartPolicy: 'Never' });
  node.engine.programs.set(web, { run: () => ({ lasts: SECOND, exitCode: 0 }) });
  node.engine.crash(web);
  assert.ok(await node.settle());
  assert.equal(node.reconciler.view(web)?.phase, 'Failed');
  await valueOf(node, node.reconciler.run(web, never));
  assert.equal(stateOf(node), 'Running');
  await node.clock.advance(MINUTE);
  assert.equal(stateOf(node), 'Exited');
  assert.equal(node.callsOf('start').length, 2);
  assert.equal(node.reconciler.view(web)?.phase, 'Completed');
  assert.equal(node.factsOf(web)?.restartCount, 0);
  await valueOf(node, node.reconciler.run(web, never));
  assert.equal(node.callsOf('start').length, 3);
});

test('a run that is over before anybody looked has begun', async () => {
  const node = await settledNode({ restartPolicy: 'Never' });
  node.engine.programs.set(web, { run: () => ({ lasts: 0, exitCode: 3 }) });
  node.engine.crash(web);
  assert.ok(await node.settle());
  await valueOf(node, node.reconciler.run(web, never));
  assert.equal(node.callsOf('start').length, 2);
  assert.ok(await node.settle());
  assert.equal(node.reconciler.view(web)?.status.exitCode, 3);
});

test('a run that is asked for does not wait for the backoff', async () => {
  const node = await settledNode();
  node.engine.programs.set(web, { run: () => ({ lasts: 0, exitCode: 1 }) });
  node.engine.crash(web);
  await node.clock.advance(MINUTE);
  assert.equal(node.reconciler.view(web)?.phase, 'CrashLoopBackOff');
  node.engine.programs.set(web, {});
  const at = node.clock.now();
  await valueOf(node, node.reconciler.run(web, never));
  assert.ok(node.clock.now() - at < SECOND);
  assert.equal(node.reconciler.view(web)?.status.restartCount, 0);
});

test('a program that can not be run rejects with its exit code, and the wish is gone', async () => {
  const node = await settledNode({ restartPolicy: 'Never' });
  node.engine.crash(web);
  assert.ok(await node.settle());
  const failure = new MooringError('Invalid', 'exec: "foo": executable file not found in $PATH', { exitCode: 127 });
  node.engine.fault = (operation) => (operation === 'start' ? { kind: 'error', error: failure } : undefined);
  assert.equal((await errorOf(node, node.reconciler.run(web, never))).exitCode, 127);
  node.engine.fault = () => undefined;
  await node.clock.advance(HOUR);
  assert.equal(node.callsOf('start').length, 2);
  assert.equal(stateOf(node), 'Exited');
});

test('a container that is wanted running comes back after a stop, uncounted, and the reason is told', async () => {
  const node = await settledNode();
  assert.equal(await valueOf(node, node.reconciler.stop(web, {}, never)), true);
  assert.ok(await node.settle());
  assert.equal(stateOf(node), 'Running');
  assert.deepEqual(told(node), ['Created', 'Started', 'Stopping', 'Exited', 'Started']);
  assert.match(node.events.at(-1)?.message ?? '', /Mooring stopped it .* and it is wanted running/);
  assert.match(node.events.find(({ reason }) => reason === 'Stopping')?.message ?? '', /somebody asked for its end/);
  assert.equal(node.reconciler.view(web)?.status.restartCount, 0);
  assert.equal(node.factsOf(web)?.stopAsked, undefined);
});

test('a stop has its own grace and signal for this once', async () => {
  const node = await settledNode();
  node.engine.programs.set(web, { endsAfterSignal: undefined });
  const at = node.clock.now();
  const stopping = node.reconciler.stop(web, { graceSeconds: 3, signal: 'int' }, never);
  await node.clock.advance(SECOND);
  assert.match(node.reconciler.view(web)?.status.conditions.find(({ type }) => type === 'Progressing')?.message ?? '', /SIGINT was sent/);
  await valueOf(node, stopping);
  assert.ok(node.clock.now() - at >= 3 * SECOND && node.clock.now() - at < 4 * SECOND);
  assert.ok(await node.settle());
  await valueOf(node, node.reconciler.stop(web, {}, never));
  assert.match(node.events.findLast(({ reason }) => reason === 'Stopping')?.message ?? '', /SIGTERM/);
});

test('a stop that may take for ever never kills', async () => {
  const node = await settledNode();
  node.engine.programs.set(web, { endsAfterSignal: 30 * HOUR });
  const stopping = node.reconciler.stop(web, { graceSeconds: -1 }, never);
  await node.clock.advance(29 * HOUR);
  assert.equal(node.callsOf('kill').length, 0);
  node.killDaemon();
  node.startDaemon();
  await assert.rejects(stopping, { code: 'Unavailable' });
  await node.clock.advance(2 * HOUR);
  assert.equal(node.callsOf('kill').length, 0);
  assert.equal(node.callsOf('signal').length, 1);
  assert.equal(node.callsOf('start').length, 2, 'it ended, and was started again');
});

test('a grace given while the suspension already stops it takes effect, without a second signal', async () => {
  const node = await settledNode({ stopTimeoutSeconds: 600 });
  node.engine.programs.set(web, { endsAfterSignal: undefined });
  node.apply(container('web', { stopTimeoutSeconds: 600, suspend: true }));
  await node.clock.advance(SECOND);
  const at = node.clock.now();
  await valueOf(node, node.reconciler.stop(web, { graceSeconds: 2 }, never));
  assert.ok(node.clock.now() - at < 3 * SECOND);
  assert.deepEqual([node.callsOf('signal').length, node.callsOf('kill').length], [1, 1]);
  assert.ok(await node.settle());
  assert.equal(stateOf(node), 'Exited');
});

test('a suspension within the stop sends no signal of its own', async () => {
  const node = await settledNode();
  node.engine.programs.set(web, { endsAfterSignal: undefined });
  const suspend = (): void => node.apply(container('web', { suspend: true }));
  assert.equal(await valueOf(node, node.reconciler.stop(web, { signal: 'SIGINT', graceSeconds: 1 }, never, suspend)), true);
  assert.deepEqual(node.events.flatMap(({ reason, message }) => (reason === 'Stopping' ? [message.split(':')[0]] : [])), ['sends SIGINT']);
  assert.ok(await node.settle());
  assert.equal(stateOf(node), 'Exited');
  assert.equal(await valueOf(node, node.reconciler.stop(web, {}, never, suspend)), false);
});

test('of two stops at once, the one that says nothing of the grace takes nothing from the other', async () => {
  const node = await settledNode({ suspend: false });
  node.engine.programs.set(web, { endsAfterSignal: undefined });
  const at = node.clock.now();
  const both = Promise.all([node.reconciler.stop(web, { graceSeconds: 2 }, never), node.reconciler.stop(web, {}, never)]);
  assert.deepEqual(await valueOf(node, both), [true, true]);
  assert.ok(node.clock.now() - at < 3 * SECOND);
});

test('a daemon that is killed goes on with what was asked', async () => {
  const node = await settledNode({ restartPolicy: 'Never' });
  node.engine.programs.set(web, { endsAfterSignal: undefined });
  const stopping = node.reconciler.stop(web, { graceSeconds: 5 }, never);
  await node.clock.advance(SECOND);
  node.killDaemon();
  await assert.rejects(stopping, { code: 'Unavailable' });
  node.startDaemon();
  await node.clock.advance(10 * SECOND);
  assert.equal(node.callsOf('kill').length, 1);
  assert.equal(stateOf(node), 'Running');

  node.engine.programs.set(web, {});
  node.engine.crash(web);
  assert.ok(await node.settle());
  assert.equal(stateOf(node), 'Exited');
  node.engine.latency = SECOND;
  const running = node.reconciler.run(web, never);
  await node.clock.advance(1_500);
  node.killDaemon();
  await assert.rejects(running, { code: 'Unavailable' });
  node.startDaemon();
  assert.ok(await node.settle());
  assert.equal(stateOf(node), 'Running');
  assert.deepEqual(node.engine.violations, []);
});

test('an aborted wait leaves the wish; a suspension ends it', async () => {
  const node = await settledNode({ restartPolicy: 'Never' });
  node.engine.crash(web);
  assert.ok(await node.settle());
  const abort = new AbortController();
  const running = node.reconciler.run(web, abort.signal);
  await node.clock.advance(1);
  abort.abort(new Error('nobody waits'));
  await assert.rejects(running, /nobody waits/);
  assert.ok(await node.settle());
  assert.equal(stateOf(node), 'Running');

  node.engine.crash(web);
  assert.ok(await node.settle());
  node.engine.fault = (operation) => (operation === 'start' ? { kind: 'error', error: new MooringError('Unavailable', 'not now') } : undefined);
  const refused = node.reconciler.run(web, never);
  await node.clock.advance(10);
  node.apply(container('web', { restartPolicy: 'Never', suspend: true }));
  assert.equal((await errorOf(node, refused)).code, 'Conflict');
  node.engine.fault = () => undefined;
  assert.ok(await node.settle());
  assert.equal(node.factsOf(web)?.runAsked, undefined);
});

test('one that is wanted again while it is being forgotten is made', async () => {
  const node = await settledNode();
  node.delete(web);
  await node.clock.advanceUntil(() => node.engine.peek(web) === undefined, MINUTE);
  node.apply(container('web', { suspend: true }));
  assert.ok(await valueOf(node, node.reconciler.make(web, never)));
  assert.ok(await node.settle());
  assert.equal(stateOf(node), 'None');
});

test('each end of a run is told once, with its record', async () => {
  const node = await settledNode();
  const ends: RunEnd[] = [];
  const unsubscribe = node.reconciler.onExit((end) => ends.push(end));
  node.engine.crash(web);
  assert.ok(await node.settle());
  await valueOf(node, node.reconciler.stop(web, {}, never));
  assert.ok(await node.settle());
  await valueOf(node, node.reconciler.resync());
  unsubscribe();
  node.engine.crash(web);
  assert.ok(await node.settle());
  assert.deepEqual(ends.map(({ name, exit }) => [name, exit.exitCode]), [[web, 137], [web, 143]]);
  assert.equal(ends[0]?.id, node.reconciler.view(web)?.status.containerID);
});

test('what was asked is told by explain and by the plan', async () => {
  const node = await settledNode();
  node.engine.programs.set(web, { endsAfterSignal: undefined });
  void node.reconciler.stop(web, { graceSeconds: 60 }, never).catch(() => undefined);
  await node.clock.advance(SECOND);
  const explanation = await valueOf(node, node.reconciler.explain(web));
  assert.match(explanation.desired, /and its present run to end, as somebody asked$/);
  assert.match(explanation.next.message, /somebody asked for its end; SIGTERM was sent, SIGKILL follows at/);
  const [change] = await valueOf(node, node.reconciler.plan([container('web')], { prune: false }));
  assert.deepEqual(change?.kind === 'Container' && change.steps.map(({ kind }) => kind), ['Wait', 'Kill', 'Start']);
});
