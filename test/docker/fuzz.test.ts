import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { dockerRoutes } from '../../src/api/docker/routes.ts';
import { onNode } from '../support/daemon.ts';
import { PATIENCE } from '../support/patience.ts';
import { until } from '../support/until.ts';
import { runDocker } from './support/run-docker.ts';
import { TwoEngines } from './support/two-engines.ts';

const IMAGE = 'mooring.local/busybox:latest';
const SPAN_MS = 10_000;
/** Streams that go on for as long as their client does are left after this. */
const ANSWER_MS = 100;
/** Operations that would ask a registry, and those that end what the others are tried on. */
const LEFT_OUT = /^(POST \/images\/(create|:name\/push)|GET \/(images\/search|distribution).*|POST \/(auth|build|.*\/prune)|DELETE .*)$/;
const operations = dockerRoutes.filter(({ method, path }) => !LEFT_OUT.test(`${method} ${path}`));

const word = fc.oneof(fc.constantFrom('fuzzed', '', '%00', '..%2f..%2fetc%2fpasswd', 'a'.repeat(5000), '%', '%ff%fe', '💥'), fc.string({ maxLength: 20 }).map(encodeURIComponent));
const query = fc.array(fc.tuple(fc.constantFrom('all', 'limit', 'filters', 'tail', 'since', 'until', 'signal', 't', 'h', 'w', 'path', 'stdin', 'stdout', 'stream', 'logs', 'follow', 'detachKeys', 'condition', 'name', 'repo', 'tag', 'ps_args', 'size', 'x'), fc.oneof(word, fc.constantFrom('1', '-1', '99999999999999999999', '{"name":{"a":true}}', '{"x":', '[]', 'null'))), { maxLength: 4 });
const place = fc.tuple(fc.constantFrom(...operations), word, query, fc.constantFrom('', '/v1.41', '/v1.24', '/v1.99', '/v0', '//')).map(([{ method, path }, name, pairs, version]) => {
  const text = pairs.map((pair) => pair.join('=')).join('&');
  return { method, target: `${version}${path.replace(/:\w+/g, name)}${text === '' ? '' : `?${text}`}`.replace(/[\r\n ]/g, '+') };
});

/** Bodies with the names that the operations know, and values that they do not. */
const FIELDS = ['Image', 'Cmd', 'Env', 'Entrypoint', 'HostConfig', 'NetworkingConfig', 'ExposedPorts', 'Volumes', 'Labels', 'Healthcheck', 'User', 'Tty', 'Detach', 'AttachStdin', 'Name', 'Driver', 'IPAM', 'Options', 'Container', 'EndpointConfig', 'Memory', 'RestartPolicy', 'Binds', 'PortBindings', 'Mounts', 'Ulimits', 'LogConfig', 'StopSignal', 'DriverOpts'] as const;
const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(-1, 1e308, 2 ** 53, '__proto__', { __proto__: null, constructor: 1 }, [[[]]], [null], { '': null }));
const wrongTypes = fc.dictionary(fc.constantFrom(...FIELDS), value, { maxKeys: 6 }).chain((body) => fc.dictionary(fc.constantFrom(...FIELDS), value, { maxKeys: 4 }).map((HostConfig) => JSON.stringify({ Image: IMAGE, ...body, ...(body['HostConfig'] === undefined && { HostConfig }) })));
const badJson = fc.oneof(fc.string(), fc.constantFrom('{', '[', '{"a":}', '\u0000', 'null', '"text"', '1e999', '['.repeat(20_000), '{"a":1}{"b":2}'));
const body = fc.oneof({ weight: 6, arbitrary: wrongTypes }, { weight: 3, arbitrary: badJson }, { weight: 1, arbitrary: fc.constantFrom(5_000_000, 4_194_305).map((size) => `"${'x'.repeat(size)}"`) });

const HEADERS: readonly (readonly string[])[] = [
  [],
  ['Content-Type: application/json'],
  ['Content-Type: text/plain'],
  ['Connection: Upgrade', 'Upgrade: tcp'],
  ['Connection: Upgrade', 'Upgrade: tcp', 'Content-Type: application/json'],
  ['Connection: Upgrade', 'Upgrade: h2c'],
  ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: x'],
  ['Expect: 100-continue'],
  ['Transfer-Encoding: chunked'],
  [`X-Long: ${'y'.repeat(2_000_000)}`],
  ['X-Registry-Auth: !!!', 'X-Registry-Config: e30='],
];
/** Said of the body's length: the truth, more, less, nothing, and what is no number. */
const lengthOf = fc.constantFrom((size: number) => `${size}`, (size: number) => `${size + 10}`, (size: number) => `${Math.max(0, size - 3)}`, () => undefined, () => '-5', () => '1e3');
const request = fc.tuple(place, fc.constantFrom(...HEADERS), lengthOf, body).map(([{ method, target }, headers, length, content]) => {
  const said = headers.includes('Transfer-Encoding: chunked') ? undefined : length(Buffer.byteLength(content));
  const bytes = Buffer.from([`${method} ${target} HTTP/1.1`, 'Host: docker', ...headers, ...(said === undefined ? [] : [`Content-Length: ${said}`]), '', content].join('\r\n'));
  return method === 'GET' || method === 'HEAD' ? bytes.subarray(0, bytes.length - Buffer.byteLength(content)) : bytes;
});
const attempt = fc.record({
  /** Several are pipelined. */
  requests: fc.array(request, { minLength: 1, maxLength: 4 }),
  behind: fc.oneof(fc.constant(''), fc.string({ maxLength: 200 }), fc.constant('GARBAGE\r\n\r\n')),
  /** How much of it is sent, in thousandths. */
  sent: fc.oneof({ weight: 3, arbitrary: fc.constant(1000) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 999 }) }),
  leaves: fc.constantFrom('ends', 'resets', 'stays' as const),
});

/** Another seed may be given; each run says which it had. */
test('whatever is sent to the Docker API, it answers the next client, and keeps nothing open', (context) => onNode(async (node) => {
  await node.start();
  const host = `unix://${node.runDir}/docker.sock`;
  const socket = join(node.runDir, 'docker.sock');
  const seed = Number(process.env['MOORING_TEST_SEED'] ?? 1);
  const statuses = new Map<string, number>();
  let tried = 0;
  try {
    // What is opened once, for the first container, stays open.
    assert.equal((await runDocker(host, ['run', '--rm', IMAGE, 'true'])).code, 0);
    assert.equal((await runDocker(host, ['run', '-d', '--name', 'fuzzed', '--stop-timeout', '0', IMAGE, 'sleep', '1000'])).code, 0);
    const before = await openFiles(node.pid);
    await fc.assert(
      fc.asyncProperty(attempt, async ({ requests, behind, sent, leaves }) => {
        tried++;
        const bytes = Buffer.concat([...requests, Buffer.from(behind)]);
        const answer = await exchange(socket, bytes.subarray(0, Math.ceil((bytes.length * sent) / 1000)), leaves);
        for (const [, status = ''] of answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)) statuses.set(status, (statuses.get(status) ?? 0) + 1);
        assert.doesNotMatch(answer, /^HTTP\/1\.1 500 /m);
        assert.match(await exchange(socket, Buffer.from('GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n'), 'waits'), /^HTTP\/1\.1 200 [^]*OK$/);
      }),
      { seed, numRuns: 100_000, interruptAfterTimeLimit: SPAN_MS, markInterruptAsFailure: false },
    );
    // Those it made, with the one it had.
    await TwoEngines.clear(node);
    await until('every connection and file is closed again', async () => (await openFiles(node.pid)) <= before, 30);
  } finally {
    context.diagnostic(`MOORING_TEST_SEED=${seed}: ${tried} attempts, answered with ${[...statuses].toSorted(([a], [b]) => Number(a) - Number(b)).map(([status, count]) => `${status} (${count})`).join(', ')}`);
    await TwoEngines.clear(node); // or its containers would run on
  }
})());

/** Sends, and leaves in one way or another. What came back until then. */
async function exchange(path: string, bytes: Buffer, leaves: 'ends' | 'resets' | 'stays' | 'waits'): Promise<string> {
  const socket = connect({ path, allowHalfOpen: true });
  socket.on('error', () => {}); // the daemon may hang up in the middle
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  socket.write(bytes);
  if (leaves === 'ends') socket.end();
  await closedWithin(socket, leaves === 'waits' ? 20_000 * PATIENCE : leaves === 'resets' ? 5 : ANSWER_MS);
  socket.destroy();
  return Buffer.concat(pieces).toString('latin1');
}

function closedWithin(socket: Socket, span: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, span);
    for (const event of ['end', 'close']) {
      socket.once(event, () => {
        clearTimeout(timer);
        resolve();
      });
    }
  });
}

async function openFiles(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}
