/** Every answer is of the type that the API documents (answers.schema.json), and has the fields that a real dockerd's has, of the same types. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import { faultsIn, fieldsOf, type Schema } from './support/schema.ts';
import { type Engine, onBothEngines } from './support/two-engines.ts';

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

interface Ask {
  readonly route: string;
  readonly path: (known: Known) => string;
  readonly body?: (known: Known) => unknown;
  readonly keep?: (known: Known, body: Record<string, string>) => void;
}

/** What was made on the way. */
interface Known {
  id: string;
  exec: string;
  /** Of an address that the engines must not share. */
  readonly octet: string;
}

/** Names that an engine gives its own things, where others have fields. */
const LACKING: ReadonlySet<string> = new Set(['.Runtimes.runc']);

const config = { Image: 'busybox', Cmd: ['sleep', '1000'], Labels: { a: 'b' }, HostConfig: { NetworkMode: 'schema', Binds: ['kept:/data'], Memory: 64 * 2 ** 20 } };
const made: Ask['keep'] = (known, { Id = '' }) => void (known.id = Id);

const asks: readonly Ask[] = [
  { route: 'GET /version', path: () => '/version' },
  { route: 'GET /info', path: () => '/info' },
  { route: 'POST /networks/create', path: () => '/networks/create', body: ({ octet }) => ({ Name: 'schema', CheckDuplicate: true, IPAM: { Config: [{ Subnet: `10.${octet}.9.0/24` }] }, Labels: { n: '1' } }) },
  { route: 'GET /networks', path: () => '/networks' },
  { route: 'POST /volumes/create', path: () => '/volumes/create', body: () => ({ Name: 'kept', Labels: { v: '1' } }) },
  { route: 'GET /volumes', path: () => '/volumes' },
  { route: 'GET /volumes/{name}', path: () => '/volumes/kept' },
  { route: 'POST /containers/create', path: () => '/containers/create?name=schema', body: () => config, keep: made },
  { route: 'GET /containers/{id}/json', path: ({ id }) => `/containers/${id}/json` },
  { route: '', path: ({ id }) => `/containers/${id}/start`, body: () => undefined },
  { route: 'GET /containers/{id}/json', path: ({ id }) => `/containers/${id}/json?size=1` },
  { route: 'GET /containers/json', path: () => '/containers/json?all=1&size=1' },
  { route: 'GET /networks/{id}', path: () => '/networks/schema' },
  { route: 'GET /containers/{id}/top', path: ({ id }) => `/containers/${id}/top` },
  { route: 'GET /containers/{id}/changes', path: ({ id }) => `/containers/${id}/changes` },
  { route: 'GET /containers/{id}/stats', path: ({ id }) => `/containers/${id}/stats?stream=0&one-shot=1` },
  { route: 'POST /containers/{id}/exec', path: ({ id }) => `/containers/${id}/exec`, body: () => ({ Cmd: ['true'] }), keep: (known, { Id = '' }) => void (known.exec = Id) },
  { route: 'GET /exec/{id}/json', path: ({ exec }) => `/exec/${exec}/json` },
  { route: 'POST /containers/{id}/update', path: ({ id }) => `/containers/${id}/update`, body: () => ({ Memory: 128 * 2 ** 20, MemorySwap: 256 * 2 ** 20 }) },
  { route: 'POST /commit', path: ({ id }) => `/commit?container=${id}&repo=committed&tag=1`, body: () => null },
  { route: 'GET /images/json', path: () => '/images/json?filters=%7B%22reference%22%3A%5B%22busybox%22%5D%7D' },
  { route: 'GET /images/{name}/json', path: () => '/images/busybox:latest/json' },
  { route: 'GET /images/{name}/history', path: () => '/images/busybox:latest/history' },
  { route: 'GET /system/df', path: () => '/system/df' },
  { route: '', path: ({ id }) => `/containers/${id}/kill`, body: () => undefined },
  { route: 'POST /containers/{id}/wait', path: ({ id }) => `/containers/${id}/wait`, body: () => undefined },
  { route: 'GET /events', path: () => `/events?since=0&until=${Math.floor(Date.now() / 1000) + 1}` },
  { route: 'POST /containers/prune', path: () => '/containers/prune', body: () => undefined },
  { route: 'DELETE /images/{name}', path: () => '/images/committed:1' },
  { route: 'POST /images/prune', path: () => '/images/prune', body: () => undefined },
  { route: 'POST /networks/prune', path: () => '/networks/prune', body: () => undefined },
  { route: 'POST /volumes/prune', path: () => '/volumes/prune', body: () => undefined },
  { route: 'POST /build/prune', path: () => '/build/prune', body: () => undefined },
];

const errors: readonly (readonly [method: string, path: string])[] = [
  ['GET', '/containers/nosuch/json'],
  ['GET', '/images/nosuch/json'],
  ['GET', '/networks/nosuch'],
  ['GET', '/volumes/nosuch'],
  ['GET', '/exec/nosuch/json'],
  ['POST', '/containers/nosuch/start'],
  ['DELETE', '/containers/nosuch'],
  ['GET', '/containers/json?filters=%7B%22nosuch%22%3A%5B%221%22%5D%7D'],
  ['GET', '/nosuch'],
  ['GET', '/v9.99/info'],
];

test('every answer is as documented, and as a real engine gives it', onBothEngines(async (engines) => {
  const { answers, $defs } = JSON.parse(await readFile(new URL('answers.schema.json', import.meta.url), 'utf8')) as { readonly answers: Record<string, Schema>; readonly $defs: Record<string, Schema> };
  const wrong: string[] = [];
  const replies = new Map<Engine, Reply[]>();
  for (const engine of engines.both) {
    const known: Known = { id: '', exec: '', octet: engine.name === 'dockerd' ? '210' : '211' };
    const own: Reply[] = [];
    for (const { route, path, body, keep } of asks) {
      const method = route.split(' ')[0] || 'POST';
      const reply = await ask(engine, method, path(known), body?.(known));
      keep?.(known, reply.body as Record<string, string>);
      own.push(reply);
    }
    replies.set(engine, own);
  }
  for (const [index, { route }] of asks.entries()) {
    const [real, found] = engines.both.map((engine) => replies.get(engine)?.[index]);
    if (found === undefined || real === undefined) continue;
    if (found.status !== real.status) wrong.push(`${route || asks[index]?.path({ id: '', exec: '', octet: '' })}: status ${found.status}, and dockerd's is ${real.status}: ${JSON.stringify(found.body)}`);
    if (route === '') continue;
    wrong.push(...faultsIn(found.body, answers[route] ?? {}, $defs).map((fault) => `${route}: ${fault}`));
    const has = fieldsOf(found.body);
    for (const [field, type] of fieldsOf(real.body)) {
      if ([...LACKING].some((lacking) => field === lacking || field.startsWith(`${lacking}.`) || field.startsWith(`${lacking}[`))) continue;
      const own = has.get(field);
      if (own === undefined ? type !== 'null' && !isUnder(field, has) : own !== type && own !== 'null' && type !== 'null') wrong.push(`${route}: ${field} is ${own ?? 'not there'}, and dockerd's is ${type}`);
    }
  }
  for (const [method, path] of errors) {
    const [real, found] = await Promise.all(engines.both.map((engine) => ask(engine, method, path)));
    if (found?.status !== real?.status) wrong.push(`${method} ${path}: status ${found?.status} ${JSON.stringify(found?.body)}, and dockerd's is ${real?.status} ${JSON.stringify(real?.body)}`);
    wrong.push(...faultsIn(found?.body, $defs['ErrorResponse'] ?? {}, $defs).map((fault) => `${method} ${path}: ${fault}`));
  }
  assert.deepEqual(wrong, []);

  await misuse(engines.mooring);
  assert.equal((await ask(engines.mooring, 'GET', '/_ping')).status, 200, 'it answers after all that');
}));

/** Whether what would hold the field is null or empty there. */
function isUnder(field: string, has: ReadonlyMap<string, string>): boolean {
  const at = Math.max(field.lastIndexOf('.'), 0);
  const parent = field.slice(0, at).replace(/\[\]$/, '');
  return parent !== '' && (has.get(parent) === 'null' || has.get(parent) === 'array' || (has.get(parent) === undefined && isUnder(parent, has)));
}

function ask(engine: Engine, method: string, path: string, body?: unknown): Promise<Reply> {
  const content = body === undefined ? '' : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: engine.host.replace('unix://', ''), method, path: path.startsWith('/v9') ? path : `/v1.41${path}`, headers: { ...(content !== '' && { 'content-type': 'application/json' }), 'content-length': Buffer.byteLength(content) } }, (incoming) => {
      text(incoming).then((all) => resolve({ status: incoming.statusCode ?? 0, body: bodyOf(all) }), reject);
    });
    outgoing.once('error', reject);
    outgoing.end(content);
  });
}

/** A stream's answer is its first object. */
function bodyOf(all: string): unknown {
  try {
    return JSON.parse(all.includes('}\n{') ? (all.split('\n')[0] ?? '') : all);
  } catch {
    return all;
  }
}

/** What no client sends: nothing of it may end the daemon, or hold a connection for ever. */
async function misuse({ host }: Engine): Promise<void> {
  const json = (body: string, length = body.length): string => `POST /containers/create HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`;
  const pieces: readonly (readonly [raw: string, wanted: RegExp])[] = [
    [json('{"Image":'), /^HTTP\/1\.1 400 /],
    [json('[1,2,3]'), /^HTTP\/1\.1 400 /],
    [json('{"Image":{"a":1},"Cmd":7}'), /^HTTP\/1\.1 400 /],
    [json('{"Image":"busybox","HostConfig":{"Memory":"lots"}}'), /^HTTP\/1\.1 400 /],
    [json(`"${'x'.repeat(5 * 2 ** 20)}"`), /^HTTP\/1\.1 413 /],
    [json('{"Image":"busybox"}', 500), /^(HTTP\/1\.1 400 |$)/],
    ['GET /_ping HTTP/1.1\r\nHost: d\r\n\r\nGET /version HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n', /OK[^]*"ApiVersion"/],
    ['\u0000\u0001\u0002\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['GET /containers/%00%ff/json HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 40[04] /],
    ['GET /containers/../../etc/passwd/json HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 404 /],
    ['POST /containers/nosuch/attach?stream=1 HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nbytes', /^HTTP\/1\.1 404 /],
    ['POST /exec/nosuch/start HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{}x', /^HTTP\/1\.1 404 /],
    ['POST /exec/nosuch/start HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 99\r\n\r\n{', /^HTTP\/1\.1 40[04] /],
    ['POST /build HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n', /^HTTP\/1\.1 [45]00 /],
  ];
  for (const [raw, wanted] of pieces) assert.match(await rawAnswer(host, raw), wanted, raw.slice(0, 100));
}

function rawAnswer(host: string, content: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: host.replace('unix://', '') });
    let all = '';
    socket.on('data', (data: Buffer) => (all += data.toString('latin1')));
    socket.once('error', (error) => (all === '' ? reject(error) : resolve(all)));
    socket.once('close', () => resolve(all));
    socket.setTimeout(20_000, () => socket.destroy(new Error(`no end of the answer to ${content.slice(0, 60)}`)));
    socket.write(content, 'latin1');
    // What is promised and does not come: the client hangs up.
    if (/Content-Length: (99|500)\r/.test(content)) socket.end();
  });
}
