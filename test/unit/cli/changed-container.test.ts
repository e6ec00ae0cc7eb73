import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerObject } from '../../../src/api/v1/types.ts';
import { type ChangeFlags, changedContainer, namedVolumes, wantsRevision } from '../../../src/cli/run/changed-container.ts';
import { wholeFlags } from '../../../src/cli/run/run-flags.ts';

const here = { environment: { HERE: 'h' }, folder: '/work', readFile: () => Buffer.from('F=1\n') };
const flags = (given: Record<string, unknown>): ChangeFlags => wholeFlags(given);

const request = { Image: 'a:1', Env: ['A=1', 'B=2'], Labels: { x: 'y' }, HostConfig: { Binds: ['/old:/data', '/other:/o'], PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '8000' }] }, Memory: 7 } };
const container = {
  apiVersion: 'mooring.dev/v1alpha1',
  kind: 'Container',
  metadata: { name: 'web', namespace: 'default', labels: { x: 'y' }, annotations: { 'docker.mooring.dev/request': JSON.stringify(request) }, generation: 4 },
  spec: {
    image: 'a:1',
    env: [{ name: 'A', value: '1' }, { name: 'B', value: '2' }],
    ports: [{ containerPort: 80, protocol: 'TCP', hostPort: 8000 }, { containerPort: 53, protocol: 'UDP', hostPort: 53 }],
    mounts: [{ mountPath: '/data', bind: { source: '/old' } }, { mountPath: '/o', bind: { source: '/other' } }],
    stdin: true,
  },
  status: { phase: 'Running' },
} as unknown as ContainerObject;

test('what is at the same name, port or path is replaced, and the rest stays; in the request that is kept, too', () => {
  const changed = changedContainer(container, flags({ image: 'a:2', env: ['A=9', 'B', 'HERE'], envFile: ['f'], publish: ['127.0.0.1:8080:80', '90:90/udp'], volume: ['data:/data:ro', '/new', './rel:/r'] }), here);
  const { metadata, spec } = changed as { metadata: { annotations: Record<string, string>; generation?: number }; spec: Record<string, unknown> };
  assert.deepEqual(spec, {
    image: 'a:2',
    env: [{ name: 'F', value: '1' }, { name: 'A', value: '9' }, { name: 'HERE', value: 'h' }],
    ports: [{ containerPort: 53, protocol: 'UDP', hostPort: 53 }, { containerPort: 80, protocol: 'TCP', hostPort: 8080, hostIP: '127.0.0.1' }, { containerPort: 90, protocol: 'UDP', hostPort: 90 }],
    mounts: [
      { mountPath: '/o', bind: { source: '/other' } },
      { mountPath: '/data', readOnly: true, volume: { name: 'data' } },
      { mountPath: '/r', readOnly: false, bind: { source: '/work/rel', createSource: true } },
      { mountPath: '/new', volume: {} },
    ],
    stdin: true,
  });
  assert.equal(metadata.generation, undefined);
  assert.deepEqual(JSON.parse(metadata.annotations['docker.mooring.dev/request'] ?? ''), {
    ...request,
    Image: 'a:2',
    Env: ['F=1', 'A=9', 'HERE=h'],
    HostConfig: { Memory: 7, Binds: ['/other:/o', 'data:/data:ro', '/work/rel:/r'], PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }], '90/udp': [{ HostIp: '', HostPort: '90' }] } },
  });
});

test('a port of the host that is to be chosen is refused, as is what is no volume', () => {
  for (const given of [{ publish: ['80'] }, { publish: ['8000-8010:80'] }, { volume: ['/a:relative'] }, { volume: ['/a:/b:exec'] }]) assert.throws(() => changedContainer(container, flags(given), here), { code: 'Invalid' });
});

test('only named volumes are made', () => {
  assert.deepEqual(namedVolumes(flags({ volume: ['data:/data', '/srv:/srv', './rel:/r', '/anonymous'] })), ['data']);
  assert.equal(wantsRevision(flags({ memory: '64m' })), false);
  assert.equal(wantsRevision(flags({ image: 'a:2' })), true);
});
