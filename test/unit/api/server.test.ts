import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { startApiServer, type ApiServer } from '../../../src/api/v1/server.ts';
import type { ApplyResult, ContainerList, ContainerObject, MooringEvent, PlanResult, WatchEvent } from '../../../src/api/v1/types.ts';
import { Client, RejectedDocuments } from '../../../src/cli/client.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import type { ContainerName } from '../../../src/spec/name.ts';
import { FakeServices, viewFrom, WEB } from './fake-services.ts';

const run = promisify(execFile);
const logger = createLogger('silent');
const web = 'default/web' as ContainerName;

async function waitFor(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!holds()) {
    assert.ok(Date.now() < deadline, 'waited 5 s in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('the v1 API on its socket', () => {
  let folder: string;
  let socket: string;
  let services: FakeServices;
  let server: ApiServer;
  let client: Client;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mooring-api-'));
    socket = join(folder, 'mooring.sock');
    services = new FakeServices();
    server = await startApiServer(socket, logger, Promise.resolve(services));
    client = new Client(socket);
  });
  afterEach(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  test('the socket is for its owner alone, and goes with the server', async () => {
    assert.equal((await stat(socket)).mode & 0o777, 0o600);
    await server.close();
    await assert.rejects(stat(socket), { code: 'ENOENT' });
    server = await startApiServer(socket, logger, Promise.resolve(services));
  });

  test('a second server on the socket is refused, and the first goes on', async () => {
    await assert.rejects(startApiServer(socket, logger, Promise.resolve(services)), { code: 'Conflict', message: /another daemon answers/ });
    assert.equal((await client.get<{ version: string }>('/v1/version')).version, '0.0.0-test');
  });

  test('curl gets a container in Kubernetes form', async () => {
    services.put(viewFrom(WEB));
    const { stdout } = await run('curl', ['-sS', '--unix-socket', socket, 'http://mooring/v1/containers/default/web']);
    const object = JSON.parse(stdout) as ContainerObject;
    assert.equal(object.kind, 'Container');
    assert.deepEqual(object.metadata, {
      name: 'web',
      namespace: 'default',
      generation: 3,
      labels: {},
      annotations: { note: 'kept', 'mooring.dev/source': 'directory', 'mooring.dev/location': 'web.yaml:1:1' },
    });
    assert.equal(object.spec.ports[0]?.containerPort, 8080);
    assert.equal(object.status.phase, 'Running');
    assert.equal(object.status.pid, 42);
  });

  test('a request that comes before the services waits for them', async () => {
    const early = Promise.withResolvers<FakeServices>();
    const waiting = await startApiServer(`${socket}2`, logger, early.promise);
    const answer = new Client(`${socket}2`).get<{ version: string }>('/v1/version');
    early.resolve(services);
    assert.equal((await answer).version, '0.0.0-test');
    await waiting.close();
  });

  test('the list is sorted and can be of one namespace', async () => {
    for (const [namespace, name] of [['b', 'x'], ['a', 'y'], ['a', 'x']]) services.put(viewFrom(WEB.replace('name: web', `name: ${name}\n  namespace: ${namespace}`)));
    const names = async (path: string): Promise<string[]> => (await client.get<ContainerList>(path)).items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    assert.deepEqual(await names('/v1/containers'), ['a/x', 'a/y', 'b/x']);
    assert.deepEqual(await names('/v1/containers?namespace=a'), ['a/x', 'a/y']);
  });

  test('what is not there is NotFound, for resources and for paths', async () => {
    await assert.rejects(client.get('/v1/containers/default/nope'), { code: 'NotFound', message: 'there is no container default/nope' });
    await assert.rejects(client.get('/v1/nope'), { code: 'NotFound', message: 'the API has no GET /v1/nope' });
    await assert.rejects(client.delete('/v1/events'), { code: 'NotFound' });
  });

  test('apply keeps documents under source api, and says what became of each', async () => {
    const apply = (text: string): Promise<ApplyResult> => client.post<ApplyResult>('/v1/apply', { files: [{ name: 'web.yaml', text }] });
    assert.deepEqual((await apply(WEB)).items, [{ kind: 'Container', name: web, result: 'created', generation: 1 }]);
    assert.deepEqual((await apply(WEB)).items, [{ kind: 'Container', name: web, result: 'unchanged', generation: 1 }]);
    assert.deepEqual((await apply(WEB.replace('8080', '8081'))).items, [{ kind: 'Container', name: web, result: 'configured', generation: 2 }]);
    assert.deepEqual(services.desiredByName.get(web)?.origin, { source: 'api', location: 'web.yaml:1:1' });
  });

  test('a plain YAML body works as well, and what was printed can be applied again', async () => {
    services.put(viewFrom(WEB));
    const object = await client.get<ContainerObject>('/v1/containers/default/web');
    await writeFile(join(folder, 'body'), JSON.stringify(object));
    const { stdout } = await run('curl', ['-sS', '--unix-socket', socket, '--data-binary', `@${join(folder, 'body')}`, '-H', 'content-type: application/json', 'http://mooring/v1/apply']);
    assert.deepEqual((JSON.parse(stdout) as ApplyResult).items, [{ kind: 'Container', name: web, result: 'created', generation: 1 }]);
    assert.deepEqual(services.desiredByName.get(web)?.container.metadata.annotations, { note: 'kept' });
  });

  test('one bad document among good ones rejects all, each problem with its file, line and column', async () => {
    const files = [
      { name: 'good.yaml', text: WEB },
      { name: 'bad.yaml', text: WEB.replace('name: web', 'name: bad').replace('8080', 'eighty') },
      { name: 'twice.yaml', text: WEB },
    ];
    await assert.rejects(client.post('/v1/apply', { files }), (error: unknown) => {
      assert.ok(error instanceof RejectedDocuments);
      assert.equal(error.code, 'Invalid');
      assert.equal(error.problems.length, 2);
      assert.match(error.problems[0]?.at ?? '', /^bad\.yaml:\d+:\d+$/);
      assert.match(error.problems[1]?.message ?? '', /said twice, first at good\.yaml:1:1/);
      return true;
    });
    assert.equal(services.desiredByName.size, 0);
  });

  test('an empty body, and a body of the wrong shape, are Invalid', async () => {
    await assert.rejects(client.post('/v1/apply', { files: [] }), { code: 'Invalid', message: /no document/ });
    await assert.rejects(client.post('/v1/apply', { files: [{ name: 1 }] } as never), { code: 'Invalid', message: /has the shape/ });
  });

  test('a body beyond the bound is refused before it is held in memory', async () => {
    const { stdout } = await run('sh', ['-c', `head -c 40000000 /dev/zero | curl -sS --unix-socket ${socket} -T - -X POST http://mooring/v1/apply -w '%{http_code}' -o /dev/null`]);
    assert.equal(stdout, '400');
    assert.equal((await client.get<{ version: string }>('/v1/version')).version, '0.0.0-test');
  });

  test('plan changes nothing', async () => {
    const { changes } = await client.post<PlanResult>('/v1/plan', { files: [{ name: 'web.yaml', text: WEB }] });
    assert.deepEqual(changes.map(({ name, action }) => [name, action]), [[web, 'Create']]);
    assert.equal(services.desiredByName.size, 0);
  });

  test("a directory's container can't be deleted here, and the error says where", async () => {
    const view = viewFrom(WEB);
    services.desiredByName.set(web, { name: web, container: view.container, generation: 1, specHash: '', origin: { source: 'directory', location: 'web.yaml:1:1' } });
    await assert.rejects(client.delete('/v1/containers/default/web'), { code: 'Conflict', at: 'web.yaml:1:1', fix: 'delete it from web.yaml:1:1 instead' });
    assert.ok(services.desiredByName.has(web));
    await assert.rejects(client.delete('/v1/containers/default/other'), { code: 'NotFound' });
  });

  test('logs: tail, timestamps, and following until the client goes', async () => {
    services.put(viewFrom(WEB));
    const text = async (query: string): Promise<string> => Buffer.concat(await Array.fromAsync(client.bytes(`/v1/containers/default/web/logs?${query}`))).toString();
    assert.equal(await text(''), `${'ab'.repeat(32)} first\nsecond\n`);
    assert.equal(await text('tail=1&timestamps=1'), '2026-01-01T00:00:00.000000001Z second\n');
    assert.equal(await text('tail=1&frames=1'), '\u0001\0\0\0\0\0\0\u0007second\n');
    await assert.rejects(text('tail=-1'), { code: 'Invalid' });
    await assert.rejects(text('since=yesterday'), { code: 'Invalid' });

    let ended = false;
    const logs = services.logs;
    services.logs = async function* (id, options) {
      yield* logs(id, options);
      ended = true;
    };
    let followed = '';
    for await (const bytes of client.bytes('/v1/containers/default/web/logs?follow=1&tail=1')) {
      followed += bytes.toString();
      if (followed.endsWith('third\n')) break;
    }
    assert.equal(followed, 'second\nthird\n');
    await waitFor(() => ended);
  });

  test('watch: what is there, then each change, then nothing is left subscribed', async () => {
    services.put(viewFrom(WEB));
    const seen: string[] = [];
    for await (const event of client.lines<WatchEvent>('GET', '/v1/containers?watch=1')) {
      seen.push(!('object' in event) ? event.type : `${event.type} ${event.object.metadata.name} ${event.object.status.phase}`);
      if (seen.length === 3) services.put(viewFrom(WEB, { phase: 'CrashLoopBackOff' }));
      if (seen.length === 4) services.put(viewFrom(WEB.replace('name: web', 'name: new')));
      if (seen.length === 5) services.reject([{ file: 'x.yaml', at: 'x.yaml:1:1', field: '', message: 'm' }]);
      if (seen.length === 6) services.drop(web);
      if (seen.length === 7) break;
    }
    assert.deepEqual(seen, ['ADDED web Running', 'PROBLEMS', 'SYNCED', 'MODIFIED web CrashLoopBackOff', 'ADDED new Running', 'PROBLEMS', 'DELETED web CrashLoopBackOff']);
    await waitFor(() => services.listeners === 0);
  });

  test('many changes of one container while the client is slow come as the last one', async () => {
    services.put(viewFrom(WEB));
    let changes = 0;
    let last = '';
    for await (const event of client.lines<WatchEvent>('GET', '/v1/containers?watch=1')) {
      if (event.type === 'SYNCED') for (let n = 0; n < 1000; n++) services.put(viewFrom(WEB, { phase: `P${n}` }));
      if (event.type === 'MODIFIED') {
        changes++;
        last = event.object.status.phase;
        if (last === 'P999') break;
      }
    }
    assert.equal(last, 'P999');
    assert.ok(changes < 1000, `${changes} lines for 1000 changes`);
  });

  test('events: of one container, and followed', async () => {
    const event = (id: number, name: string): MooringEvent => ({ id, firstTime: '2026-01-01T00:00:00Z', lastTime: '2026-01-01T00:00:00Z', count: 1, type: 'Normal', reason: 'Started', message: 'm', name: name as ContainerName });
    services.tell(event(1, 'default/a'));
    services.tell(event(2, 'default/b'));
    assert.deepEqual((await client.get<{ items: MooringEvent[] }>('/v1/events?name=b')).items.map(({ id }) => id), [2]);
    const ids: number[] = [];
    for await (const { id } of client.lines<MooringEvent>('GET', '/v1/events?follow=1&name=default/a')) {
      ids.push(id);
      if (id === 1) {
        services.tell(event(3, 'default/b'));
        services.tell(event(4, 'default/a'));
      }
      if (id === 4) break;
    }
    assert.deepEqual(ids, [1, 4]);
  });

  test('closing ends what is followed', async () => {
    const watching = Array.fromAsync(client.lines<WatchEvent>('GET', '/v1/containers?watch=1'));
    await waitFor(() => services.listeners === 2);
    await server.close();
    assert.deepEqual(await watching, [{ type: 'PROBLEMS', items: [] }, { type: 'SYNCED' }]);
    server = await startApiServer(socket, logger, Promise.resolve(services));
  });
});

test('a socket that a dead daemon left is replaced', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-api-'));
  const socket = join(folder, 'mooring.sock');
  const stale = createServer();
  stale.listen(socket);
  await once(stale, 'listening');
  // A listener that is gone without unlinking: renamed away before close, put back after.
  await run('mv', [socket, `${socket}.kept`]);
  stale.close();
  await run('mv', [`${socket}.kept`, socket]);
  await assert.rejects(once(new Socket().connect(socket), 'connect'), { code: 'ECONNREFUSED' });
  const server = await startApiServer(socket, logger, Promise.resolve(new FakeServices()));
  assert.equal((await new Client(socket).get<{ version: string }>('/v1/version')).version, '0.0.0-test');
  await server.close();
  await rm(folder, { recursive: true });
});
