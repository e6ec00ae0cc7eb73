import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseContainerName } from '../../src/spec/name.ts';
import { container } from '../support/reconcile-fixtures.ts';
import { MINUTE, SECOND, SimulatedNode } from './simulated-node.ts';

const names = Array.from({ length: 50 }, (_, index) => parseContainerName(`c${index}`));

async function fifty(): Promise<SimulatedNode> {
  const node = new SimulatedNode();
  node.apply(...names.map((name) => container(name.slice('default/'.length))));
  node.startDaemon();
  assert.ok(await node.settle());
  return node;
}

function pids(node: SimulatedNode): unknown[] {
  return names.map((name) => node.engine.peek(name)?.process).map((process) => (process?.state === 'Running' ? process.init.pid : process?.state));
}

test('a killed and restarted daemon finds everything running and touches nothing', async () => {
  const node = await fifty();
  const before = pids(node);
  node.killDaemon();
  node.startDaemon();
  assert.ok(await node.settle());
  assert.deepEqual(pids(node), before);
  assert.equal(node.callsOf('start').length, 50);
  assert.equal(node.counts.restarted, 0);
  assert.ok(node.reconciler.views().every(({ phase, status }) => phase === 'Running' && status.restartCount === 0));
});

test('before the first look every condition is Unknown', async () => {
  const node = await fifty();
  node.killDaemon();
  node.startDaemon();
  for (const view of node.reconciler.views()) {
    assert.deepEqual(
      view.status.conditions.map(({ status }) => status),
      ['Unknown', 'Unknown', 'Unknown'],
    );
  }
  assert.equal(node.reconciler.views().length, 50);
});

/** Lets time pass until what is there was taken up. Gives back how long that took. */
async function adopted(node: SimulatedNode): Promise<number> {
  const before = node.clock.now();
  let done = false;
  void node.reconciler.adopt().then(() => (done = true));
  assert.ok(await node.clock.advanceUntil(() => done, MINUTE));
  return node.clock.now() - before;
}

test('what was adopted is told as it is, before anything is decided, and before its turn comes', async () => {
  const node = await fifty();
  const [dead, running] = names as [(typeof names)[0], (typeof names)[0]];
  node.killDaemon();
  node.engine.crash(dead);
  const calls = node.engine.calls.length;
  node.openDaemon({ concurrency: 4 });
  await adopted(node);
  const views = node.reconciler.views();
  assert.deepEqual(new Map(views.map(({ name, status }) => [name, status.containerID])), new Map(node.engine.list().map(({ name, id }) => [name, id])));
  assert.deepEqual([node.reconciler.view(running)?.phase, node.reconciler.view(running)?.status.pid], ['Running', pids(node)[1]]);
  assert.deepEqual([node.reconciler.view(dead)?.phase, node.reconciler.view(dead)?.status.exitCode], ['Unknown', 137]);
  assert.ok(views.every(({ status: { conditions } }) => conditions.every(({ status, reason }) => status === 'Unknown' && reason === 'NotYetObserved')));
  assert.ok(node.engine.calls.slice(calls).every(({ operation }) => operation === 'observe'));

  node.reconciler.start();
  assert.ok(await node.settle());
  assert.equal(node.reconciler.view(dead)?.status.restartCount, 1);
  assert.equal(node.reconciler.view(dead)?.phase, 'Running');
});

test('one that can not be looked at keeps the others from being told for five seconds only', async () => {
  const node = await fifty();
  const [stuck] = names as [(typeof names)[0]];
  node.killDaemon();
  const release = Promise.withResolvers<void>();
  node.engine.fault = (operation, name) => (operation === 'observe' && name === stuck ? { kind: 'hang', until: release.promise } : undefined);
  node.openDaemon();
  assert.equal(await adopted(node), 5 * SECOND);
  assert.equal(node.reconciler.views().filter(({ status }) => status.containerID !== undefined).length, names.length - 1);
  node.reconciler.start();
  node.engine.fault = () => undefined;
  release.resolve();
  assert.ok(await node.settle());
  assert.ok(node.reconciler.views().every(({ phase }) => phase === 'Running'));
});

test('what happened while the daemon was away is made up for: a death is restarted and counted, a removed spec is removed', async () => {
  const node = await fifty();
  const [dead, deleted] = names as [(typeof names)[0], (typeof names)[0]];
  const before = pids(node);
  node.killDaemon();
  node.engine.crash(dead);
  node.delete(deleted);
  node.apply(container('late'));
  node.startDaemon();
  assert.ok(await node.settle());
  assert.equal(node.engine.peek(dead)?.process.state, 'Running');
  assert.equal(node.reconciler.view(dead)?.status.restartCount, 1);
  assert.equal(node.counts.restarted, 1);
  assert.equal(node.engine.peek(deleted), undefined);
  assert.equal(node.reconciler.view(deleted), undefined);
  assert.equal(node.engine.peek(parseContainerName('late'))?.process.state, 'Running');
  assert.deepEqual(pids(node).slice(2), before.slice(2));
  assert.deepEqual(node.engine.violations, []);
});

test('after a restart of the machine everything is started again, and no crash is counted', async () => {
  const node = await fifty();
  node.killDaemon();
  node.engine.reboot();
  node.startDaemon();
  assert.ok(await node.settle());
  assert.ok(node.reconciler.views().every(({ phase, status }) => phase === 'Running' && status.restartCount === 0));
  assert.equal(node.callsOf('create').length, 50);
});

test('facts of a name that is neither desired nor there are dropped', async () => {
  const node = await fifty();
  const ghost = parseContainerName('ghost');
  node.killDaemon();
  node.facts.set(ghost, JSON.stringify({ restartCount: 3, crashes: 0 }));
  node.startDaemon();
  assert.ok(await node.settle());
  assert.equal(node.facts.has(ghost), false);
});

test('a stopped reconciler leaves no timer, no listener, and touches nothing any more', async () => {
  const node = await fifty();
  const calls = node.engine.calls.length;
  const { reconciler } = node;
  await reconciler.close();
  assert.equal(node.clock.pending, 0);
  assert.equal(node.engine.listeners, 0);
  for (const name of names) node.engine.crash(name);
  await node.clock.advance(1e9);
  assert.equal(node.engine.calls.length, calls);
});
