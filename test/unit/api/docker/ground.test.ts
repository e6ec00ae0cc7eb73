import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pino } from 'pino';
import { z } from 'zod';
import { readJson } from '../../../../src/api/docker/call.ts';
import { dockerFace } from '../../../../src/api/docker/face.ts';
import { parseFilters } from '../../../../src/api/docker/filters.ts';
import { hijack } from '../../../../src/api/docker/hijack.ts';
import { sendObjects } from '../../../../src/api/docker/json-stream.ts';
import { Query } from '../../../../src/api/docker/query.ts';
import { readOnly } from '../../../../src/api/docker/read-only.ts';
import { refusedRoutes } from '../../../../src/api/docker/refused-routes.ts';
import type { DockerRoute } from '../../../../src/api/docker/route.ts';
import { frame } from '../../../../src/api/stdcopy.ts';
import { systemRoutes } from '../../../../src/api/docker/system-routes.ts';
import { type SocketServer, startSocketServer } from '../../../../src/api/socket-server.ts';
import { createLogger } from '../../../../src/lib/logger.ts';
import { MooringError } from '../../../../src/lib/errors.ts';
import { FakeServices } from '../fake-services.ts';
import { sendJson } from '../../../../src/api/reply.ts';
import { takeBody } from '../../../../src/api/request-body.ts';
import { until } from '../../../support/until.ts';

/** Says on the connection what the body was, then echoes until the client's side ends, and says that, too. */
const echo: DockerRoute = {
  method: 'POST',
  path: '/exec/:id/start',
  handle: async (call) => {
    const { Tty } = await readJson(call, z.object({ Tty: z.boolean().default(false) }));
    const { input, output } = hijack(call);
    output.write(`tty=${Tty};`);
    for await (const piece of input) output.write(piece);
    output.end('|end');
  },
};
const routes: readonly DockerRoute[] = [
  ...systemRoutes.filter(({ path }) => path === '/_ping'),
  ...refusedRoutes,
  echo,
  { method: 'GET', path: '/images/:name/json', handle: (call) => sendJson(call, { name: call.params['name'], version: call.version }) },
  {
    method: 'POST',
    path: '/build',
    handle: async (call) => {
      let size = 0;
      await takeBody(call, async (content) => {
        for await (const piece of content) size += piece.length;
      });
      sendJson(call, { size });
    },
  },
  {
    method: 'GET',
    path: '/events',
    handle: (call) =>
      sendObjects(
        call,
        (async function* () {
          yield { id: 1 };
          throw new MooringError('Conflict', 'it broke', { fix: 'mend it' });
        })(),
        { separator: '\n' },
      ),
  },
];

let folder: string;
let server: SocketServer;
let path: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mooring-docker-'));
  path = join(folder, 'docker.sock');
  server = await startSocketServer(path, {}, dockerFace(createLogger('silent'), Promise.resolve(new FakeServices()), routes));
});
after(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

function dial(at = path): Socket {
  return connect({ path: at, allowHalfOpen: true });
}

/** Sends one request on a connection of its own, and gives all that comes back. */
async function ask(text: string, options: { readonly end?: boolean; readonly at?: string } = {}): Promise<string> {
  const socket = dial(options.at);
  socket.write(text);
  if (options.end === true) socket.end();
  const pieces: Buffer[] = [];
  for await (const piece of socket as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

/** The last on its connection, unless the headers say otherwise. */
const request = (line: string, headers: readonly string[] = [], body = ''): string =>
  `${[`${line} HTTP/1.1`, 'Host: docker', ...(headers.some((header) => header.startsWith('Connection:')) ? [] : ['Connection: close']), ...headers].join('\r\n')}\r\n\r\n${body}`;
const bodyOf = (reply: string): string => reply.slice(reply.indexOf('\r\n\r\n') + 4);

test('a ping tells the version, and HEAD has no body', async () => {
  const reply = await ask(request('HEAD /_ping'));
  assert.match(reply, /^HTTP\/1.1 200 OK\r\n/);
  for (const header of [/\r\napi-version: 1.41\r\n/i, /\r\nostype: linux\r\n/i, /\r\ndocker-experimental: false\r\n/i, /\r\nbuilder-version: 1\r\n/i]) assert.match(reply, header);
  assert.equal(bodyOf(reply), '');
  assert.equal(bodyOf(await ask(request('GET /v1.24/_ping'))), 'OK');
});

test('paths have a version or none; too old and too new are told in the words that clients know', async () => {
  assert.deepEqual(JSON.parse(bodyOf(await ask(request('GET /v1.30/images/quay.io/a/b/json')))), { name: 'quay.io/a/b', version: 30 });
  assert.deepEqual(JSON.parse(bodyOf(await ask(request('GET /images/busybox/json')))), { name: 'busybox', version: 41 });
  const tooNew = await ask(request('GET /v1.99/images/json'));
  assert.match(tooNew, /^HTTP\/1.1 400 /);
  assert.deepEqual(JSON.parse(bodyOf(tooNew)), { message: 'client version 1.99 is too new. Maximum supported API version is 1.41' });
  assert.match(bodyOf(await ask(request('GET /v1.12/images/json'))), /client version 1.12 is too old. Minimum supported API version is 1.24/);
  assert.match(await ask(request('GET /no/such')), /^HTTP\/1.1 404 [^]*{"message":"page not found"}/);
});

test('what Mooring lacks is refused by name', async () => {
  assert.match(await ask(request('POST /v1.41/swarm/init')), /^HTTP\/1.1 503 [^]*not a swarm manager/);
  assert.match(await ask(request('POST /session', ['Connection: Upgrade, close', 'Upgrade: h2c'])), /^HTTP\/1.1 501 [^]*without BuildKit/);
  assert.equal(bodyOf(await ask(request('GET /plugins'))), '[]\n');
});

test('an upgraded request: its body, then the stream, which a half-close does not end', async () => {
  const body = '{"Tty":true}';
  const reply = await ask(request('POST /exec/1/start', ['Connection: Upgrade', 'Upgrade: tcp', 'Content-Type: application/json', `Content-Length: ${body.length}`], `${body}typed ahead`), { end: true });
  assert.match(reply, /^HTTP\/1.1 101 UPGRADED\r\nContent-Type: application\/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n/);
  assert.equal(bodyOf(reply), 'tty=true;typed ahead|end');
});

test('an upgraded request whose body comes in pieces, and one that breaks off', async () => {
  const socket = dial();
  socket.write(request('POST /exec/1/start', ['Connection: Upgrade', 'Upgrade: tcp', 'Content-Length: 12'], '{"Tty"'));
  await new Promise((resolve) => setTimeout(resolve, 20));
  socket.end(':true}more');
  const pieces: Buffer[] = [];
  for await (const piece of socket as AsyncIterable<Buffer>) pieces.push(piece);
  assert.equal(bodyOf(Buffer.concat(pieces).toString()), 'tty=true;more|end');
  assert.match(await ask(request('POST /exec/1/start', ['Connection: Upgrade', 'Upgrade: tcp', 'Content-Length: 100'], '{"Tty"'), { end: true }), /^HTTP\/1.1 400 [^]*connection ended/);
});

test('a plain request gives its connection over, too: raw, or its chunks', async () => {
  const socket = dial();
  socket.write(request('POST /exec/1/start', ['Content-Length: 0']));
  const [head] = (await once(socket, 'data')) as [Buffer];
  assert.match(head.toString(), /^HTTP\/1.1 200 OK\r\nContent-Type: application\/vnd.docker.raw-stream\r\n/);
  socket.end('GET / not HTTP');
  const pieces: Buffer[] = [head];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  await once(socket, 'end');
  assert.equal(bodyOf(Buffer.concat(pieces).toString()), 'tty=false;GET / not HTTP|end');
});

test('a reset in the middle of an upgrade harms nobody', async () => {
  for (let round = 0; round < 5; round++) {
    const socket = dial();
    socket.write(request('POST /exec/1/start', ['Connection: Upgrade', 'Upgrade: tcp', 'Content-Length: 12'], '{"Tty":true}'));
    await once(socket, 'data');
    socket.destroy();
  }
  assert.equal(bodyOf(await ask(request('GET /_ping'))), 'OK');
});

test('bad bodies are told as such, and the next request is answered', async () => {
  const post = (body: string, type = 'application/json'): Promise<string> => ask(request('POST /exec/1/start', [`Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(body)}`], body));
  assert.match(await post('{"Tty":'), /^HTTP\/1.1 400 [^]*invalid JSON/);
  assert.match(await post('{"Tty":"yes"}'), /^HTTP\/1.1 400 [^]*Tty/);
  assert.match(await post('{}', 'text/plain'), /^HTTP\/1.1 400 [^]*must be 'application\/json'/);
  assert.match(await post('x'.repeat(5_000_000)), /^HTTP\/1.1 413 /);
  assert.match(await ask('GARBAGE\r\n\r\n'), /^HTTP\/1.1 400 /);
  assert.match(await ask(request('POST /build', ['Transfer-Encoding: chunked'], '3\r\nabc\r\n0\r\n\r\n')), /{"size":3}/);
});

test('a refusal that comes before the body is still read by who sends the body, and the connection goes on', async () => {
  const socket = dial();
  const arrived: Buffer[] = [];
  socket.on('data', (piece: Buffer) => arrived.push(piece));
  const said = (): string => Buffer.concat(arrived).toString();
  socket.write(request('POST /no/such', ['Connection: keep-alive', 'Content-Length: 6']));
  while (!said().includes('page not found')) await once(socket, 'data');
  socket.write('late\r\n');
  socket.write(request('GET /_ping'));
  await once(socket, 'end');
  assert.match(said(), /^HTTP\/1.1 404 [^]*HTTP\/1.1 200 OK[^]*OK$/);
  socket.destroy();
});

test('what fails in the middle of a stream is its last object', async () => {
  const reply = await ask(request('GET /events'));
  assert.match(reply, /{"id":1}\n/);
  assert.match(reply, /{"errorDetail":{"message":"it broke; mend it"},"error":"it broke; mend it"}\n/);
});

test('queries as Go and Python write them', () => {
  const query = new Query(new URLSearchParams('a=1&b=False&c=True&d=0&e=&limit=-1&bad=x&args={"A":"1","B":null}'));
  assert.deepEqual(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => query.flag(name)), [true, false, true, false, false, false]);
  assert.equal(query.flag('f', true), true);
  assert.equal(query.number('limit'), -1);
  assert.throws(() => query.number('bad'), { status: 400 });
  assert.deepEqual([...query.map('args')], [['A', '1'], ['B', null]]);
});

test('filters in both forms', () => {
  const map = parseFilters({ label: { 'a=b': true, c: true, d: false }, name: { '^web': true } }, ['label', 'name']);
  const list = parseFilters({ label: ['a=b', 'c'], dangling: ['true'] }, ['label', 'dangling']);
  for (const filters of [map, list]) {
    assert.equal(filters.haveLabels({ a: 'b', c: '' }), true);
    assert.equal(filters.haveLabels({ a: 'b' }), false);
  }
  assert.equal(list.flag('dangling'), true);
  assert.deepEqual(['web1', 'my-web'].map((name) => map.isIn('name', name)), [true, false]);
  assert.equal(parseFilters({ name: ['^/web.*end$'] }, ['name']).isIn('name', '/web-b-end'), true);
  assert.throws(() => parseFilters({ nosuch: ['1'] }, ['name']), { status: 400, message: "Invalid filter 'nosuch'" });
  assert.throws(() => parseFilters([], []), { status: 400 });
  assert.throws(() => parseFilters({ name: 3 }, ['name']), { status: 400 });
});

test('a frame is the stream, the length and the piece', () => {
  assert.equal(frame('stdout', Buffer.from('hi\n')).toString('hex'), '010000000000000368690a');
  assert.equal(frame('stderr', Buffer.alloc(0)).toString('hex'), '0200000000000000');
});

test('a client that keeps its side open after a refusal does not keep the server', async () => {
  const own = join(folder, 'own.sock');
  const other = await startSocketServer(own, {}, dockerFace(createLogger('silent'), Promise.resolve(new FakeServices()), routes));
  const socket = connect({ path: own, allowHalfOpen: true });
  socket.on('error', () => {});
  socket.write(request('POST /exec/1/start', ['Connection: Upgrade', 'Upgrade: tcp', 'Content-Length: 5'], 'bytes and more'));
  const [reply] = (await once(socket, 'data')) as [Buffer];
  assert.match(reply.toString(), /^HTTP\/1.1 400 /);
  const silent = connect({ path: own, allowHalfOpen: true });
  silent.on('error', () => {});
  silent.write(request('POST /exec/1/start', ['Connection: Upgrade', 'Upgrade: tcp']));
  await once(silent, 'data');
  await other.close();
  for (const each of [socket, silent]) each.destroy();
});

test('a read-only socket answers what is read, and refuses all else', async () => {
  const own = join(folder, 'ro.sock');
  const other = await startSocketServer(own, {}, readOnly(dockerFace(createLogger('silent'), Promise.resolve(new FakeServices()), routes)));
  try {
    assert.equal(bodyOf(await ask(request('GET /_ping', ['Connection: close']), { at: own })), 'OK');
    for (const line of ['POST /exec/1/start', 'DELETE /images/a/b', 'PUT /v1.41/containers/x/archive', 'GET /containers/x/attach/ws']) {
      assert.match(await ask(request(line, ['Connection: Upgrade, close', 'Upgrade: tcp', 'Content-Length: 0']), { at: own }), /^HTTP\/1.1 403 [^]*read-only/, line);
    }
  } finally {
    await other.close();
  }
});

test("a request that its client left is no error of the daemon's, and one that failed is", async () => {
  const lines: { readonly level: number; readonly request: string }[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) });
  const broken: DockerRoute = { method: 'GET', path: '/broken', handle: () => Promise.reject(new Error('a bug')) };
  const at = join(folder, 'left.sock');
  const own = await startSocketServer(at, {}, dockerFace(logger, Promise.resolve(new FakeServices()), [...routes, broken]));
  try {
    const leaving = dial(at);
    await new Promise<void>((resolve) => leaving.write(request('POST /build', ['Content-Length: 100'], 'the beginning'), () => resolve()));
    leaving.destroy();
    assert.match(await ask(request('GET /broken'), { at }), /^HTTP\/1.1 500 /);
    await until('both have been told of', () => lines.length >= 2);
    assert.deepEqual(new Map(lines.map(({ request: what, level }) => [what, level])), new Map([['POST /build', 20], ['GET /broken', 50]]));
  } finally {
    await own.close();
  }
});
