import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MooringError } from '../../src/lib/errors.ts';
import { type Container, containerSchema } from '../../src/spec/container.ts';
import { containerName, type ContainerName, type NetworkName, type VolumeName } from '../../src/spec/name.ts';
import { type Network, networkResourceSchema } from '../../src/spec/network.ts';
import { type Volume, volumeResourceSchema } from '../../src/spec/volume.ts';
import { HOUR, SECOND, SimulatedNode } from './simulated-node.ts';

const back = 'default/back' as NetworkName;
const data = 'default/data' as VolumeName;
const web = containerName({ namespace: 'default', name: 'web' });
const head = { apiVersion: 'mooring.dev/v1alpha1' };

function container(name: string, spec: object): Container {
  return containerSchema.parse({ ...head, kind: 'Container', metadata: { name }, spec: { image: 'mooring.local/busybox:latest', ...spec } });
}

function network(spec: object = {}): Network {
  return networkResourceSchema.parse({ ...head, kind: 'Network', metadata: { name: 'back' }, spec });
}

function volume(spec: object = {}): Volume {
  return volumeResourceSchema.parse({ ...head, kind: 'Volume', metadata: { name: 'data' }, spec });
}

function user(name = 'web', more: object = {}): Container {
  return container(name, { network: { mode: 'Bridge', networks: [{ name: 'back' }] }, mounts: [{ mountPath: '/data', volume: { name: 'data' } }], ...more });
}

function sharing(name: string, host: string): Container {
  return container(name, { network: { mode: 'Container', container: host } });
}

function ready(node: SimulatedNode, name: ContainerName) {
  const condition = (type: string) => node.reconciler.view(name)?.status.conditions.find((each) => each.type === type);
  return { reason: condition('Ready')?.reason, stalled: condition('Stalled')?.status, restarts: node.reconciler.view(name)?.status.restartCount };
}

test('what a container names and nobody declares is waited for, told once, without a crash loop; it starts as soon as all is there', async () => {
  const node = new SimulatedNode();
  node.startDaemon();
  node.apply(user());
  assert.ok(await node.settle());
  await node.clock.advance(HOUR);
  assert.deepEqual(ready(node, web), { reason: 'NetworkMissing', stalled: 'True', restarts: 0 });
  assert.deepEqual(node.callsOf('create'), []);
  assert.deepEqual(node.events.map(({ reason }) => reason), ['NetworkMissing']);
  node.apply(network());
  await node.clock.advance(SECOND);
  assert.equal(ready(node, web).reason, 'VolumeMissing');
  node.apply(volume());
  await node.clock.advance(SECOND);
  assert.deepEqual(ready(node, web), { reason: 'Running', stalled: 'False', restarts: 0 });
});

test('declared together, the network is made first, however long that takes', async () => {
  const node = new SimulatedNode();
  node.networks.takes = 30 * SECOND;
  node.startDaemon();
  node.apply(user(), network(), volume());
  await node.clock.advance(29 * SECOND);
  assert.deepEqual(ready(node, web), { reason: 'NetworkNotReady', stalled: 'False', restarts: 0 });
  await node.clock.advance(2 * SECOND);
  assert.equal(ready(node, web).reason, 'Running');
});

test('a network that can not be made is told on it and on its container, and tried again', async () => {
  const node = new SimulatedNode();
  node.networks.fault = new MooringError('Conflict', 'network default/back: 10.0.0.0/8 overlaps a route of the node');
  node.startDaemon();
  node.apply(user(), network(), volume());
  await node.clock.advance(SECOND);
  assert.equal(node.supplies.standing({ kind: 'Network', name: back })?.state, 'Failed');
  assert.equal(ready(node, web).reason, 'NetworkNotReady');
  assert.match(node.events.find(({ name, reason }) => name === web && reason === 'NetworkNotReady')?.message ?? '', /can't be had: .*overlaps a route/);
  await node.clock.advance(HOUR);
  assert.ok(node.networks.calls.length < 30, 'it is tried at a slow pace');
  node.networks.fault = undefined;
  await node.clock.advance(6 * 60 * SECOND);
  assert.equal(ready(node, web).reason, 'Running');
});

test('removal waits for the last user, and a retained volume keeps its data for the next of its name', async () => {
  const node = new SimulatedNode();
  node.startDaemon();
  node.apply(user(), network(), volume());
  await node.clock.advance(SECOND);
  node.deleteOf({ kind: 'Network', name: back }, { kind: 'Volume', name: data });
  await node.clock.advance(SECOND);
  assert.equal(node.supplies.standing({ kind: 'Network', name: back })?.reason, 'InUse');
  assert.equal(ready(node, web).reason, 'Running');
  assert.deepEqual([node.networks.list(), node.volumes.list()], [[back], [data]]);
  node.delete(web);
  assert.ok(await node.settle());
  await node.clock.advance(SECOND);
  assert.deepEqual(node.networks.list(), []);
  assert.equal(node.volumes.there.get(data)?.released, true);
  assert.equal(node.supplies.standing({ kind: 'Network', name: back }), undefined);
  assert.deepEqual(node.volumes.forgotten, [web]);
  node.apply(volume({ reclaimPolicy: 'Retain' }));
  await node.clock.advance(SECOND);
  assert.equal(node.volumes.there.get(data)?.released, false);
});

test('a change that can not be made leaves what is there in use, also for a container that starts later', async () => {
  const node = new SimulatedNode();
  node.startDaemon();
  node.apply(user(), network(), volume());
  await node.clock.advance(SECOND);
  node.apply(network({ internal: true }));
  await node.clock.advance(SECOND);
  assert.equal(node.supplies.standing({ kind: 'Network', name: back })?.state, 'Failed');
  node.apply(user('late'));
  await node.clock.advance(SECOND);
  assert.equal(ready(node, containerName({ namespace: 'default', name: 'late' })).reason, 'Running');
  const [change] = await within(node, node.reconciler.plan([network({ internal: true })], { prune: false }));
  assert.deepEqual([change?.action, change?.changes], ['Refuse', [{ field: 'spec.internal', from: 'false', to: 'true' }]]);
});

test('a daemon that is killed at any moment leaves nothing that the next one does not make or remove', async () => {
  for (let instant = 0; instant < 40; instant++) {
    const node = new SimulatedNode();
    node.networks.takes = 10;
    node.startDaemon();
    node.apply(user(), network(), volume());
    await node.clock.advance(instant);
    node.killDaemon();
    node.startDaemon();
    await node.clock.advance(20 * SECOND);
    assert.equal(ready(node, web).reason, 'Running');
    node.delete(web);
    node.deleteOf({ kind: 'Network', name: back }, { kind: 'Volume', name: data });
    await node.clock.advance(instant);
    node.killDaemon();
    node.startDaemon();
    await node.clock.advance(60 * SECOND);
    assert.deepEqual([node.networks.list(), node.volumes.there.get(data)?.released], [[], true]);
  }
});

test('a container that shares the network of another waits for it to run, and a circle of them is told', async () => {
  const node = new SimulatedNode();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => containerName({ namespace: 'default', name })) as [ContainerName, ContainerName, ContainerName];
  node.startDaemon();
  node.apply(sharing('a', 'b'));
  await node.clock.advance(SECOND);
  assert.equal(ready(node, a).reason, 'ContainerMissing');
  node.apply(container('b', {}));
  await node.clock.advance(SECOND);
  assert.deepEqual([ready(node, a).reason, ready(node, b).reason], ['Running', 'Running']);
  node.delete(a);
  node.apply(sharing('b', 'c'), sharing('c', 'b'));
  await node.clock.advance(60 * SECOND);
  assert.deepEqual([ready(node, c).reason, ready(node, c).restarts], ['NetworkLoop', 0]);
  assert.match(node.reconciler.view(c)?.status.conditions.find(({ type }) => type === 'Ready')?.message ?? '', /default\/c → default\/b → default\/c/);
});

test('the dry run says what would be made first, what would wait and what would go', async () => {
  const node = new SimulatedNode();
  node.startDaemon();
  const plans = async (...resources: (Container | Network | Volume)[]) => (await within(node, node.reconciler.plan(resources, { prune: true }))).map(({ kind, name, action }) => `${action} ${kind} ${name}`);
  assert.deepEqual(await plans(user(), volume(), network()), [`Create Network ${back}`, `Create Volume ${data}`, `Create Container ${web}`]);
  assert.deepEqual(await plans(user(), volume()), [`Create Volume ${data}`, `Wait Container ${web}`]);
  node.apply(user(), volume(), network());
  await node.clock.advance(SECOND);
  assert.deepEqual(await plans(user(), volume()), [`Wait Network ${back}`, `None Volume ${data}`, `None Container ${web}`]);
  assert.deepEqual(await plans(), [`Remove Network ${back}`, `Remove Volume ${data}`, `Remove Container ${web}`]);
});

/** What a promise gives once enough simulated time has passed. */
async function within<T>(node: SimulatedNode, work: Promise<T>): Promise<T> {
  let done = false;
  void work.finally(() => (done = true));
  await node.clock.advanceUntil(() => done, HOUR);
  return work;
}
