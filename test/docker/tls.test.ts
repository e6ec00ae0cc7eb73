import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import { connect as connectTls } from 'node:tls';
import { runMooring, TestNode } from '../support/daemon.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { until } from '../support/until.ts';
import { Authority } from './support/certificates.ts';
import { onTerminal } from './support/on-terminal.ts';
import { type CommandResult, runDocker } from './support/run-docker.ts';
import { TwoEngines } from './support/two-engines.ts';

const IMAGE = 'mooring.local/busybox:latest';
/** More than any buffer on the way holds. */
const MANY = 20 * 1024 * 1024;

interface Pair {
  readonly cert: string;
  readonly key: string;
}

test('the Docker API on TCP: whole for who has a certificate, refused and told to all others', async () => {
  const node = await TestNode.create();
  try {
    const folder = join(node.root, 'tls');
    await mkdir(folder);
    const [authority, foreign] = [await Authority.create(folder, 'authority'), await Authority.create(folder, 'foreign')];
    const [server, client, stranger] = [await authority.sign('server', 'DNS:localhost,DNS:engine.example,IP:127.0.0.1'), await authority.sign('client'), await foreign.sign('stranger')];
    await refusesHalfSettings(node, authority, server, client);

    await node.start('--docker-addr', 'tcp://127.0.0.1:0', '--tls-ca', authority.file, '--tls-cert', server.cert, '--tls-key', server.key, '--docker-origin', 'https://panel.example');
    const port = Number(/"address":"tcp:\/\/127\.0\.0\.1:(\d+)"/.exec(await until('it tells its address', () => /"address".*/.exec(node.log)?.[0]))?.[1]);
    const host = `tcp://127.0.0.1:${port}`;
    const flags = (pair: Pair): string[] => ['--tlsverify', '--tlscacert', authority.file, '--tlscert', pair.cert, '--tlskey', pair.key];
    const docker = (args: readonly string[], input: string | Buffer = ''): Promise<CommandResult> => runDocker(host, [...flags(client), ...args], { input });

    await speaksDocker(docker, (steps, args) => onTerminal(host, steps, [...flags(client), ...args]));
    await refusesOthers(port, host, authority, stranger, server);
    await refusesPages(port, authority, client);
    await refusesOldTls(port, authority, client);
    assert.equal((await docker(['version', '-f', '{{.Server.Version}}'])).code, 0, 'it answers on after all that');

    await TwoEngines.clear(node);
    await node.down();
  } catch (error) {
    throw new Error(`${messageOf(error)}\nthe daemon's log:\n${node.log}`, { cause: error });
  } finally {
    await node.destroy();
  }
});

async function refusesHalfSettings(node: TestNode, authority: Authority, server: Pair, client: Pair): Promise<void> {
  const daemon = (...flags: readonly string[]): Promise<CommandResult> => runMooring(['daemon', '--specs', node.specs, ...node.places, '--metrics-addr', 'off', ...flags], {});
  const all = ['--tls-ca', authority.file, '--tls-cert', server.cert, '--tls-key', server.key];
  for (const [flags, words] of [
    [['--docker-addr', 'tcp://127.0.0.1:0'], /without --tls-ca and --tls-cert and --tls-key: .*is root/],
    [['--docker-addr', 'tcp://127.0.0.1:0', ...all.slice(0, 4)], /without --tls-key/],
    [['--docker-addr', '127.0.0.1:0', ...all], /--docker-addr "127\.0\.0\.1:0": it is no address/],
    [all, /--tls-ca is of no use without --docker-addr/],
    [['--docker-addr', 'tcp://127.0.0.1:0', ...all, '--tls-key', client.key], /is not the key of the certificate in/],
    [['--docker-addr', 'tcp://127.0.0.1:0', ...all, '--tls-ca', server.key], /--tls-ca .* holds no certificate/],
    [['--docker-addr', 'tcp://127.0.0.1:0', ...all, '--tls-cert', '/nonexistent'], /cannot read --tls-cert \/nonexistent/],
    [['--docker-addr', 'tcp://127.0.0.1:0', ...all, '--docker-origin', 'panel'], /--docker-origin "panel": it is no origin/],
  ] as const) {
    const { code, stderr } = await daemon(...flags);
    assert.notEqual(code, 0, stderr);
    assert.match(stderr, words);
  }
}

type OnTerminal = (steps: Parameters<typeof onTerminal>[1], args: readonly string[]) => ReturnType<typeof onTerminal>;

async function speaksDocker(docker: (args: readonly string[], input?: Buffer | string) => Promise<CommandResult>, terminal: OnTerminal): Promise<void> {
  assert.deepEqual(await docker(['run', '--rm', IMAGE, 'sh', '-c', 'echo out; echo err >&2; exit 3']), { code: 3, stdout: 'out\n', stderr: 'err\n' });
  // The end of standard input is TLS's close_notify, behind which the output still comes.
  const counted = await docker(['run', '-i', '--rm', IMAGE, 'sh', '-c', 'wc -c; echo after'], Buffer.alloc(MANY, 'mooring\n'));
  assert.deepEqual(counted, { code: 0, stdout: `${MANY}\nafter\n`, stderr: '' });
  const large = await docker(['run', '--rm', IMAGE, 'dd', 'if=/dev/zero', 'bs=64k', `count=${MANY / 65_536}`]);
  assert.equal(large.stdout.length, MANY);

  assert.equal((await docker(['run', '-d', '--name', 'talk', IMAGE, 'sh', '-c', 'for i in 1 2 3; do echo line $i; done; exec sleep 1000'])).code, 0);
  assert.equal((await docker(['ps', '--format', '{{.Names}}'])).stdout, 'talk\n');
  assert.deepEqual(await docker(['exec', '-i', 'talk', 'cat'], 'through exec\n'), { code: 0, stdout: 'through exec\n', stderr: '' });
  const session = await terminal([['until', '#', '\r'], ['send', 'tty\r'], ['expect', '/dev/pts/0'], ['size', 33, 99], ['until', '33 99', 'stty size\r'], ['send', 'exit 4\r']], ['exec', '-it', 'talk', 'sh']);
  assert.deepEqual({ code: session.code, restored: session.restored }, { code: 4, restored: true });
  const followed = docker(['logs', '-f', 'talk']);
  assert.equal((await docker(['kill', 'talk'])).code, 0);
  assert.deepEqual(await followed, { code: 0, stdout: 'line 1\nline 2\nline 3\n', stderr: '' });
}

async function refusesOthers(port: number, host: string, authority: Authority, stranger: Pair, server: Pair): Promise<void> {
  const bare = await runDocker(host, ['--tls', '--tlscacert', authority.file, 'version']);
  assert.match(bare.stderr, /a client certificate signed by this daemon's authority is needed: none was given/);
  assert.notEqual(bare.code, 0);
  const plain = await runDocker(host, ['ps']);
  assert.match(plain.stderr, /this port speaks HTTPS|Client sent an HTTP request/i);
  assert.notEqual(plain.code, 0);

  // Go's client keeps a certificate that the server did not ask for to itself; others send it.
  const refused = await ask(port, authority, stranger);
  assert.deepEqual({ status: refused.status, told: /the one that was given is not accepted/.test(refused.body) }, { status: 403, told: true });
  // A server's certificate is no client's, whoever signed it.
  assert.equal((await ask(port, authority, server)).status, 403);

  // Nor does a session that was refused once become another's when it is taken up again.
  const ca = await readFile(authority.file);
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    let session: Buffer | undefined;
    for (let round = 0; round < 3; round++) {
      const again = connectTls({ port, host: '127.0.0.1', ca, maxVersion, session });
      again.once('secureConnect', () => assert.equal(again.isSessionReused(), round > 0));
      again.on('session', (kept: Buffer) => (session = kept));
      again.write('GET /_ping HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n');
      assert.match(await text(again), /^HTTP\/1\.1 403 [^]*none was given/, `${maxVersion}, round ${round}`);
    }
  }

  const socket = connect(port, '127.0.0.1');
  socket.write('GET /_ping HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  assert.match(await text(socket), /^HTTP\/1\.1 400 [^]*this port speaks HTTPS/);
}

async function refusesPages(port: number, authority: Authority, client: Pair): Promise<void> {
  const cases: readonly (readonly [Readonly<Record<string, string>>, number])[] = [
    [{}, 200],
    [{ host: `localhost:${port}` }, 200],
    [{ host: 'ENGINE.example' }, 200],
    [{ host: 'rebound.example' }, 403],
    [{ host: '10.9.8.7' }, 403],
    [{ origin: 'https://panel.example' }, 200],
    [{ origin: `https://127.0.0.1:${port}` }, 403],
    [{ origin: 'null' }, 403],
  ];
  for (const [headers, status] of cases) assert.equal((await ask(port, authority, client, headers)).status, status, JSON.stringify(headers));
}

async function refusesOldTls(port: number, authority: Authority, client: Pair): Promise<void> {
  const [ca, cert, key] = await Promise.all([authority.file, client.cert, client.key].map((file) => readFile(file)));
  const version = (most: 'TLSv1.1' | 'TLSv1.2'): Promise<string> =>
    new Promise((resolve) => {
      const socket = connectTls({ port, host: '127.0.0.1', ca, cert, key, minVersion: 'TLSv1', maxVersion: most, ciphers: 'DEFAULT@SECLEVEL=0' }, () => {
        resolve(String(socket.getProtocol()));
        socket.destroy();
      });
      socket.once('error', () => resolve('refused'));
    });
  assert.deepEqual([await version('TLSv1.1'), await version('TLSv1.2')], ['refused', 'TLSv1.2']);
}

/** One ping by TLS, with a certificate whatever the server would accept. */
async function ask(port: number, authority: Authority, pair: Pair, headers: Readonly<Record<string, string>> = {}): Promise<{ readonly status: number | undefined; readonly body: string }> {
  const [ca, cert, key] = await Promise.all([authority.file, pair.cert, pair.key].map((file) => readFile(file)));
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path: '/_ping', ca, cert, key, agent: false, headers, checkServerIdentity: () => undefined }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    });
    sent.once('error', reject);
    sent.end();
  });
}
