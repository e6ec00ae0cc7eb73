import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { onNode, type TestNode } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';

/** Settles once the condition `Ready` has that status; its message. */
function ready(node: TestNode, name: string, status: 'True' | 'False'): Promise<string> {
  return until(`${name} is ${status === 'True' ? '' : 'not '}ready`, async () => {
    const condition = (await node.get(name)).status.conditions.find(({ type }) => type === 'Ready');
    return condition?.status === status && condition.message;
  });
}

test('probes by HTTP and TCP reach a container in its own network and on the node\'s; readiness follows them, and restarts nothing', onNode(async (node) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const page = 'mkdir -p /www; (sleep 1; echo well > /www/well.html) & exec httpd -f -p 8000 -h /www';
  await node.write('page.yaml', node.container('page', page, 'network: {mode: Bridge}\nreadinessProbe: {httpGet: {port: 8000, path: /well.html}, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 1}'));
  await node.write('plain.yaml', node.sleeper('plain', `network: {mode: Host}\nreadinessProbe: {tcpSocket: {port: ${port}}, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 1}`));
  await node.write('none.yaml', node.sleeper('none', 'readinessProbe: {tcpSocket: {port: 80}}'));
  await node.start();
  await ready(node, 'page', 'True');
  await ready(node, 'plain', 'True');
  assert.match((await node.mooring('get')).stderr, /none\.yaml\S* spec\.readinessProbe\.tcpSocket: there is no address to reach it at in network mode None/);
  const pids = [await node.processes('page'), await node.processes('plain')];
  server.close();
  assert.equal((await node.mooring('exec', 'page', 'rm', '/www/well.html')).code, 0);
  assert.match(await ready(node, 'page', 'False'), /its readiness probe: \d+ probes in a row failed.*GET http:\/\/\S+:8000\/well\.html was answered with status 404/);
  assert.match(await ready(node, 'plain', 'False'), /ECONNREFUSED/);
  assert.deepEqual([await node.processes('page'), await node.processes('plain')], pids);
}));

test('liveness and a health check that says so restart what hangs, with the reason told', onNode(async (node) => {
  const script = 'touch /well; exec sleep 100000';
  await node.write('live.yaml', node.container('live', script, 'livenessProbe: {exec: {command: [test, -f, /well]}, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 2}'));
  await node.write('well.yaml', node.container('well', script, 'healthcheck: {command: [test, -f, /well], interval: 200ms, retries: 5, onFailure: Restart}'));
  await node.write('other.yaml', node.sleeper('other'));
  await node.start();
  const [live, well, other] = [await node.running('live'), await node.running('well'), await node.running('other')];
  for (const name of ['live', 'well']) {
    await until(`${name} has begun`, async () => (await node.mooring('exec', name, 'test', '-f', '/well')).code === 0);
    assert.equal((await node.mooring('exec', name, 'rm', '/well')).code, 0);
  }
  await node.running('live', [live]);
  await node.running('well', [well]);
  assert.equal(await node.running('other'), other);
  for (const [name, why] of [['live', /its liveness probe: \d+ probes in a row failed/], ['well', /its health check: \d+ probes in a row failed/]] as const) {
    assert.ok((await node.events(name)).some(({ reason, message }) => reason === 'Stopping' && why.test(message)), `${name} was told of`);
    assert.ok((await node.get(name)).status.restartCount >= 1);
  }
}));

test('a probe by gRPC asks a real server of the health checking protocol', onNode(async (node) => {
  const folder = join(node.root, 'containerd');
  await mkdir(folder);
  const socket = join(folder, 'containerd.sock');
  await writeFile(join(folder, 'config.toml'), `version = 2\nroot = "${folder}/root"\nstate = "${folder}/state"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "${socket}"\n[ttrpc]\n  address = "${socket}.ttrpc"\n`);
  const containerd = spawn('containerd', ['--config', join(folder, 'config.toml')], { stdio: 'ignore' });
  const ended = once(containerd, 'exit');
  // It listens on a socket of its own kind; a probe comes by TCP.
  const front = createServer((client) => {
    const back = connect(socket);
    for (const [from, to] of [[client, back], [back, client]] as const) from.on('error', () => to.destroy()).pipe(to);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  const { port } = front.address() as AddressInfo;
  try {
    const probed = (name: string, service: string): string => node.sleeper(name, `network: {mode: Host}\nreadinessProbe: {grpc: {port: ${port}, service: "${service}"}, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 1}`);
    await node.write('app.yaml', probed('app', ''));
    await node.write('lost.yaml', probed('lost', 'no.such.Service'));
    await node.start();
    await ready(node, 'app', 'True');
    assert.match(await until('the service is not known', async () => (await ready(node, 'lost', 'False')).includes('gRPC') && ready(node, 'lost', 'False')), /it knows no such service: gRPC status 5/);
    containerd.kill('SIGTERM');
    await ended;
    await ready(node, 'app', 'False');
  } finally {
    containerd.kill('SIGKILL');
    await ended;
    front.close();
  }
}));
