import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConnectError, request } from '../../../src/cli/http/request.ts';
import { fakeDaemon } from './fake-daemon.ts';

async function bodyOf(body: AsyncIterable<Buffer>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(body)).toString('utf8');
}

test('a chunked body is joined, whatever the pieces it comes in', async () => {
  const reply = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;note=x\r\nhallo\r\nC\r\n, wörld\r\n!\n\r\n0\r\nX-Trailer: y\r\n\r\n';
  for (const size of [1, 2, 7, 1000]) {
    const bytes = Buffer.from(reply);
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
    await using daemon = await fakeDaemon(...pieces);
    const response = await request(daemon.socket, { method: 'GET', path: '/' });
    assert.equal(response.status, 200);
    assert.equal(await bodyOf(response.body), 'hallo, wörld\r\n!\n');
  }
});

test('1xx responses are passed over, and header names are found in any case', async () => {
  await using daemon = await fakeDaemon('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nCONTENT-LENGTH:  2 \r\n\r\nno and what is beyond');
  const response = await request(daemon.socket, { method: 'GET', path: '/' });
  assert.equal(response.status, 404);
  assert.equal(await bodyOf(response.body), 'no');
});

test('without a length the body ends with the connection', async () => {
  await using daemon = await fakeDaemon('HTTP/1.1 200 OK\r\n\r\n', 'to the ', 'end');
  const response = await request(daemon.socket, { method: 'GET', path: '/' });
  assert.equal(await bodyOf(response.body), 'to the end');
});

test('a body that is cut off is an error, not a shorter body', async () => {
  for (const reply of ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive!', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhallo\r\n']) {
    await using daemon = await fakeDaemon(reply);
    const response = await request(daemon.socket, { method: 'GET', path: '/' });
    await assert.rejects(bodyOf(response.body), /ended in the middle/);
  }
});

test('what is not HTTP is an error that shows it', async () => {
  await using daemon = await fakeDaemon('SSH-2.0-OpenSSH_9.2\r\n');
  await assert.rejects(request(daemon.socket, { method: 'GET', path: '/' }), /not an HTTP response: "SSH-2.0/);
});

test('a chunk size that is no number is an error', async () => {
  await using daemon = await fakeDaemon('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n');
  const response = await request(daemon.socket, { method: 'GET', path: '/' });
  await assert.rejects(bodyOf(response.body), /malformed chunk size/);
});

test('nobody listening is a ConnectError', async () => {
  await assert.rejects(request('/nonexistent/mooring.sock', { method: 'GET', path: '/' }), ConnectError);
});

test('an abort ends a body that would never end', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-cli-'));
  const server = createHttpServer((_, response) => response.write('first'));
  server.listen(join(folder, 'sock'));
  await once(server, 'listening');
  const abort = new AbortController();
  const response = await request(join(folder, 'sock'), { method: 'GET', path: '/', signal: abort.signal });
  await assert.rejects(async () => {
    for await (const bytes of response.body) {
      assert.equal(bytes.toString(), 'first');
      abort.abort();
    }
  });
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

test('a large body goes up whole to a real HTTP server, and its echo comes back whole', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-cli-'));
  const server = createHttpServer((incoming, response) => void incoming.pipe(response));
  server.listen(join(folder, 'sock'));
  await once(server, 'listening');
  const content = Buffer.alloc(5_000_000, 'mooring ');
  const response = await request(join(folder, 'sock'), { method: 'POST', path: '/', body: { type: 'text/plain', content } });
  assert.ok(Buffer.concat(await Array.fromAsync(response.body)).equals(content));
  server.close();
  await rm(folder, { recursive: true });
});
