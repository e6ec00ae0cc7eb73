import assert from 'node:assert/strict';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, test } from 'node:test';
import { createProber } from '../../../src/daemon/prober.ts';
import { requestFor, statusIn } from '../../../src/daemon/probes/grpc.ts';
import type { ContainerId } from '../../../src/engine/engine.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { ProbeAction, ProbeAnswer } from '../../../src/reconcile/prober.ts';
import { readinessProbeSchema } from '../../../src/spec/probe.ts';

const engine = { exec: assert.fail, attachExec: assert.fail, killExec: assert.fail };
const prober = createProber(engine, { inspect: assert.fail }, systemClock);

function actionOf(probe: object): ProbeAction {
  return readinessProbeSchema.parse(probe);
}

function ask(probe: object, { address = '127.0.0.1', timeoutMs = 20_000 }: { readonly address?: string | undefined; readonly timeoutMs?: number } = {}): Promise<ProbeAnswer> {
  return prober.probe({ id: 'a'.repeat(64) as ContainerId, address }, actionOf(probe), timeoutMs);
}

/** Runs the body with a server, and its port. */
async function serving(server: Server, body: (port: number) => Promise<void>): Promise<void> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await body((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

const web = (listener: RequestListener): Server => createHttpServer(listener);

describe('httpGet', () => {
  test('passes with a status from 200 to 399, and says what it was told otherwise', () =>
    serving(web((request, response) => response.writeHead(Number(request.url?.slice(1)), {}).end('so it is')), async (port) => {
      for (const [status, exitCode] of [[200, 0], [204, 0], [304, 0], [404, 1], [503, 1]] as const) {
        const answer = await ask({ httpGet: { port, path: `/${status}` } });
        assert.equal(answer.exitCode, exitCode, answer.output);
      }
      assert.match((await ask({ httpGet: { port, path: '/500' } })).output, /^GET http:\/\/127\.0\.0\.1:\d+\/500 was answered with status 500: so it is$/);
    }));

  test('sends its headers, one of them in place of the address', () =>
    serving(
      web(({ headers }, response) => response.writeHead(headers.host === 'shop' && headers['x-a'] === '1, 2' ? 200 : 400).end()),
      async (port) => {
        const httpHeaders = [{ name: 'Host', value: 'shop' }, { name: 'X-A', value: '1' }, { name: 'x-a', value: '2' }];
        const answer = await ask({ httpGet: { port, httpHeaders } });
        assert.equal(answer.exitCode, 0, answer.output);
      },
    ));

  test('follows redirections on its host, not for ever, and takes one elsewhere for an answer', () =>
    serving(
      web(({ url = '/' }, response) => {
        const to: Readonly<Record<string, string>> = { '/here': '/there', '/round': '/round', '/away': 'http://192.0.2.1/' };
        response.writeHead(to[url] === undefined ? (url === '/there' ? 500 : 200) : 302, to[url] === undefined ? {} : { location: to[url] }).end();
      }),
      async (port) => {
        assert.match((await ask({ httpGet: { port, path: '/here' } })).output, /\/there was answered with status 500/);
        assert.match((await ask({ httpGet: { port, path: '/round' } })).output, /redirected 10 times/);
        assert.equal((await ask({ httpGet: { port, path: '/away' } })).exitCode, 0);
      },
    ));

  test('fails without an answer in time, with what was awaited', () =>
    serving(web(() => {}), async (port) => {
      const { exitCode, output } = await ask({ httpGet: { port } }, { timeoutMs: 100 });
      assert.deepEqual([exitCode, output], [-1, `there was no answer from 127.0.0.1 port ${port} within 0.1 s`]);
    }));
});

describe('tcpSocket', () => {
  test('passes where somebody listens', () => serving(createServer(), async (port) => assert.equal((await ask({ tcpSocket: { port } })).exitCode, 0)));

  test('fails where nobody does, and without an address', async () => {
    let free = 0;
    await serving(createServer(), async (port) => void (free = port));
    const refused = await ask({ tcpSocket: { port: free } });
    assert.deepEqual([refused.exitCode, refused.output], [1, `127.0.0.1 port ${free}: connect ECONNREFUSED 127.0.0.1:${free}`]);
    const nowhere = await prober.probe({ id: 'a' as ContainerId, address: undefined }, actionOf({ tcpSocket: { port: 1 } }), 1_000);
    assert.match(nowhere.output, /no address .*probe it by exec/);
  });
});

describe('grpc', () => {
  /** A server that answers as gRPC has it: a frame, then the status in the trailers. */
  function grpc(answer: (stream: ServerHttp2Stream, path: string, body: Buffer) => void): Server {
    const server = createHttp2Server();
    server.on('stream', (stream, headers) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => answer(stream, String(headers[':path']), Buffer.concat(parts)));
      stream.on('error', () => {});
    });
    return server;
  }

  function respond(stream: ServerHttp2Stream, message: readonly number[], trailers: Readonly<Record<string, string>> = { 'grpc-status': '0' }): void {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(Buffer.from([0, 0, 0, 0, message.length, ...message]));
  }

  test('passes with SERVING, and asks for the service by name', () => {
    const asked: string[] = [];
    return serving(
      grpc((stream, path, body) => {
        asked.push(`${path} ${body.toString('latin1')}`);
        respond(stream, [0x08, body.length > 5 ? 2 : 1]);
      }),
      async (port) => {
        assert.deepEqual(await ask({ grpc: { port } }), { exitCode: 0, output: 'the server is SERVING' });
        assert.deepEqual(await ask({ grpc: { port, service: 'shop' } }), { exitCode: 1, output: 'service shop is NOT_SERVING' });
        assert.deepEqual(asked, ['/grpc.health.v1.Health/Check \0\0\0\0\0', '/grpc.health.v1.Health/Check \0\0\0\0\x06\n\x04shop']);
      },
    );
  });

  test('says why where there is no such service, or no such protocol', async () => {
    await serving(grpc((stream) => stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12', 'grpc-message': 'unknown%20service' }, { endStream: true })), async (port) =>
      assert.deepEqual(await ask({ grpc: { port } }), { exitCode: 1, output: 'it does not implement the health checking protocol: gRPC status 12, unknown service' }));
    await serving(grpc((stream) => stream.respond({ ':status': 404 }, { endStream: true })), async (port) => assert.match((await ask({ grpc: { port } })).output, /HTTP status 404/));
    await serving(grpc((stream) => respond(stream, [0x08, 1], { 'grpc-status': '14', 'grpc-message': 'going%ff' })), async (port) => assert.match((await ask({ grpc: { port } })).output, /gRPC status 14, going%ff/));
  });

  test('fails with what speaks no HTTP/2, and with what says nothing', async () => {
    await serving(web((_request, response) => response.end()), async (port) => assert.equal((await ask({ grpc: { port } })).exitCode, 1));
    await serving(createServer(), async (port) => assert.equal((await ask({ grpc: { port } }, { timeoutMs: 100 })).exitCode, -1));
  });

  test('reads its one message and no other', () => {
    const frame = (...message: number[]): Buffer => Buffer.from([0, 0, 0, 0, message.length, ...message]);
    assert.equal(statusIn(frame()), 0, 'a field that is left out is 0');
    assert.equal(statusIn(frame(0x08, 1)), 1);
    assert.equal(statusIn(frame(0x12, 2, 0x41, 0x42, 0x08, 2)), 2, 'fields of other numbers are passed over');
    for (const bad of [Buffer.alloc(0), Buffer.from([1, 0, 0, 0, 0]), Buffer.from([0, 0, 0, 0, 9, 8, 1]), frame(0x08), frame(0x0d, 1, 2, 3, 4), frame(0x80, 0x80, 0x80, 0x80, 0x80)]) assert.equal(statusIn(bad), undefined);
    assert.equal(requestFor('x'.repeat(200)).subarray(0, 3).toString('hex'), '0ac801');
  });
});
