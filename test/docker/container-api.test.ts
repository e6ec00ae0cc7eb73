import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { buffer, json, text } from 'node:stream/consumers';
import test from 'node:test';
import { onNode, type TestNode } from '../support/daemon.ts';
import { until } from '../support/until.ts';
import { encodeFrame } from '../../src/api/docker/websocket.ts';

const IMAGE = 'mooring.local/busybox:latest';

function call(node: TestNode, method: string, path: string, body?: unknown): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const sent = request({ socketPath: `${node.runDir}/docker.sock`, method, path: `/v1.41${path}`, headers: { host: 'docker', ...(content !== undefined && { 'content-type': 'application/json' }) } }, resolve);
    sent.once('error', reject);
    sent.end(content);
  });
}

async function status(node: TestNode, method: string, path: string, body?: unknown): Promise<number> {
  const reply = await call(node, method, path, body);
  await buffer(reply);
  return reply.statusCode ?? 0;
}

async function create(node: TestNode, name: string, script: string, more: object = {}): Promise<string> {
  const reply = await call(node, 'POST', `/containers/create?name=${name}`, { Image: IMAGE, Cmd: ['sh', '-c', script], StopSignal: 'SIGKILL', ...more });
  assert.equal(reply.statusCode, 201, name);
  return ((await json(reply)) as { Id: string }).Id;
}

function upgrade(node: TestNode, method: string, path: string, protocol: string, headers: Readonly<Record<string, string>> = {}): Promise<{ readonly reply: IncomingMessage; readonly socket: Socket; readonly head: Buffer }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: `${node.runDir}/docker.sock`, method, path, headers: { host: 'docker', connection: 'Upgrade', upgrade: protocol, ...headers } });
    sent.once('error', reject).once('upgrade', (reply, socket, head) => resolve({ reply, socket, head }));
    sent.end();
  });
}

test('statuses, waits, frames, statistics and added processes over plain HTTP', onNode(async (node) => {
  await node.start();
  const id = await create(node, 'web', 'read line; echo got $line; echo err >&2; exit 9', { OpenStdin: true, StdinOnce: true });
  assert.equal(await status(node, 'POST', '/containers/nosuch/start'), 404);
  assert.equal(await status(node, 'POST', `/containers/${id}/stop`), 304);
  assert.equal(await status(node, 'POST', `/containers/${id}/kill`), 409);
  assert.equal(await status(node, 'POST', `/containers/${id}/pause`), 409);
  assert.equal(await status(node, 'POST', `/containers/${id}/wait?condition=odd`), 400);
  assert.equal(await status(node, 'GET', `/containers/${id}/logs`), 400);
  assert.equal(await status(node, 'GET', '/containers/json?filters=%7B%22odd%22%3A%5B%22x%22%5D%7D'), 400);
  assert.equal(await status(node, 'POST', '/containers/create?name=web', { Image: IMAGE }), 409);
  assert.equal(await status(node, 'POST', '/containers/create?name=other', { Image: 'nosuch' }), 404);

  // The reply's head comes before the end that is waited for, and the streams before the start.
  const waited = await call(node, 'POST', `/containers/${id}/wait?condition=next-exit`);
  assert.equal(waited.statusCode, 200);
  const { reply, socket, head } = await upgrade(node, 'POST', `/v1.41/containers/${id}/attach?stream=1&stdin=1&stdout=1&stderr=1`, 'tcp');
  assert.equal(reply.headers['content-type'], 'application/vnd.docker.raw-stream');
  assert.equal(head.length, 0);
  assert.equal(await status(node, 'POST', `/containers/${id}/start`), 204);
  assert.equal(await status(node, 'POST', `/containers/${id}/start`), 304);
  socket.end('hello\n');
  assert.deepEqual((await buffer(socket)).toString('latin1'), '\u0001\0\0\0\0\0\0\ngot hello\n\u0002\0\0\0\0\0\0\u0004err\n');
  assert.deepEqual(await json(waited), { StatusCode: 9, Error: null });
  assert.deepEqual(await json(await call(node, 'POST', `/containers/${id}/wait`)), { StatusCode: 9, Error: null });
  const logged = await buffer(await call(node, 'GET', `/containers/${id}/logs?stdout=1`));
  assert.equal(logged.toString('latin1'), '\u0001\0\0\0\0\0\0\ngot hello\n');
  const removed = await call(node, 'POST', `/containers/${id}/wait?condition=removed`);
  assert.equal(await status(node, 'DELETE', `/containers/${id}`), 204);
  assert.deepEqual(await json(removed), { StatusCode: 9, Error: null });

  const server = await create(node, 'server', 'while :; do sleep 0.05; done');
  assert.equal(await status(node, 'POST', `/containers/${server}/start`), 204);
  assert.equal(await status(node, 'DELETE', `/containers/${server}`), 409);
  const stats = (await json(await call(node, 'GET', `/containers/${server}/stats?stream=0`))) as { read: string; preread: string; cpu_stats: { cpu_usage: { total_usage: number }; system_cpu_usage: number; online_cpus: number }; precpu_stats: { cpu_usage: { total_usage: number } }; memory_stats: { usage: number; limit: number }; pids_stats: { current: number } };
  assert.ok(stats.cpu_stats.cpu_usage.total_usage > stats.precpu_stats.cpu_usage.total_usage && stats.precpu_stats.cpu_usage.total_usage > 0);
  assert.ok(stats.cpu_stats.system_cpu_usage > 0 && stats.cpu_stats.online_cpus > 0 && stats.memory_stats.usage > 0 && stats.memory_stats.limit > stats.memory_stats.usage && stats.pids_stats.current > 0);
  const once1 = (await json(await call(node, 'GET', `/containers/${server}/stats?stream=0&one-shot=1`))) as typeof stats;
  assert.equal(once1.precpu_stats.cpu_usage.total_usage, 0);
  const stream = await call(node, 'GET', `/containers/${server}/stats`);
  await once(stream, 'data');
  stream.destroy();

  // How an added process ended is told for a while.
  const { Id: exec } = (await json(await call(node, 'POST', `/containers/${server}/exec`, { Cmd: ['sh', '-c', 'exit 5'] }))) as { Id: string };
  assert.equal(((await json(await call(node, 'GET', `/exec/${exec}/json`))) as { ExitCode: unknown }).ExitCode, null);
  assert.equal(await status(node, 'POST', `/exec/${exec}/start`, { Detach: true }), 200);
  await until('it has ended', async () => {
    const { Running, ExitCode, ContainerID } = (await json(await call(node, 'GET', `/exec/${exec}/json`))) as { Running: boolean; ExitCode: unknown; ContainerID: string };
    assert.equal(ContainerID, server);
    return !Running && ExitCode === 5;
  });
  assert.equal(await status(node, 'POST', `/exec/${exec}/start`, {}), 409);
  assert.equal(await status(node, 'GET', '/exec/nosuch/json'), 404);
  assert.equal(await status(node, 'POST', `/containers/${server}/exec`, { Cmd: [] }), 400);

  // A program that is none leaves the container as it was made.
  const none = await create(node, 'none', '', { Cmd: ['nosuch'] });
  const failed = await call(node, 'POST', `/containers/${none}/start`);
  assert.equal(failed.statusCode, 400);
  assert.match(await text(failed), /exec: \\"nosuch\\": executable file not found in \$PATH/);
  const { State } = (await json(await call(node, 'GET', `/containers/${none}/json`))) as { State: { Status: string; ExitCode: number; Error: string } };
  assert.deepEqual([State.Status, State.ExitCode], ['created', 127]);
  assert.equal(await status(node, 'DELETE', `/containers/${none}`), 204);
  assert.equal(await status(node, 'DELETE', `/containers/${server}?force=1`), 204);
}));

test('a container over a WebSocket', onNode(async (node) => {
  await node.start();
  const id = await create(node, 'talk', 'read line; echo got $line', { OpenStdin: true, StdinOnce: true });
  const { reply, socket } = await upgrade(node, 'GET', `/v1.41/containers/${id}/attach/ws?stream=1&stdin=1&stdout=1`, 'websocket', { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' });
  assert.equal(reply.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  assert.equal(await status(node, 'POST', `/containers/${id}/start`), 204);
  const typed = encodeFrame(2, Buffer.from('words\n'));
  socket.write(Buffer.concat([Buffer.from([typed.readUInt8(0), typed.readUInt8(1) | 0x80, 0, 0, 0, 0]), typed.subarray(2)]));
  const seen = await buffer(socket);
  assert.deepEqual(seen.subarray(0, 12), encodeFrame(2, Buffer.from('got words\n')));
  assert.equal(seen.readUInt8(12), 0x88, 'a close at the end');
  await json(await call(node, 'POST', `/containers/${id}/wait`));
  assert.equal(await status(node, 'DELETE', `/containers/${id}`), 204);
}));
