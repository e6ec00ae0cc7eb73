import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DockerCall } from '../../../../src/api/docker/call.ts';
import { DockerEvents } from '../../../../src/api/docker/docker-events.ts';
import { execsOf } from '../../../../src/api/docker/exec-registry.ts';
import { foundContainers } from '../../../../src/api/docker/container-lookup.ts';
import { dockerRoutes } from '../../../../src/api/docker/routes.ts';
import { granted, grantedContainers, TOKEN_ACCESS } from '../../../../src/api/docker/token-access.ts';
import { ApiTokens, covers, type Grant } from '../../../../src/api/tokens.ts';
import type { TokenScope } from '../../../../src/api/v1/token-types.ts';
import type { ContainerId } from '../../../../src/engine/engine.ts';
import { Database } from '../../../../src/engine/store/database.ts';
import { TokenRecords } from '../../../../src/engine/store/token-records.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { FakeServices, viewFrom, WEB } from '../fake-services.ts';

const grant = (over: Partial<Grant> = {}): Grant => ({ name: 'ci', verbs: ['read'], containers: ['web*'], namespaces: ['default'], ...over });

test('patterns of names', () => {
  const is = (pattern: string, name: string): boolean => covers(grant({ containers: [pattern] }), name, 'default');
  for (const [pattern, name] of [['*', 'a'], ['web', 'web'], ['web-*', 'web-1'], ['*-db', 'x-db-db'], ['a*b*c', 'aXbbYc'], ['w?b', 'wab'], ['**', '']] as const) assert.ok(is(pattern, name), `${pattern} ${name}`);
  for (const [pattern, name] of [['web', 'web1'], ['web', 'aweb'], ['web-*', 'web'], ['w?b', 'wb'], ['a*b', 'abc'], ['a.b', 'axb']] as const) assert.ok(!is(pattern, name), `${pattern} ${name}`);
  assert.ok(!is(`${'*a'.repeat(100)}b`, 'a'.repeat(250)));
  assert.ok(!covers(grant(), 'web', 'shop'));
});

test('every operation that a token can be for is one of the API', () => {
  const known = new Set(dockerRoutes.map(({ method, path }) => `${method} ${path}`));
  assert.deepEqual(Object.keys(TOKEN_ACCESS).filter((operation) => !known.has(operation)), []);
});

test('an operation goes on only with the verb, and for a container of the token', () => {
  const services = Object.assign(new FakeServices(), { told: new DockerEvents() });
  const [web, database] = ['ab'.repeat(32), 'cd'.repeat(32)];
  const view = (name: string, id: string): void => {
    const made = viewFrom(WEB.replace('name: web', `name: ${name}`));
    services.put({ ...made, status: { ...made.status, containerID: id } });
  };
  view('web', web);
  view('db', database);
  const ask = (operation: string, id: string, to: Grant): string | undefined => {
    const [method = '', path = ''] = operation.split(' ');
    return granted({ params: { id } } as unknown as DockerCall, to, { method: method as 'GET', path }, services).params['id'];
  };
  const every = grant({ verbs: ['read', 'exec', 'write'] });

  for (const reference of ['web', '/web', web, 'ab']) assert.equal(ask('GET /containers/:id/json', reference, grant()), web);
  for (const reference of ['db', '/db', database, 'cd', 'nosuch', '']) assert.throws(() => ask('GET /containers/:id/json', reference, every), { status: 403, message: /token ci may not read container .*: it may read, exec, write containers web\* of namespace default/ });
  assert.throws(() => ask('GET /containers/:id/json', 'web9', grant()), { status: 404 });
  assert.throws(() => ask('POST /containers/:id/stop', 'web', grant()), { status: 403, message: /may not write container web/ });
  assert.throws(() => ask('POST /containers/:id/exec', 'web', grant({ verbs: ['read', 'write'] })), { status: 403, message: /may not exec container web/ });
  assert.throws(() => ask('GET /containers/:id/json', 'web', grant({ namespaces: ['shop'] })), { status: 403 });
  assert.throws(() => ask('GET /containers/json', '', grant({ verbs: ['exec'] })), { status: 403, message: /may not read containers/ });

  // Whatever is not said, every bearer is refused.
  for (const { method, path } of dockerRoutes) if (TOKEN_ACCESS[`${method} ${path}`] === undefined) assert.throws(() => ask(`${method} ${path}`, 'web', every), { status: 403, message: /tokens are for containers/ });

  // One whose name is the beginning of another's id does not lead there.
  view('ab', 'ef'.repeat(32));
  assert.equal(ask('GET /containers/:id/json', 'ab', grant()), web);

  const exec = (containerId: string): string => execsOf(services).create({ containerId: containerId as ContainerId, request: { command: ['true'] }, attach: { stdin: false, stdout: true, stderr: true }, detachKeys: undefined, privileged: false }).id;
  const [own, foreign] = [exec(web), exec(database)];
  assert.equal(ask('POST /exec/:id/start', own, every), own);
  for (const id of [foreign, 'nosuch']) assert.throws(() => ask('POST /exec/:id/start', id, every), { status: 403, message: /may not exec exec instance/ });
  assert.throws(() => ask('GET /exec/:id/json', own, grant()), { status: 403 });

  assert.deepEqual(foundContainers(grantedContainers(every, services)).map(({ id }) => id), [web]);
});

test('tokens are kept without their secret, and revoked', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-tokens-'));
  const database = await Database.open(folder);
  try {
    const records = new TokenRecords<TokenScope>(database);
    const tokens = new ApiTokens(records, systemClock);
    const wish = { name: 'ci', verbs: ['read'], containers: ['web*'], namespaces: ['default'] };
    const { secret } = tokens.create(wish);
    assert.match(secret, /^mooring_[A-Za-z0-9_-]{43}$/);
    assert.deepEqual(tokens.grantOf(secret), wish);
    assert.deepEqual(tokens.grantOf(`${secret}x`), { refusal: 'this token is not valid, or was revoked' });
    assert.ok(!JSON.stringify([records.list(), tokens.list()]).includes(secret));
    assert.throws(() => tokens.create(wish), { code: 'Conflict' });
    for (const wrong of [{ ...wish, name: 'x', verbs: [] }, { ...wish, name: 'x', verbs: ['admin'] }, { ...wish, name: 'X' }, { ...wish, name: 'x', containers: [] }, { ...wish, name: 'x', containers: ['a/b'] }, { ...wish, name: 'x', namespaces: ['*'] }, { ...wish, name: 'x', more: 1 }, { ...wish, name: 'x', expires: 'soon' }, { ...wish, name: 'x', expires: '0s' }, { ...wish, name: 'x', expires: '90000h' }, null, 'x']) assert.throws(() => tokens.create(wrong), { code: 'Invalid' });
    tokens.revoke('ci');
    assert.ok('refusal' in tokens.grantOf(secret));
    assert.throws(() => tokens.revoke('ci'), { code: 'NotFound' });
  } finally {
    database.close();
    await rm(folder, { recursive: true });
  }
});

test('a token that expires is good until then, and refused after with the reason', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-tokens-'));
  const database = await Database.open(folder);
  try {
    let now = Date.parse('2026-01-31T12:00:00Z');
    const tokens = new ApiTokens(new TokenRecords<TokenScope>(database), { ...systemClock, now: () => now });
    const { secret, expiresAt } = tokens.create({ name: 'ci', verbs: ['read'], containers: ['*'], namespaces: ['default'], expires: '24h' });
    assert.equal(expiresAt, '2026-02-01T12:00:00.000Z');
    assert.deepEqual(tokens.list().map((token) => token.expiresAt), [expiresAt]);
    now += 24 * 3_600_000 - 1;
    assert.ok('verbs' in tokens.grantOf(secret));
    now += 1;
    assert.deepEqual(tokens.grantOf(secret), { refusal: 'token ci expired at 2026-02-01T12:00:00.000Z; make another with "mooring token create"' });
  } finally {
    database.close();
    await rm(folder, { recursive: true });
  }
});
