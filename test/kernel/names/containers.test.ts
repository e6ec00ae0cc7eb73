import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { until } from '../../support/until.ts';
import type { TestNode } from '../engine/support.ts';
import { openNetworkNode, removeContainer, type Started, startOn } from '../network/support.ts';

const run = promisify(execFile);

async function network(t: TestContext): Promise<TestNode> {
  const node = await openNetworkNode();
  t.after(() => node.close());
  return node;
}

/** What a name is to a container: its addresses, as its own tools find them. */
async function lookUp({ pid }: Started, name: string): Promise<string[]> {
  const { stdout } = await run('nsenter', ['-t', String(pid), '-m', '-n', 'busybox', 'nslookup', name]).catch((error: { stdout: string }) => error);
  // The first address is the server's.
  return [...stdout.matchAll(/^Address(?: \d+)?:\s+(\S+)/gm)].flatMap(([, address = '']) => address).slice(1);
}

async function inside({ pid }: Started, file: string): Promise<string> {
  return readFile(`/proc/${pid}/root${file}`, 'utf8');
}

test('neighbours find each other by name, until one is gone', async (t) => {
  const node = await network(t);
  const db = await startOn(node, 'db');
  const web = await startOn(node, 'web', [], { network: { mode: 'Bridge', links: [{ container: 'db', alias: 'store' }] } });
  assert.match(await inside(web, '/etc/resolv.conf'), /^nameserver \d+\.\d+\.\d+\.1\n(search .*\n)?options ndots:0 timeout:1 attempts:5/);
  for (const name of ['db', 'store', 'db.default.mooring.internal']) assert.deepEqual(new Set(await lookUp(web, name)), new Set([db.v4, db.v6]), name);
  assert.deepEqual(new Set(await lookUp(db, 'web')), new Set([web.v4, web.v6]));
  assert.deepEqual(await lookUp(db, 'store'), []);
  await removeContainer(node, db);
  assert.deepEqual(await lookUp(web, 'db.default.mooring.internal'), []);
});

test('a container started again is found at once', async (t) => {
  const node = await network(t);
  const web = await startOn(node, 'web');
  const db = await startOn(node, 'db');
  await node.engine.kill(db.id);
  await until('it has ended', async () => (await node.engine.observe(db.name))?.process.state === 'Exited');
  assert.deepEqual(await lookUp(web, 'db.default.mooring.internal'), []);
  await node.engine.start(db.id);
  assert.deepEqual(new Set(await lookUp(web, 'db')), new Set([db.v4, db.v6]));
});

test('hosts and resolv.conf have what the container asks for, in every mode', async (t) => {
  const node = await network(t);
  const asks = { extraHosts: [{ ip: '192.0.2.7', hostnames: ['far', 'far.example'] }], dns: { servers: ['192.0.2.53'], searches: ['corp.example'], options: ['ndots:3'] } };
  const bridged = await startOn(node, 'bridged', [], { network: { mode: 'Bridge', ...asks } });
  assert.match(await inside(bridged, '/etc/hosts'), new RegExp(`^${bridged.v4}\\tbridged$`, 'm'));
  assert.match(await inside(bridged, '/etc/resolv.conf'), /^search corp\.example\noptions ndots:3 timeout:1 attempts:5/m);
  const host = await startOn(node, 'host', [], { network: { mode: 'Host', ...asks } });
  assert.ok((await inside(host, '/etc/hosts')).startsWith((await readFile('/etc/hosts', 'utf8')).trimEnd()), "the node's own hosts come first");
  const none = await startOn(node, 'none', [], { network: { mode: 'None', ...asks } });
  for (const each of [bridged, host, none]) assert.match(await inside(each, '/etc/hosts'), /^192\.0\.2\.7\tfar far\.example$/m, each.name);
  for (const each of [host, none]) assert.match(await inside(each, '/etc/resolv.conf'), /^nameserver 192\.0\.2\.53\nsearch corp\.example\noptions ndots:3/m, each.name);
});

test('names are told again after a restart of the daemon, and a client that asked in between has its answer', async (t) => {
  const node = await network(t);
  const db = await startOn(node, 'db');
  const web = await startOn(node, 'web');
  await node.engine.close();
  // The C library's resolver with the container's own resolv.conf: it waits a second for an answer, and asks five times.
  const resolvConf = path.join(node.root, 'resolv.conf');
  await writeFile(resolvConf, await inside(web, '/etc/resolv.conf'));
  const asked = run('nsenter', ['-t', String(web.pid), '-n', 'unshare', '-m', 'sh', '-c', `mount --bind ${resolvConf} /etc/resolv.conf && exec getent ahostsv4 db`]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await node.restart();
  await node.engine.adopt();
  assert.match((await asked).stdout, new RegExp(`^${db.v4.replaceAll('.', '\\.')}\\s`));
  assert.deepEqual(new Set(await lookUp(web, 'db')), new Set([db.v4, db.v6]));
});

test('a second instance on the machine has names of its own', async (t) => {
  const [one, two] = [await network(t), await network(t)];
  const here = await startOn(one, 'here');
  const there = await startOn(two, 'there');
  assert.deepEqual(await lookUp(here, 'there.default.mooring.internal'), []);
  assert.deepEqual(new Set(await lookUp(there, 'there')), new Set([there.v4, there.v6]));
});
