import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { plainRegistries } from '../../../src/engine/images/registry/registry-settings.ts';
import { findCredentials } from '../../../src/lib/docker-config.ts';
import { RegistrySession } from '../../../src/engine/images/registry/registry-session.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const servers = new Set<ReturnType<typeof createServer>>();
let folder: string;

async function serve(answer: Answer): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => answer(request, response, body));
  }).listen(0, '127.0.0.1');
  servers.add(server);
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `127.0.0.1:${address.port}`;
}

async function ask(registry: string, config: unknown = {}): Promise<string> {
  const dockerConfig = path.join(folder, 'config.json');
  await writeFile(dockerConfig, JSON.stringify(config));
  await using session = await RegistrySession.open(registry, ['repository:a/b:pull'], { ...plainRegistries, credentials: (host) => findCredentials(host, dockerConfig) });
  const response = await session.send({ url: '/v2/a/b/thing', accept: [200], what: 'a thing' });
  return response.body.text();
}

const login = (registry: string, entry: Readonly<Record<string, string>>) => ({ auths: { [registry]: entry } });

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mooring-session-'));
});

afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers.clear();
  await rm(folder, { recursive: true });
});

/** A registry that lets in whoever brings the token, and the server that gives it. */
async function tokenRegistry(give: Answer): Promise<string> {
  const tokens = await serve(give);
  return serve((request, response) => {
    if (request.headers.authorization === 'Bearer good') response.end('here');
    else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${tokens}/token",service="reg",scope="repository:a/b:pull,push"` }).end();
  });
}

test('a token is asked for with the scopes that the registry wants, and the login', async () => {
  const asked: string[] = [];
  const registry = await tokenRegistry((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.end(JSON.stringify({ token: 'good' }));
  });
  const auth = Buffer.from('me:secret').toString('base64');
  assert.equal(await ask(registry, login(registry, { auth })), 'here');
  assert.deepEqual(asked, [`GET /token?service=reg&scope=repository%3Aa%2Fb%3Apull%2Cpush&scope=repository%3Aa%2Fb%3Apull Basic ${auth}`]);
});

test('an identity token is exchanged for one, and never sent to the registry', async () => {
  const bodies: string[] = [];
  const registry = await tokenRegistry((_, response, body) => {
    bodies.push(body);
    response.end(JSON.stringify({ access_token: 'good' }));
  });
  assert.equal(await ask(registry, login(registry, { identitytoken: 'long lived' })), 'here');
  const [body] = bodies.map((text) => new URLSearchParams(text));
  assert.deepEqual([body?.get('grant_type'), body?.get('refresh_token'), body?.get('service')], ['refresh_token', 'long lived', 'reg']);
});

test('a refused token is no access, and says what to do', async () => {
  const registry = await tokenRegistry((_, response) => response.writeHead(401).end());
  await assert.rejects(ask(registry), { code: 'Conflict', message: /no access to a thing/, fix: /mooring login/ });
});

test('a login does not go along a redirect to another host', async () => {
  const seen: (string | undefined)[] = [];
  const elsewhere = await serve((request, response) => {
    seen.push(request.headers.authorization);
    response.end('from elsewhere');
  });
  const registry = await serve((request, response) => {
    if (request.headers.authorization === undefined) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    else response.writeHead(307, { location: `http://${elsewhere}/blob` }).end();
  });
  assert.equal(await ask(registry, login(registry, { auth: Buffer.from('me:secret').toString('base64') })), 'from elsewhere');
  assert.deepEqual(seen, [undefined]);
});

test('redirects in a circle end', async () => {
  const registry = await serve((_, response) => response.writeHead(302, { location: '/v2/a/b/thing' }).end());
  await assert.rejects(ask(registry), { code: 'Unavailable', message: /redirects more than/ });
});

test('the registry\'s own words are told', async () => {
  const registry = await serve((_, response) => response.writeHead(403).end(JSON.stringify({ errors: [{ code: 'DENIED', message: 'the plan has expired' }] })));
  await assert.rejects(ask(registry), { code: 'Conflict', message: /the plan has expired/ });
});

test('a malformed login is told with its file, and without its content', async () => {
  const registry = await serve((_, response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end());
  await assert.rejects(ask(registry, { auths: { [registry]: { auth: 7 } } }), { code: 'Invalid', at: /config\.json$/ });
});
