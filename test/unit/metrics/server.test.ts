import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get, request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { startMetricsServer, type MetricsServerOptions } from '../../../src/metrics/server.ts';

const logger = pino({ level: 'silent' });
const page = { render: async () => 'up 1\n', contentType: 'text/plain; version=0.0.4; charset=utf-8' };

async function serve(t: TestContext, options: Partial<MetricsServerOptions> = {}) {
  const server = await startMetricsServer({ host: '127.0.0.1', port: 0, metrics: page, ready: () => true, logger, ...options });
  t.after(() => server.close());
  return server;
}

async function ask(port: number, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<{ status: number; body: string; headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers, method, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    });
    sent.on('error', reject).end();
  });
}

async function tokenFile(t: TestContext, token: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'mooring-token-'));
  t.after(() => rm(dir, { recursive: true }));
  await writeFile(join(dir, 'token'), token);
  return join(dir, 'token');
}

test('serves metrics, health and readiness', async (t) => {
  let ready = false;
  const { port } = await serve(t, { ready: () => ready });
  const metrics = await ask(port, '/metrics?x=1');
  assert.deepEqual([metrics.status, metrics.body, metrics.headers['content-type']], [200, 'up 1\n', page.contentType]);
  assert.equal((await ask(port, '/healthz')).status, 200);
  assert.equal((await ask(port, '/readyz')).status, 503);
  ready = true;
  assert.equal((await ask(port, '/readyz')).status, 200);
  assert.equal((await ask(port, '/nothing')).status, 404);
  const head = await ask(port, '/metrics', {}, 'HEAD');
  assert.deepEqual([head.status, head.body, head.headers['content-length']], [200, '', '5']);
  const post = await ask(port, '/metrics', {}, 'POST');
  assert.deepEqual([post.status, post.headers.allow], [405, 'GET, HEAD']);
});

test('a page that cannot be rendered is an error of the server, which goes on', async (t) => {
  const { port } = await serve(t, { metrics: { ...page, render: async () => Promise.reject(new Error('no page')) } });
  assert.equal((await ask(port, '/metrics')).status, 500);
  assert.equal((await ask(port, '/healthz')).status, 200);
});

test('refuses the names and origins of web pages elsewhere', async (t) => {
  const { port } = await serve(t);
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'LOCALHOST', '[::1]:9476', '192.0.2.7']) assert.equal((await ask(port, '/metrics', { host })).status, 200, host);
  for (const host of [`evil.example:${port}`, 'localhost.evil.example', '127.0.0.1.evil.example']) assert.equal((await ask(port, '/metrics', { host })).status, 403, host);
  assert.equal((await ask(port, '/metrics', { origin: 'http://evil.example' })).status, 403);
  assert.equal((await ask(port, '/metrics', { origin: 'null' })).status, 403);
  assert.equal((await ask(port, '/metrics', { origin: `http://127.0.0.1:${port}` })).status, 200);
});

test('an address that others reach demands a token', async (t) => {
  for (const host of ['0.0.0.0', '::', '192.0.2.7', 'example.org'])
    await assert.rejects(startMetricsServer({ host, port: 0, metrics: page, ready: () => true, logger }), { code: 'Invalid', message: new RegExp(host), fix: /--metrics-token-file/ });
  const file = await tokenFile(t, 's3cret\n');
  const { port } = await serve(t, { host: '0.0.0.0', tokenFile: file });
  assert.equal((await ask(port, '/metrics')).status, 401);
  for (const authorization of ['Bearer wrong', 'Bearer ', 'Basic s3cret', 's3cret']) assert.equal((await ask(port, '/metrics', { authorization })).status, 401, authorization);
  assert.equal((await ask(port, '/metrics', { authorization: 'Bearer s3cret' })).status, 200);
  assert.equal((await ask(port, '/metrics', { authorization: 'Bearer s3cret', host: 'node1.example:9476' })).status, 200);
  assert.equal((await ask(port, '/healthz')).status, 200, 'probes bear no token');
  await writeFile(file, 'n3xt');
  assert.equal((await ask(port, '/metrics', { authorization: 'Bearer s3cret' })).status, 401);
  assert.equal((await ask(port, '/metrics', { authorization: 'Bearer n3xt' })).status, 200);
});

test('a token file that is missing or empty is refused at the start', async (t) => {
  const start = async (file: string): Promise<unknown> => startMetricsServer({ host: '127.0.0.1', port: 0, tokenFile: file, metrics: page, ready: () => true, logger });
  await assert.rejects(start('/nonexistent/token'), { code: 'Invalid', message: /\/nonexistent\/token/ });
  await assert.rejects(start(await tokenFile(t, ' \n')), { code: 'Invalid', message: /is empty/ });
});

test('a port in use, and an address that is not here, are said plainly', async (t) => {
  const { port } = await serve(t);
  await assert.rejects(serve(t, { port }), { code: 'Conflict', message: `cannot serve metrics on 127.0.0.1:${port}: the port is in use` });
  await assert.rejects(serve(t, { host: '192.0.2.7', tokenFile: await tokenFile(t, 'x') }), { code: 'Invalid', message: /no such address/ });
});

test('close ends at once, whoever is connected or waiting', async (t) => {
  const stuck = Promise.withResolvers<void>();
  const server = await serve(t, { metrics: { ...page, render: () => (stuck.resolve(), new Promise<string>(() => {})) } });
  const idle = connect(server.port, '127.0.0.1');
  const waiting = get({ host: '127.0.0.1', port: server.port, path: '/metrics' });
  const ended = Promise.all([idle, waiting].map((each) => new Promise((resolve) => each.once('close', resolve).on('error', () => {}))));
  await stuck.promise;
  await server.close();
  await ended;
});
