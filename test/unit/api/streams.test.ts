import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../../src/api/v1/server.ts';
import type { ExecReply } from '../../../src/api/v1/types.ts';
import { Client } from '../../../src/cli/client.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import { FakeServices, viewFrom, WEB as WEB_DOCUMENT } from './fake-services.ts';

const WEB = '/v1/containers/default/web';

let folder: string;
let socket: string;
let services: FakeServices;
let server: ApiServer;
let client: Client;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mooring-api-'));
  socket = join(folder, 'mooring.sock');
  services = new FakeServices();
  services.put(viewFrom(WEB_DOCUMENT));
  const { containerID: _none, ...status } = viewFrom(WEB_DOCUMENT).status;
  services.put(viewFrom(WEB_DOCUMENT.replace('name: web', 'name: new'), { status }));
  server = await startApiServer(socket, createLogger('silent'), Promise.resolve(services));
  client = new Client(socket);
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** What comes until it ends so, or until the end of the stream. */
async function read(from: Socket, ending?: string): Promise<string> {
  let text = '';
  for await (const chunk of from as AsyncIterable<Buffer>) {
    text += chunk.toString();
    if (ending !== undefined && text.endsWith(ending)) break;
  }
  return text;
}

test('an attached connection is the stream itself, both ways, until the client hangs up', async () => {
  const stream = new PassThrough();
  services.streams = { ...services.streams, attach: (id) => (assert.equal(id, 'ab'.repeat(32)), Promise.resolve(stream)) };
  const connection = await client.attach(`${WEB}/attach`);
  connection.write('there and back');
  assert.equal(await read(connection, 'back'), 'there and back');
  connection.destroy();
  await once(stream, 'close');
});

test('what is sent along with the request is not lost', async () => {
  const raw = connect(socket);
  raw.write(`POST ${WEB}/attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: mooring-attach\r\n\r\nearly`);
  assert.match(await read(raw, 'early'), /^HTTP\/1\.1 101 .*\r\n\r\nearly$/s);
});

test('the end of the stream, and of the server, end the connection', async () => {
  const stream = new PassThrough();
  services.streams = { ...services.streams, attach: () => Promise.resolve(stream) };
  const first = await client.attach(`${WEB}/attach`);
  stream.end('last words');
  assert.equal(await read(first), 'last words');

  services.streams = { ...services.streams, attach: () => Promise.resolve(new PassThrough()) };
  const second = await client.attach(`${WEB}/attach`);
  await server.close();
  assert.equal(await read(second), '');
});

test('what can not be attached to answers as any other request', async () => {
  await assert.rejects(client.attach('/v1/containers/default/nobody/attach'), { code: 'NotFound' });
  await assert.rejects(client.attach('/v1/containers/default/new/attach'), { code: 'Conflict' });
  await assert.rejects(client.attach(`${WEB}/exec/a1/attach`), { code: 'NotFound', message: 'it has ended' });
  await assert.rejects(client.attach('/v1/nothing'), { code: 'NotFound' });
  await assert.rejects(client.send(`${WEB}/attach`, {}), { code: 'Invalid', message: /is to be had with "Connection: Upgrade"/ });
});

test('exec: the id to attach to, or what a shell would exit with', async () => {
  assert.deepEqual(await client.send<ExecReply>(`${WEB}/exec`, { command: ['sh'] }), { kind: 'Exec', id: 'a1', pid: 42 });
  assert.deepEqual(await client.send<ExecReply>(`${WEB}/exec`, { command: ['none'] }), { kind: 'Exec', exitCode: 127, message: 'exec: "none": not found' });
  for (const bad of [{}, { command: [] }, { command: 'sh' }, { command: ['a\0'] }, { command: ['sh'], tty: 1 }, { command: ['sh'], env: [{ name: 'A=', value: 'b' }] }, { command: ['sh'], workingDir: 'tmp' }, { command: ['sh'], user: 5 }, []]) {
    await assert.rejects(client.send(`${WEB}/exec`, bad), { code: 'Invalid', message: /^a process to run has the shape/ }, JSON.stringify(bad));
  }
});
