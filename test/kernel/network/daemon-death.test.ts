import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { OwnedContainerEngine } from '../../../src/engine/containers/container-engine.ts';
import type { ContainerName } from '../../../src/spec/name.ts';
import { bridgeName, tableName } from '../../../src/engine/network/network-names.ts';
import { until } from '../../support/until.ts';
import { containerOf } from '../engine/support.ts';
import { runningEngine } from './killable-engine.ts';
import { run } from './support.ts';

const KILLS = 8;
const KEPT = 'default/kept' as ContainerName;
const PORT = 28_210;

async function portsOf(bridge: string): Promise<number> {
  const links = JSON.parse((await run('ip', ['-j', 'link'])).stdout) as { readonly master?: string }[];
  return links.filter(({ master }) => master === bridge).length;
}

async function removeAll(engine: OwnedContainerEngine, but?: ContainerName): Promise<void> {
  for (const { id, name } of engine.list()) {
    if (name === but) continue;
    await engine.kill(id);
    await until('it has ended', async () => !['Running', 'Creating'].includes((await engine.observe(name))?.process.state ?? ''));
    await engine.remove(id);
  }
}

it('kill -9 of the daemon while it makes and removes networks: nothing is left over, and what runs is reached all the time', { timeout: 120_000 }, async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'mooring-netdeath-'));
  const instance = path.basename(root).slice('mooring-'.length);
  const bridge = bridgeName(instance);
  const table = ['list', 'table', 'inet', tableName(instance)];
  try {
    const first = await runningEngine(root, instance);
    const command = ['sh', '-c', 'while :; do nc -ll -p 80 -e cat; done'];
    const kept = await first.engine.create(containerOf('kept', { command, network: { mode: 'Bridge' }, ports: [{ containerPort: 80, hostPort: PORT }] }), 'hash');
    await first.engine.start(kept);
    await first.engine.close();
    first.database.close();

    // One connection through the published port, open all the time.
    const socket = await until('the port answers', async () => {
      const trying = connect({ host: '127.0.0.1', port: PORT });
      await once(trying, 'connect');
      return trying;
    });
    const echo = async (word: string): Promise<void> => {
      socket.write(word);
      const [data] = (await once(socket, 'data', { signal: AbortSignal.timeout(5_000) })) as [Buffer];
      assert.equal(String(data), word);
    };
    await echo('before');

    for (let kill = 0; kill < KILLS; kill++) {
      const daemon = spawn(process.execPath, [path.join(import.meta.dirname, 'churning-daemon.ts'), root, instance], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(daemon.stdout, 'data');
      await sleep(Math.random() * 250);
      const ended = once(daemon, 'exit');
      daemon.kill('SIGKILL');
      await ended;
      await echo(`after kill ${kill}`);

      const { engine, database } = await runningEngine(root, instance);
      await removeAll(engine, KEPT);
      await until('only the kept container is on the bridge', async () => (await portsOf(bridge)) === 1);
      const rules = (await run('nft', table)).stdout;
      assert.deepEqual(rules.match(/tcp \. \d+ :/g), [`tcp . ${PORT} :`, `tcp . ${PORT} :`], 'one entry for IPv4 and one for IPv6');
      assert.deepEqual(await readdir(path.join(root, 'run', 'netns')), []);
      const held = database.prepare<{ readonly container_id: string }>('SELECT DISTINCT container_id FROM addresses WHERE container_id IS NOT NULL').all();
      assert.deepEqual(held.map((row) => row.container_id), [kept]);
      assert.deepEqual((await engine.observe(KEPT))?.drift, []);
      await echo(`adopted ${kill}`);
      await engine.close();
      database.close();
    }
    socket.destroy();
    const last = await runningEngine(root, instance);
    await removeAll(last.engine);
    await last.engine.close();
    last.database.close();
    assert.equal(await portsOf(bridge), 0);
    assert.ok(!(await run('nft', ['list', 'tables'])).stdout.includes(tableName(instance)));
  } finally {
    const { engine, database } = await runningEngine(root, instance);
    await removeAll(engine);
    await engine.close();
    database.close();
    await rm(root, { recursive: true, force: true });
  }
});
