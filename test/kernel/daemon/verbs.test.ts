import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { onNode, type TestNode } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';

/** What is asked of single containers is asked through the Docker API here, which has a word for each of the reconciler's verbs. */

interface Answer {
  readonly status: number;
  readonly body: { readonly Id?: string; readonly StatusCode?: number; readonly message?: string; readonly State?: { readonly Status: string; readonly ExitCode: number }; readonly RestartCount?: number };
}

async function docker(node: TestNode, method: string, path: string, body?: unknown): Promise<Answer> {
  const call = request({ socketPath: join(node.runDir, 'docker.sock'), method, path, headers: { 'content-type': 'application/json' } });
  call.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  const answer = await text(response);
  return { status: response.statusCode ?? 0, body: answer === '' ? {} : (JSON.parse(answer) as Answer['body']) };
}

/** The body of a create: a shell script in busybox that the test knows by its environment. */
function script(node: TestNode, name: string, line: string, more: Record<string, unknown> = {}): unknown {
  return { Image: 'mooring.local/busybox:latest', Cmd: ['sh', '-c', line], Env: [node.mark(name)], ...more };
}

const stateOf = async (node: TestNode, name: string): Promise<string | undefined> => (await docker(node, 'GET', `/containers/${name}/json`)).body.State?.Status;

test('what is created waits, what is started runs, what is stopped stays so, and what a file wants comes back', onNode(async (node) => {
  await node.write('kept.yaml', node.sleeper('kept'));
  await node.start();
  const created = await docker(node, 'POST', '/containers/create?name=app', script(node, 'app', 'exec sleep 100000', { StopSignal: 'SIGKILL' }));
  assert.equal(created.status, 201, created.body.message);
  assert.equal(await stateOf(node, 'app'), 'created');
  assert.deepEqual(await node.processes('app'), []);
  assert.equal((await docker(node, 'POST', '/containers/app/start')).status, 204);
  await node.running('app');
  assert.equal((await docker(node, 'POST', '/containers/app/stop')).status, 204);
  assert.deepEqual(await node.processes('app'), []);
  assert.equal((await docker(node, 'POST', '/containers/app/stop')).status, 304);
  await node.end('SIGKILL');
  await node.start();
  assert.deepEqual([await stateOf(node, 'app'), await node.processes('app')], ['exited', []]);
  assert.equal((await docker(node, 'POST', '/containers/app/start')).status, 204);
  const pid = await node.running('app');
  assert.equal((await docker(node, 'GET', '/containers/app/json')).body.Id, created.body.Id, 'it is the same container');

  const kept = await node.running('kept');
  assert.equal((await docker(node, 'POST', '/containers/kept/stop')).status, 204);
  await node.running('kept', [kept]);
  await until('it is told why', async () => (await node.events('kept')).some(({ reason, message }) => reason === 'Started' && /Mooring stopped it .* and it is wanted running/.test(message)));
  assert.equal((await node.get('kept')).status.restartCount, 0);
  assert.deepEqual(await node.processes('app'), [pid]);
}));

test('a daemon that is killed in the middle of a stop goes on with it, with the grace that was given', onNode(async (node) => {
  await node.start();
  const deaf = script(node, 'app', 'trap "" TERM; while :; do sleep 1; done', { StopTimeout: 3600 });
  assert.equal((await docker(node, 'POST', '/containers/create?name=app', deaf)).status, 201);
  assert.equal((await docker(node, 'POST', '/containers/app/start')).status, 204);
  await until('it ignores the signal', async () => (await node.mooring('exec', 'app', 'sh', '-c', 'grep -q "^SigIgn:.*4...$" /proc/1/status')).code === 0);
  const stopping = docker(node, 'POST', '/containers/app/stop?t=4').catch((error: unknown) => error);
  await until('the signal was sent', async () => (await node.events('app')).some(({ reason }) => reason === 'Stopping'));
  await node.end('SIGKILL');
  assert.ok((await stopping) instanceof Error);
  assert.ok((await node.processes('app')).length > 0, 'it outlives the daemon');
  await node.start();
  await node.gone('app');
  await until('it has ended for the API, too', async () => (await stateOf(node, 'app')) === 'exited');
}));

test('a run of a container that goes with its end leaves nothing, and its exit code is told', onNode(async (node) => {
  await node.start();
  const { status } = await docker(node, 'POST', '/containers/create?name=job', script(node, 'job', 'exit 7', { HostConfig: { AutoRemove: true } }));
  assert.equal(status, 201);
  const waiting = docker(node, 'POST', '/containers/job/wait?condition=removed');
  assert.equal((await docker(node, 'POST', '/containers/job/start')).status, 204);
  assert.equal((await waiting).body.StatusCode, 7);
  assert.equal((await docker(node, 'GET', '/containers/job/json')).status, 404);
  await until('its folder is gone', async () => (await readdir(join(node.dataDir, 'containers'))).length === 0);
}));

test('a failing job is run again as often as it may be, and no more', onNode(async (node) => {
  await node.start();
  const policy = { HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } } };
  assert.equal((await docker(node, 'POST', '/containers/create?name=job', script(node, 'job', 'echo x >> /runs; exit 3', policy))).status, 201);
  assert.equal((await docker(node, 'POST', '/containers/job/start')).status, 204);
  await until('it has failed for good', async () => (await docker(node, 'GET', '/containers/job/json')).body.RestartCount === 2 && (await stateOf(node, 'job')) === 'exited');
  assert.equal((await node.mooring('cat', 'job', '/runs')).stdout, 'x\nx\nx\n');
  assert.equal((await docker(node, 'POST', '/containers/job/start')).status, 204);
  await until('it was run anew', async () => (await node.mooring('cat', 'job', '/runs')).stdout === 'x\n'.repeat(6));
}));
