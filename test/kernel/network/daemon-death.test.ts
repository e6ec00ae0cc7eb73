import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';

import type { OwnedContainerEngine } from '../../../src/engine/containers/owned-container-engine.ts';
import { bridgeName, tableName } from '../../../src/engine/network/network-names.ts';
import type { ContainerName } from '../../../src/spec/name.ts';
import { until } from '../../support/until.ts';
import { NATIVE, runningEngine } from './killable-engine.ts';
import { containerDocument, networkOf } from './documents.ts';
import { run } from './support.ts';

const KILLS = 100;
/** A machine that has much else to do gets to fewer of them, and never to fewer than are between two looks. */
const LONGEST_MS = 120_000;
/** After so many of them everything is looked at; in between the next daemon adopts what the one before left. */
const LOOKS = 25;
const KEPT = 'default/kept' as ContainerName;
const PORT = 28_210;

/** The bridges and ports of an instance, which every name of theirs begins like. */
async function linksOf(engine: OwnedContainerEngine, instance: string): Promise<string[]> {
  const links = JSON.parse((await run('ip', ['-j', 'link'])).stdout) as { readonly ifname: string; readonly ifalias?: string; readonly master?: string }[];
  const own = new Set(links.filter(({ ifalias, ifname }) => ifalias?.endsWith(`of instance ${instance}`) === true || ifname === bridgeName(instance)).map(({ ifname }) => ifname));
  for (const network of engine.networks.list()) own.add(bridgeName(instance, network));
  return links.filter(({ ifname, master }) => own.has(ifname) || own.has(master ?? '')).map(({ ifname }) => ifname);
}

async function removeAll(engine: OwnedContainerEngine, but?: ContainerName): Promise<void> {
  for (const { id, name } of engine.list()) {
    if (name === but) continue;
    await engine.kill(id);
    await until('it has ended', async () => !['Running', 'Creating'].includes((await engine.observe(name))?.process.state ?? ''));
    await engine.remove(id);
  }
  for (const network of engine.networks.list()) if (but === undefined || network !== 'default/keep') await engine.networks.remove(network);
}

/** What is said on a connection comes back, over and over, until it is asked to stop; rejects when it does not. */
async function chatter(socket: Socket, signal: AbortSignal): Promise<number> {
  let said = 0;
  while (!signal.aborted) {
    const word = `word ${said++}`;
    socket.write(word);
    const [data] = (await once(socket, 'data', { signal: AbortSignal.timeout(10_000) })) as [Buffer];
    assert.equal(String(data), word);
    await sleep(5);
  }
  return said;
}

it('kill -9 of the daemon at a hundred instants while it changes networks: nothing is left over, and what runs is reached all the time', { timeout: 290_000 }, async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'mooring-netdeath-'));
  const instance = path.basename(root).slice('mooring-'.length);
  const bundle = path.join(root, 'churning-daemon.mjs');
  const waiting: ChildProcess[] = [];
  try {
    const first = await runningEngine(root, instance);
    await first.engine.networks.ensure(networkOf('keep'));
    const command = ['sh', '-c', 'while :; do nc -ll -p 80 -e cat; done'];
    const kept = await first.engine.create(containerDocument('kept', { command, network: { mode: 'Bridge', networks: [{ name: 'keep' }] }, ports: [{ containerPort: 80, hostPort: PORT }] }), 'hash');
    await first.engine.start(kept);
    await first.engine.close();
    first.database.close();

    // One connection through the published port, in use all the time.
    const socket = await until('the port answers', async () => {
      const trying = connect({ host: '127.0.0.1', port: PORT });
      await once(trying, 'connect');
      return trying;
    });
    const stop = new AbortController();
    const talk = chatter(socket, stop.signal);
    talk.catch(() => {}); // it is asked for below

    // In one file, and loaded ahead: what is to be met is the engine's work, not its loading.
    const entry = path.join(import.meta.dirname, 'churning-daemon.ts');
    await build({ entryPoints: [entry], outfile: bundle, bundle: true, platform: 'node', format: 'esm', target: 'node24', logLevel: 'error', banner: { js: "import { createRequire as requireHere } from 'node:module'; const require = requireHere(import.meta.url);" } });
    const load = (): ChildProcess => spawn(process.execPath, [bundle, root, instance, NATIVE], { stdio: ['pipe', 'pipe', 'inherit'] });
    waiting.push(load(), load());

    const began = performance.now();
    let kills = 0;
    for (let kill = 1; kill <= KILLS && (kills < LOOKS || performance.now() - began < LONGEST_MS); kill++) {
      kills = kill;
      const daemon = waiting.shift() ?? load();
      const ended = once(daemon, 'exit');
      daemon.stdin?.write('go\n');
      let heard = '';
      daemon.stdout?.on('data', (data) => (heard += String(data)));
      await until('it is at work', () => heard.includes('ready'));
      if (kill + waiting.length < KILLS) waiting.push(load());
      await sleep(Math.random() * 80);
      daemon.kill('SIGKILL');
      await ended;
      if (kill % LOOKS !== 0) continue;

      const { engine, database } = await runningEngine(root, instance);
      await removeAll(engine, KEPT);
      await until('only the kept container is connected', async () => (await linksOf(engine, instance)).length === 2);
      const rules = (await run('nft', ['list', 'table', 'inet', tableName(instance)])).stdout;
      assert.deepEqual(rules.match(/(tcp|udp) \. \d+ :/g), [`tcp . ${PORT} :`, `tcp . ${PORT} :`], 'one entry for IPv4 and one for IPv6');
      assert.deepEqual(await readdir(path.join(root, 'run', 'netns')), []);
      const held = database.prepare<{ readonly container_id: string }>('SELECT container_id FROM addresses WHERE container_id IS NOT NULL UNION SELECT container_id FROM endpoints').all();
      assert.deepEqual(held.map((row) => row.container_id), [kept]);
      assert.deepEqual((await engine.observe(KEPT))?.drift, []);
      await engine.close();
      database.close();
    }
    stop.abort();
    assert.ok((await talk) > kills, 'the connection was in use all the time');
    socket.destroy();
    const last = await runningEngine(root, instance);
    await removeAll(last.engine);
    assert.deepEqual(await linksOf(last.engine, instance), []);
    await last.engine.close();
    last.database.close();
    assert.ok(!(await run('nft', ['list', 'tables'])).stdout.includes(tableName(instance)));
  } finally {
    for (const each of waiting) each.kill('SIGKILL');
    const { engine, database } = await runningEngine(root, instance);
    await removeAll(engine);
    await engine.close();
    database.close();
    await rm(root, { recursive: true, force: true });
  }
});
