import assert from 'node:assert/strict';
import { readlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { onNode } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';

test(
  "a pod's file: its containers share a network and an emptyDir, its hostPort is open, and all of it goes with the file",
  onNode(async (node) => {
    const port = await freePort();
    const env = (name: string): string => `env: [{name: MOORING_TEST, value: "${node.instance}/${name}"}]`;
    await node.write(
      'pod.yaml',
      `apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  terminationGracePeriodSeconds: 0
  volumes: [{name: www, emptyDir: {}}]
  containers:
    - name: app
      image: mooring.local/busybox:latest
      command: [httpd, -f, -p, "8000", -h, /www]
      livenessProbe: {httpGet: {port: 8000}, periodSeconds: 1}
      resources: {requests: {memory: 1Mi}}
      ports: [{containerPort: 8000, hostPort: ${port}}]
      volumeMounts: [{name: www, mountPath: /www, readOnly: true}]
      ${env('app')}
    - name: side
      image: mooring.local/busybox:latest
      args: [sh, -c, "hostname > /www/index.html; exec sleep 100000"]
      volumeMounts: [{name: www, mountPath: /www}]
      securityContext: {capabilities: {drop: [ALL]}}
      ${env('side')}
`,
    );
    await node.start();
    const page = await until('the page is there', async () => {
      const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2_000) });
      return response.status === 200 && response.text();
    });
    assert.equal(page, 'web\n', "what one wrote, the other serves: the pod's host name");
    const [app, side] = [await node.running('app'), await node.running('side')];
    assert.equal(await readlink(`/proc/${app}/ns/net`), await readlink(`/proc/${side}/ns/net`));
    assert.notEqual(await readlink(`/proc/${app}/ns/mnt`), await readlink(`/proc/${side}/ns/mnt`));
    const told = /^warning \S*pod\.yaml:12:30: spec\.containers\[0\]\.resources\.requests\.memory: is not kept free/m;
    assert.match((await node.mooring('get')).stderr, new RegExp(`Accepted, but not done:\n${told.source.slice(1)}`));
    const plan = await node.mooring('plan', '-f', join(node.specs, 'pod.yaml'));
    assert.equal(plan.code, 0);
    assert.match(plan.stderr, told);
    assert.match(plan.stdout, /3 unchanged/);
    await node.remove('pod.yaml');
    await node.gone('app');
    await node.gone('side');
    await until('the emptyDir is gone', async () => !(await node.mooring('volume', 'ls', '-o', 'json')).stdout.includes('web-www'));
  }),
);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}
