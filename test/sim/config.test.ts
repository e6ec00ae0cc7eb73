import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMapSchema } from '../../src/spec/config-map.ts';
import { type Container, containerSchema } from '../../src/spec/container.ts';
import { type ConfigMapName, containerName, type SecretName } from '../../src/spec/name.ts';
import type { Resource } from '../../src/spec/resource.ts';
import { secretSchema } from '../../src/spec/secret.ts';
import { HOUR, MINUTE, SECOND, SimulatedNode } from './simulated-node.ts';

const web = containerName({ namespace: 'default', name: 'web' });
const PASSWORDS = ['hunter2-first', 'hunter2-second'] as const;

function configMap(data: Record<string, string>) {
  return configMapSchema.parse({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' }, data });
}

function secret(password: string) {
  return secretSchema.parse({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db' }, stringData: { password } });
}

function user(name = 'web', spec: object = {}): Container {
  return containerSchema.parse({
    apiVersion: 'mooring.dev/v1alpha1',
    kind: 'Container',
    metadata: { name },
    spec: { image: 'mooring.local/busybox:latest', envFrom: [{ configMapRef: { name: 'web' } }], mounts: [{ mountPath: '/run/db', secret: { name: 'db' } }], ...spec },
  });
}

function ready(node: SimulatedNode) {
  const condition = (type: string) => node.reconciler.view(web)?.status.conditions.find((each) => each.type === type);
  return { reason: condition('Ready')?.reason, stalled: condition('Stalled')?.status, restarts: node.reconciler.view(web)?.status.restartCount };
}

async function within<T>(node: SimulatedNode, work: Promise<T>): Promise<T> {
  let done = false;
  void work.finally(() => (done = true));
  await node.clock.advanceUntil(() => done, HOUR);
  return work;
}

test('what is missing is waited for and told once; the container starts when it comes, and no value is told anywhere', async () => {
  const node = new SimulatedNode();
  node.startDaemon();
  node.apply(user());
  await node.clock.advance(HOUR);
  assert.deepEqual(ready(node), { reason: 'ConfigMapMissing', stalled: 'True', restarts: 0 });
  node.apply(configMap({ A: '1' }));
  await node.clock.advance(SECOND);
  assert.equal(ready(node).reason, 'SecretMissing');
  node.apply(secret(PASSWORDS[0]));
  await node.clock.advance(SECOND);
  assert.deepEqual(ready(node), { reason: 'Running', stalled: 'False', restarts: 0 });
  assert.deepEqual(node.events.map(({ reason }) => reason), ['ConfigMapMissing', 'SecretMissing', 'Created', 'Started']);
  node.apply(secret(PASSWORDS[1]));
  assert.ok(await node.settle());
  assert.ok(!JSON.stringify([node.events, [...node.facts]]).includes('hunter2'));
});

test('changed content makes the container anew, once, with the reason; the same content again does nothing', async () => {
  const node = new SimulatedNode();
  node.startDaemon();
  node.apply(configMap({ A: '1' }), secret(PASSWORDS[0]), user());
  assert.ok(await node.settle());
  const restarts = (): number => node.callsOf('create', web).length;
  assert.equal(restarts(), 1);
  node.apply(configMap({ A: '1' }), secret(PASSWORDS[0]));
  assert.ok(await node.settle());
  assert.equal(restarts(), 1);
  node.apply(configMap({ A: '2' }));
  assert.ok(await node.settle());
  assert.equal(restarts(), 2);
  assert.equal(ready(node).restarts, 0, 'a change is no restart');
  assert.ok(node.events.some(({ reason, message }) => reason === 'Stopping' && message.includes('configmap default/web changed: A')), JSON.stringify(node.events));
  node.apply(configMap({ A: '2', B: '3' }));
  assert.ok(await node.settle());
  assert.equal(restarts(), 3);
  assert.deepEqual(node.engine.violations, []);
});

test('a program that ignores its signal is killed for changed content as for a changed spec', async () => {
  const node = new SimulatedNode();
  node.engine.programs.set(web, { endsAfterSignal: undefined });
  node.startDaemon();
  node.apply(configMap({ A: '1' }), secret(PASSWORDS[0]), user('web', { stopTimeoutSeconds: 3 }));
  await node.clock.advance(SECOND);
  node.apply(configMap({ A: '2' }));
  await node.clock.advance(MINUTE);
  assert.equal(node.callsOf('create', web).length, 2);
  assert.equal(node.callsOf('kill', web).length, 1);
  assert.equal(ready(node).reason, 'Running');
});

test('what goes away leaves what runs running; a start waits for it', async () => {
  const node = new SimulatedNode();
  node.startDaemon();
  node.apply(configMap({ A: '1' }), secret(PASSWORDS[0]), user());
  await node.clock.advance(SECOND);
  node.deleteOf({ kind: 'Secret', name: 'default/db' as SecretName });
  await node.clock.advance(MINUTE);
  assert.deepEqual([ready(node).reason, node.callsOf('create', web).length], ['Running', 1]);
  node.engine.crash(web);
  await node.clock.advance(MINUTE);
  assert.equal(ready(node).reason, 'SecretMissing');
  node.apply(secret(PASSWORDS[1]));
  await node.clock.advance(SECOND);
  assert.equal(ready(node).reason, 'Running');
  assert.equal(node.callsOf('create', web).length, 2, 'with the new content');
});

test('what keeps ending is made anew at once when its content changes, whatever its backoff', async () => {
  const node = new SimulatedNode();
  node.engine.programs.set(web, { run: (run) => (run < 8 ? { lasts: 5, exitCode: 1 } : { lasts: Number.POSITIVE_INFINITY, exitCode: 0 }) });
  node.startDaemon();
  node.apply(configMap({ A: '1' }), secret(PASSWORDS[0]), user('web', { restartBackoff: { initial: '10m', max: '1h' } }));
  await node.clock.advance(MINUTE);
  assert.equal(ready(node).reason, 'BackOff');
  const before = node.callsOf('start', web).length;
  node.apply(configMap({ A: '2' }));
  await node.clock.advance(SECOND);
  assert.ok(node.callsOf('start', web).length > before);
});

test('a run that has ended for good is not repeated for changed content', async () => {
  const node = new SimulatedNode();
  node.engine.programs.set(web, { run: () => ({ lasts: 5, exitCode: 0 }) });
  node.startDaemon();
  node.apply(configMap({ A: '1' }), secret(PASSWORDS[0]), user('web', { restartPolicy: 'OnFailure' }));
  await node.clock.advance(MINUTE);
  node.apply(configMap({ A: '2' }));
  await node.clock.advance(MINUTE);
  assert.deepEqual([ready(node).reason, node.callsOf('create', web).length], ['Completed', 1]);
});

test('the dry run names what changes by its keys, and what is made anew for it', async () => {
  const node = new SimulatedNode();
  node.startDaemon();
  const plan = async (...resources: Resource[]) => within(node, node.reconciler.plan(resources, { prune: false }));
  const brief = async (...resources: Resource[]) => (await plan(...resources)).map(({ kind, name, action }) => `${action} ${kind} ${name}`);
  assert.deepEqual(await brief(user()), ['Wait Container default/web']);
  assert.deepEqual(await brief(user(), secret(PASSWORDS[0]), configMap({ A: '1' })), ['Create ConfigMap default/web', 'Create Secret default/db', 'Create Container default/web']);
  node.apply(configMap({ A: '1' }), secret(PASSWORDS[0]), user());
  await node.clock.advance(SECOND);
  assert.deepEqual(await brief(secret(PASSWORDS[0])), ['None Secret default/db']);
  const changes = await plan(secret(PASSWORDS[1]));
  assert.deepEqual(changes.map(({ kind, action, changes: fields }) => [kind, action, fields]), [
    ['Secret', 'Update', [{ field: 'data.password', from: '(changed)', to: '(changed)' }]],
    ['Container', 'Recreate', []],
  ]);
  assert.ok(changes[1]?.steps.some(({ message }) => message === 'secret default/db changed: password'), JSON.stringify(changes));
  assert.ok(!JSON.stringify(changes).includes('hunter2'));
  node.deleteOf({ kind: 'ConfigMap', name: 'default/web' as ConfigMapName });
  await node.clock.advance(SECOND);
  assert.deepEqual(await brief(configMap({ A: '1' })), ['Create ConfigMap default/web', 'None Container default/web']);
});
