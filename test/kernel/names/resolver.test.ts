import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import * as dns from 'dns-packet';
import type { ContainerId } from '../../../src/engine/engine.ts';
import type { NamedEndpoint } from '../../../src/engine/names/endpoint.ts';
import { Names } from '../../../src/engine/names/names.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import type { ContainerName } from '../../../src/spec/name.ts';
import { until } from '../../support/until.ts';
import { answerTo, scriptedNameServer, type Script } from './scripted-name-server.ts';

const run = promisify(execFile);

/** A network on the node's loopback, all of whose addresses are there already. */
class Bench {
  readonly gateway: string;
  readonly names: Names;
  readonly resolvConf: string;
  #last = 1;

  private constructor(resolvConf: string) {
    this.gateway = `127.${randomInt(1, 250)}.${randomInt(1, 250)}.1`;
    this.resolvConf = resolvConf;
    this.names = new Names({ clock: systemClock, logger: createLogger('silent'), resolvConf });
  }

  static async open(t: TestContext): Promise<Bench> {
    const folder = await mkdtemp(path.join(tmpdir(), 'mooring-names-'));
    const bench = new Bench(path.join(folder, 'resolv.conf'));
    t.after(async () => {
      await bench.names.closeAll();
      await rm(folder, { recursive: true });
      const { stdout } = await run('ss', ['-Hlntu', `src ${bench.gateway}`]);
      assert.equal(stdout, '', 'nothing listens any more');
    });
    await bench.names.open('net', bench.site);
    return bench;
  }

  get site() {
    return { gateways: [this.gateway], subnets: [`${this.gateway.replace(/\.1$/, '.0')}/24`] };
  }

  join(name: string, more: Partial<NamedEndpoint> = {}): NamedEndpoint {
    const address = this.gateway.replace(/\.1$/, `.${++this.#last}`);
    const endpoint = { id: this.#last.toString(16).padStart(12, '0').padEnd(64, '0') as ContainerId, name: name as ContainerName, addresses: [address], aliases: [], links: [], servers: [], ...more };
    this.names.join('net', endpoint);
    return endpoint;
  }

  /** What dig prints, asked by a container. */
  async dig(asker: NamedEndpoint | string, ...words: readonly string[]): Promise<string> {
    const from = typeof asker === 'string' ? asker : (asker.addresses[0] ?? '');
    const { stdout } = await run('dig', ['-b', from, `@${this.gateway}`, '+tries=1', '+timeout=8', '+nocookie', ...words]);
    return stdout.trim();
  }
}

test('containers find each other by name, by alias, by link and by address, over both transports', async (t) => {
  const bench = await Bench.open(t);
  const db = bench.join('shop/db', { aliases: ['postgres'] });
  const web = bench.join('shop/web', { links: [{ container: 'db', alias: 'store' }] });
  const [address] = db.addresses;
  for (const name of ['db', 'DB', 'postgres', 'store', 'db.shop', 'db.shop.mooring.internal', db.id.slice(0, 12)]) assert.equal(await bench.dig(web, '+short', name), address, name);
  assert.equal(await bench.dig(web, '+short', '+tcp', 'db'), address);
  assert.equal(await bench.dig(web, '+short', '-x', address ?? ''), 'db.shop.mooring.internal.');
  assert.match(await bench.dig(web, 'AAAA', 'db'), /status: NOERROR.*ANSWER: 0/s);
  assert.match(await bench.dig(web, 'nobody.mooring.internal'), /status: NXDOMAIN/);
  bench.names.leave('net', db.id);
  await writeFile(bench.resolvConf, '');
  assert.match(await bench.dig(web, 'db'), /status: SERVFAIL/);
});

test('replicas that share an alias come first in turn', async (t) => {
  const bench = await Bench.open(t);
  const web = bench.join('shop/web');
  const replicas = ['a', 'b', 'c'].map((name) => bench.join(`shop/${name}`, { aliases: ['api'] }).addresses[0]);
  const firsts: (string | undefined)[] = [];
  for (let n = 0; n < 3; n++) firsts.push((await bench.dig(web, '+short', 'api')).split('\n')[0]);
  assert.deepEqual(new Set(firsts), new Set(replicas));
});

test('more replicas than a datagram holds are told by TCP', async (t) => {
  const bench = await Bench.open(t);
  const web = bench.join('shop/web');
  for (let n = 0; n < 120; n++) bench.join(`shop/r${n}`, { aliases: ['crowd'] });
  const shown = (await bench.dig(web, '+short', '+noedns', 'crowd')).split('\n').filter((line) => !line.startsWith(';'));
  assert.equal(shown.length, 120);
  assert.match(await bench.dig(web, '+noedns', '+ignore', 'crowd'), /flags: .*\btc\b/);
});

const record = (query: dns.DecodedPacket, data: string, ttl = 60): dns.Answer => ({ type: 'A', name: query.questions?.[0]?.name ?? '', ttl, data });
const echo: Script = (query) => [answerTo(query, [record(query, '192.0.2.1')])];

test('all else is asked of the name servers that the container or the node has, and remembered', async (t) => {
  const bench = await Bench.open(t);
  await using node = await scriptedNameServer('127.0.0.1', echo);
  await using own = await scriptedNameServer('127.0.0.1', (query) => [answerTo(query, [record(query, '192.0.2.2')])]);
  const plain = bench.join('shop/plain', { servers: [node.address] });
  const special = bench.join('shop/special', { servers: [own.address] });
  assert.equal(await bench.dig(plain, '+short', 'example.org'), '192.0.2.1');
  assert.equal(await bench.dig(special, '+short', 'example.org'), '192.0.2.2');
  assert.equal(await bench.dig(plain, '+short', 'example.org'), '192.0.2.1');
  assert.deepEqual([node.asked, own.asked], [['example.org udp'], ['example.org udp']]);
  assert.equal(await bench.dig(plain, '+short', '+tcp', 'other.example'), '192.0.2.1');
  assert.equal(node.asked.at(-1), 'other.example tcp');
});

test('a name server that is silent, absent, garbled or forged is passed over', async (t) => {
  const bench = await Bench.open(t);
  await using silent = await scriptedNameServer('127.0.0.1', () => []);
  await using forged = await scriptedNameServer('127.0.0.1', (query) => {
    const right = answerTo(query, [record(query, '192.0.2.66')]);
    const otherId = Buffer.from(right);
    otherId.writeUInt16BE(((query.id ?? 0) + 1) & 0xffff);
    const otherName = answerTo({ ...query, questions: [{ type: 'A', name: 'evil.example' }] }, [record(query, '192.0.2.66')]);
    return [otherId, otherName, Buffer.from('noise'), Buffer.alloc(0), answerTo(query, [record(query, '192.0.2.3')])];
  });
  await using good = await scriptedNameServer('127.0.0.1', echo);
  const web = bench.join('shop/web', { servers: ['127.0.0.1#9', silent.address, good.address] });
  assert.equal(await bench.dig(web, '+short', 'example.org'), '192.0.2.1');
  assert.equal(silent.asked.length, 1);
  const wary = bench.join('shop/wary', { servers: [forged.address] });
  assert.equal(await bench.dig(wary, '+short', 'example.net'), '192.0.2.3');
});

test('a cut answer is passed on as such, and asked for again by TCP', async (t) => {
  const bench = await Bench.open(t);
  const many: Script = (query, transport) => {
    if (transport === 'tcp') return [answerTo(query, Array.from({ length: 100 }, (_, n) => record(query, `192.0.2.${n + 1}`)))];
    const cut = answerTo(query, []);
    cut.writeUInt16BE(cut.readUInt16BE(2) | dns.TRUNCATED_RESPONSE, 2);
    return [cut];
  };
  await using server = await scriptedNameServer('127.0.0.1', many);
  const web = bench.join('shop/web', { servers: [server.address] });
  assert.equal((await bench.dig(web, '+short', 'big.example')).split('\n').filter((line) => !line.startsWith(';')).length, 100);
  assert.deepEqual(server.asked, ['big.example udp', 'big.example tcp']);
});

test("the node's own servers are asked as resolv.conf has them now", async (t) => {
  const bench = await Bench.open(t);
  const web = bench.join('shop/web');
  await writeFile(bench.resolvConf, `# none\nnameserver ${bench.gateway}\n`);
  assert.match(await bench.dig(web, 'example.org'), /status: SERVFAIL/, 'it does not ask itself');
});

test('others than those on the network are not answered', async (t) => {
  const bench = await Bench.open(t);
  bench.join('shop/db');
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  let heard = 0;
  socket.on('message', () => (heard += 1));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.send(dns.encode({ type: 'query', id: 1, questions: [{ name: 'db', type: 'A' }] }), 53, bench.gateway);
  const web = bench.join('shop/web');
  assert.notEqual(await bench.dig(web, '+short', 'db.shop'), '', 'one who is on it is');
  assert.equal(heard, 0);
});

test('clients that stall, flood or talk nonsense hold nobody up', async (t) => {
  const bench = await Bench.open(t);
  await using silent = await scriptedNameServer('127.0.0.1', () => []);
  const rude = bench.join('shop/rude', { servers: [silent.address] });
  const polite = bench.join('shop/polite');
  const stalled = Array.from({ length: 20 }, () => connect({ host: bench.gateway, port: 53, localAddress: rude.addresses[0] ?? '' }));
  t.after(() => stalled.forEach((socket) => socket.destroy()));
  await Promise.all(stalled.map((socket) => once(socket, 'connect')));
  for (const socket of stalled) socket.write(Buffer.from([0xff]));
  const flood = createSocket('udp4');
  t.after(() => flood.close());
  flood.bind(0, rude.addresses[0]);
  await once(flood, 'listening');
  const refused = new Promise((resolve) => flood.on('message', (bytes) => dns.decode(bytes).id === 200 && resolve((dns.decode(bytes).flags ?? 0) & 0xf)));
  for (let id = 1; id <= 200; id++) flood.send(dns.encode({ type: 'query', id, questions: [{ name: `n${id}.example`, type: 'A' }] }), 53, bench.gateway);
  flood.send(Buffer.from('nonsense, and more of it'), 53, bench.gateway);
  assert.equal(await refused, 2, 'beyond a hundred at once it is refused');
  assert.equal(await bench.dig(polite, '+short', 'polite'), polite.addresses[0]);
});

test('a port that is taken is told with what to do, and a network opened again serves at once', async (t) => {
  const bench = await Bench.open(t);
  const rival = new Names({ clock: systemClock, logger: createLogger('silent'), resolvConf: bench.resolvConf });
  await assert.rejects(rival.open('net', bench.site), { code: 'Conflict', message: new RegExp(`port 53 of ${bench.gateway.replaceAll('.', '\\.')} is in use`) });
  await rival.closeAll();
  const web = bench.join('shop/web');
  assert.equal(await bench.dig(web, '+short', 'web'), web.addresses[0]);
  await bench.names.close('net');
  await bench.names.open('net', bench.site);
  bench.names.join('net', web);
  assert.equal(await bench.dig(web, '+short', 'web'), web.addresses[0]);
});

test('names are told hundreds at a time', async (t) => {
  const bench = await Bench.open(t);
  const web = bench.join('shop/web');
  const child = spawn('python3', ['-c', FLOOD, bench.gateway, web.addresses[0] ?? ''], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  await until('all is answered', async () => printed !== '');
  assert.equal(printed.trim(), '1000');
});

/** Asks for one name a thousand times, fifty at a time, and prints how many answers came. */
const FLOOD = `
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[2], 0)); s.settimeout(5)
q = lambda i: struct.pack('>HHHHHH', i, 0x100, 1, 0, 0, 0) + b'\\x03web\\x00\\x00\\x01\\x00\\x01'
got = 0
for start in range(0, 1000, 50):
    for i in range(start, start + 50): s.sendto(q(i), (sys.argv[1], 53))
    for _ in range(50): s.recvfrom(512); got += 1
print(got)
`;
