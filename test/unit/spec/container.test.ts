import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Container } from '../../../src/spec/container.ts';
import { parseDocuments } from '../../../src/spec/parse.ts';

const corpus = join(import.meta.dirname, '../../corpus/good');

async function only(file: string): Promise<Container> {
  const { documents, problems } = parseDocuments(await readFile(join(corpus, file)), file);
  assert.deepEqual(problems, []);
  assert.equal(documents.length, 1);
  const [document] = documents;
  assert.ok(document?.resource.kind === 'Container');
  return document.resource;
}

test('defaults', async () => {
  assert.deepEqual(await only('minimal.yaml'), {
    apiVersion: 'mooring.dev/v1alpha1',
    kind: 'Container',
    metadata: { name: 'web', namespace: 'default', labels: {}, annotations: {} },
    spec: {
      image: 'mooring.local/busybox:latest',
      imagePullSecrets: [],
      env: [],
      envFrom: [],
      supplementalGroups: [],
      umask: '0022',
      hostnameFrom: 'Name',
      tty: false,
      stdin: false,
      stdinOnce: false,
      init: false,
      logging: { mode: 'Block', maxSize: '10Mi', maxFiles: 3 },
      mounts: [],
      ports: [],
      resources: {},
      pause: false,
      autoRemove: false,
      restartPolicy: 'Always',
      restartBackoff: { initial: '10s', max: '5m', resetAfter: '10m' },
      drift: { policy: 'Correct' },
      dependsOn: [],
      stopSignal: 'SIGTERM',
      stopTimeoutSeconds: 10,
      readOnlyRootFilesystem: false,
      capabilities: { add: [], drop: [] },
      privileged: false,
      devices: [],
      deviceCgroupRules: [],
      namespaces: { pid: 'Private', ipc: 'Private', uts: 'Private', cgroup: 'Private' },
      seccompProfile: { type: 'RuntimeDefault' },
      sysctls: [],
      ulimits: [],
      oomScoreAdj: 0,
      shmSize: '64Mi',
      network: { mode: 'None', networks: [], links: [], dns: { servers: [], searches: [], options: [] }, extraHosts: [], bandwidth: {} },
      suspend: false,
    },
  });
});

test('what a cluster adds is left out', async () => {
  const { metadata, ...document } = await only('kubectl-get.yaml');
  assert.deepEqual(Object.keys(metadata).toSorted(), ['annotations', 'labels', 'name', 'namespace']);
  assert.deepEqual(Object.keys(document).toSorted(), ['apiVersion', 'kind', 'spec']);
});

test('nulls are fields left out', async () => {
  const { spec, metadata } = await only('nulls.yaml');
  assert.equal(spec.command, undefined);
  assert.deepEqual([spec.env, spec.resources, metadata.labels], [[], {}, {}]);
  assert.equal(spec.restartBackoff.initial, '10s');
});

test('signals and capabilities come out in one form', async () => {
  const { spec } = await only('everything.yaml');
  assert.equal(spec.stopSignal, 'SIGRTMIN+3');
  assert.deepEqual(spec.capabilities, { add: ['CAP_NET_ADMIN', 'CAP_SYS_TIME'], drop: ['ALL'] });
  assert.equal(spec.hostname, 'everything.example');
});

test("YAML 1.2: words of YAML 1.1's booleans, times and dates are strings", async () => {
  const { spec, metadata } = await only('yaml-1.2.yaml');
  assert.deepEqual(spec.args, ['yes', 'no', 'on', 'off', '12:30:45', '2026-01-02']);
  assert.deepEqual(metadata.labels, { on: 'no', yes: 'off', country: 'NO' });
});

test('aliases stand for what their anchors mark', async () => {
  const { spec } = await only('anchors.yaml');
  assert.deepEqual(spec.args, spec.command);
  assert.deepEqual(spec.env, [
    { name: 'A', value: 'x' },
    { name: 'B', value: 'x' },
  ]);
});
