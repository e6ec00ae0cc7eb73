import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Container, containerSchema } from '../../../src/spec/container.ts';
import { specChanged, specHash } from '../../../src/spec/hash.ts';

function container(spec: object, metadata: object = {}): Container {
  return containerSchema.parse({ apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata: { name: 'web', ...metadata }, spec: { image: 'redis', ...spec } });
}

const tmpfs = (mountPath: string, size?: string | number) => ({ mountPath, tmpfs: size === undefined ? {} : { size } });

/** Pairs that mean the same. */
const SAME: [object, object][] = [
  [{ image: 'redis' }, { image: 'docker.io/library/redis:latest' }],
  [{ resources: { cpu: 0.5 } }, { resources: { cpu: '500m' } }],
  [{ resources: { cpu: 2 } }, { resources: { cpu: '2000m' } }],
  [{ resources: { memory: '64Mi' } }, { resources: { memory: 67_108_864 } }],
  [{ mounts: [tmpfs('/a', '1Mi'), tmpfs('/b')] }, { mounts: [tmpfs('/b'), tmpfs('/a', 1_048_576)] }],
  [{ env: [{ name: 'A', value: '1' }, { name: 'B' }] }, { env: [{ name: 'B', value: '' }, { name: 'A', value: '1' }] }],
  [{ capabilities: { add: ['net_admin', 'CHOWN'] } }, { capabilities: { add: ['CAP_CHOWN', 'CAP_NET_ADMIN', 'chown'] } }],
  [{ ports: [{ containerPort: 1 }, { containerPort: 2 }] }, { ports: [{ containerPort: 2, protocol: 'TCP' }, { containerPort: 1 }] }],
  [{ stopSignal: 'TERM' }, { stopSignal: '15' }],
  [{ restartBackoff: { initial: '90s' } }, { restartBackoff: { initial: '1m30s' } }],
  [{}, { tty: false, network: { mode: 'None' }, resources: {}, env: [] }],
];

test('two ways of writing the same thing are one', () => {
  for (const [a, b] of SAME) {
    assert.equal(specHash(container(a)), specHash(container(b)), JSON.stringify([a, b]));
    assert.deepEqual(specChanged(container(a), container(b)), []);
  }
});

/** Changes that need a new container. */
const DIFFERENT: object[] = [
  { image: 'redis:7' }, { command: ['sh'] }, { args: ['sh'] }, { command: ['a', 'b'] }, { command: ['b', 'a'] }, { env: [{ name: 'A' }] }, { workingDir: '/' }, { user: '0' }, { hostname: 'a' }, { tty: true },
  { mounts: [tmpfs('/a')] }, { mounts: [tmpfs('/a', '1Mi')] }, { mounts: [{ mountPath: '/a', bind: { source: '/a' } }] }, { mounts: [{ ...tmpfs('/a'), readOnly: true }] }, { ports: [{ containerPort: 1 }] },
  { resources: { cpu: 1 } }, { resources: { memory: '1Gi' } }, { resources: { pids: 1 } }, { readOnlyRootFilesystem: true }, { capabilities: { add: ['ALL'] } }, { capabilities: { drop: ['ALL'] } }, { privileged: true },
  { network: { mode: 'Host' } },
];

test('what a container is created from changes the hash, and is named', () => {
  const hashes = new Set([specHash(container({}))]);
  for (const spec of DIFFERENT) {
    hashes.add(specHash(container(spec)));
    assert.ok(specChanged(container({}), container(spec)).length > 0, JSON.stringify(spec));
  }
  assert.equal(hashes.size, DIFFERENT.length + 1);
});

test('what takes effect on the container that is there does not change the hash, yet is named', () => {
  for (const spec of [{ imagePullPolicy: 'Never' }, { imagePullSecrets: [{ name: 'a' }] }, { imageUpdatePolicy: { interval: '1m' } }, { suspend: true }, { restartPolicy: 'Never' }, { restartBackoff: { initial: '1s' } }, { stopSignal: 'SIGINT' }, { stopTimeoutSeconds: 1 }]) {
    assert.equal(specHash(container(spec)), specHash(container({})), JSON.stringify(spec));
    assert.equal(specChanged(container({}), container(spec)).length, 1);
  }
  assert.equal(specHash(container({}, { name: 'db', labels: { a: 'b' } })), specHash(container({})));
});

test('a hash is kept across versions: stored ones decide whether a running container is replaced', () => {
  assert.match(specHash(container({})), /^[0-9a-f]{64}$/);
  assert.equal(specHash(container({})), 'fc5846c1b9f572f64f0cb3b81ffec30315bc3c26716e6b6f17c3d9f419ce1ad5');
  assert.equal(specHash(container({ env: [{ name: 'A', value: '1' }], mounts: [tmpfs('/tmp', '1Mi')], resources: { cpu: '500m', memory: '64Mi' } })), 'ed0f111643fedb09e2a938a7ff1f5be368011c581847ef5fd8aea216fcf154f5');
});

test('changes name the field and both values', () => {
  const before = container({ resources: { memory: '64Mi' }, mounts: [tmpfs('/a')], command: ['sh'] });
  const after = container({ resources: { memory: '1Gi', cpu: 1 }, mounts: [{ ...tmpfs('/a'), readOnly: true }, tmpfs('/b')], command: ['sh'] });
  assert.deepEqual(specChanged(before, after), [
    { field: 'spec.mounts[/a].readOnly', from: 'false', to: 'true' },
    { field: 'spec.mounts[/b]', from: '(none)', to: '{"idmap":"None","mountPath":"/b","readOnly":false,"recursiveReadOnly":true,"tmpfs":{"mode":"1777","options":[]}}' },
    { field: 'spec.resources.memory', from: '64Mi', to: '1Gi' },
    { field: 'spec.resources.cpu', from: '(none)', to: '1' },
  ]);
});

test('changes never show what may be secret', () => {
  const secret = 'hunter2';
  const before = container({ env: [{ name: 'A', value: secret }, { name: 'B', value: secret }], args: ['--password', secret] });
  const after = container({ env: [{ name: 'A', value: `${secret}!` }, { name: 'C', value: secret }], args: [secret], command: [secret] });
  const changes = specChanged(before, after);
  assert.ok(!JSON.stringify([changes, specChanged(after, before)]).includes(secret));
  assert.deepEqual(
    changes.toSorted((a, b) => (a.field < b.field ? -1 : 1)),
    [
      { field: 'spec.args', from: '(changed)', to: '(changed)' },
      { field: 'spec.command', from: '(none)', to: '(set)' },
      { field: 'spec.env[A]', from: '(changed)', to: '(changed)' },
      { field: 'spec.env[B]', from: '(set)', to: '(none)' },
      { field: 'spec.env[C]', from: '(none)', to: '(set)' },
    ],
  );
});
