import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onNode, type TestNode } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';

const SLEEPS = 'touch /well; exec sleep 100000';

/** Settles once the condition `Healthy` has that reason; its message. */
async function health(node: TestNode, reason: string): Promise<string> {
  return until(`app is ${reason}`, async () => {
    const condition = (await node.get('app')).status.conditions.find(({ type }) => type === 'Healthy');
    return condition?.reason === reason && condition.message;
  });
}

test('probes run in the container, tell how it is, and are told of', onNode(async (node) => {
  const check = 'healthcheck: {command: [sh, -c, "cat /well 2>/dev/null && echo fine || { echo gone; exit 3; }"], interval: 100ms, retries: 2}';
  await node.write('app.yaml', node.container('app', SLEEPS, check));
  await node.start();
  const pid = await node.running('app');
  await health(node, 'Healthy');
  assert.equal((await node.mooring('exec', 'app', 'rm', '/well')).code, 0);
  assert.match(await health(node, 'Unhealthy'), /probes in a row failed, the last with exit code 3: [^]*gone$/);
  assert.equal((await node.mooring('exec', 'app', 'touch', '/well')).code, 0);
  await health(node, 'Healthy');
  const told = (await node.events('app')).map(({ reason }) => reason);
  assert.ok(told.includes('Unhealthy') && told.filter((reason) => reason === 'Healthy').length > 0, told.join(' '));
  assert.equal(await node.running('app'), pid, 'its health restarts nothing');
}));

test('a probe that takes too long is killed, and has failed', onNode(async (node) => {
  await node.write('app.yaml', node.container('app', SLEEPS, 'healthcheck: {command: [sleep, "1000"], interval: 50ms, timeout: 200ms, retries: 2}'));
  await node.start();
  assert.match(await health(node, 'Unhealthy'), /Health check exceeded timeout \(0\.2s\)/);
  await node.write('app.yaml', node.container('app', SLEEPS));
  await until('no probe is left', async () => (await node.processes('app')).length === 1);
  await until('nothing is told of its health', async () => (await node.get('app')).status.conditions.every(({ type }) => type !== 'Healthy'));
}));

test("an image's own health check is made, and a program that it lacks is a failure", onNode(async (node) => {
  await node.write('app.yaml', node.container('app', SLEEPS));
  await node.start();
  await node.running('app');
  const commit = await node.mooring('commit', '-c', 'HEALTHCHECK --interval=100ms --retries=1 CMD test -f /well', 'app', 'example/checked:1');
  assert.equal(commit.code, 0, commit.stderr);
  const checked = (more = ''): string => node.container('app', SLEEPS, more).replace('mooring.local/busybox:latest', 'example/checked:1').replace('spec:\n', 'spec:\n  imagePullPolicy: Never\n');
  await node.write('app.yaml', checked());
  await health(node, 'Healthy');
  await node.write('app.yaml', checked('healthcheck: {command: [no-such-program]}'));
  assert.match(await health(node, 'Unhealthy'), /exit code 127: .*no-such-program/);
}));
