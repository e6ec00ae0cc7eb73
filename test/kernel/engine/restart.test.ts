import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import type { ContainerId, ObservedContainer } from '../../../src/engine/engine.ts';
import { containerName } from '../../../src/spec/name.ts';
import { cgroupsOf, processesMentioning, readIfThere, startTimeOf, stateOf } from '../../support/kernel.ts';
import { until } from '../../support/until.ts';
import { containerOf, openNode, type TestNode } from './support.ts';

describe('a restarted engine', () => {
  let node: TestNode;
  before(async () => {
    node = await openNode();
  });
  after(() => node.close());

  async function observe(name: string): Promise<ObservedContainer> {
    const observed = await node.engine.observe(containerName({ namespace: 'default', name }));
    assert.ok(observed);
    return observed;
  }

  async function run(name: string, command = ['sleep', '1000']) {
    const id = await node.engine.create(containerOf(name, { command, resources: { memory: '64Mi' } }), 'h');
    await node.engine.start(id);
    const { process } = await observe(name);
    assert.equal(process.state, 'Running');
    return { id, init: process.init, monitor: process.monitor, startedAt: process.startedAt };
  }

  /** The file of one of the container's cgroups that holds a limit, by its name on v1 and on v2. */
  async function limitOf(id: ContainerId, ...names: readonly string[]): Promise<string> {
    const folders = (await cgroupsOf(node.instance)).filter((each) => each.endsWith(id));
    for (const file of folders.flatMap((folder) => names.map((name) => path.join(folder, name)))) {
      if ((await readIfThere(file)) !== undefined) return file;
    }
    assert.fail(`none of ${names.join(', ')} in ${folders.join(', ')}`);
  }

  async function endOf(name: string) {
    return until(`${name} has ended`, async () => {
      const { process } = await observe(name);
      return process.state === 'Exited' ? process.exit : undefined;
    });
  }

  async function kill(id: ContainerId, name: string): Promise<void> {
    await node.engine.kill(id);
    await endOf(name);
    await node.engine.remove(id);
  }

  it('goes on with the same processes, watches them, and sees nothing wrong', async () => {
    const { id, init, startedAt } = await run('adopted');
    await node.restart();
    await node.engine.adopt();
    const { process: seen, drift } = await observe('adopted');
    assert.deepEqual([seen.state, drift], ['Running', []]);
    assert.equal(seen.state === 'Running' && seen.init.pid, init.pid);
    assert.equal(seen.state === 'Running' && seen.startedAt, startedAt);
    assert.equal(String(init.startTime), await startTimeOf(init.pid));
    assert.equal((await node.engine.stats()).length, 1);

    node.events.length = 0;
    const limit = await limitOf(id, 'memory.limit_in_bytes', 'memory.max');
    await writeFile(limit, '134217728');
    await until('the change of a limit is heard', () => node.events.some(({ reason }) => reason === 'LimitsChanged'));
    assert.deepEqual((await observe('adopted')).drift.map(({ kind }) => kind), ['Limits']);
    await node.engine.restoreLimits(id);
    assert.equal(await readFile(limit, 'utf8'), `${64 << 20}\n`);
    process.kill(init.pid, 'SIGTERM');
    process.kill(init.pid, 'SIGKILL');
    await until('the end is heard', () => node.events.some(({ reason }) => reason === 'Exited'));
    assert.equal((await endOf('adopted')).exitCode, 137);
    await node.engine.remove(id);
  });

  it('learns how a container ended meanwhile', async () => {
    const { id } = await run('meanwhile', ['sh', '-c', 'sleep 0.2; exit 5']);
    await node.engine.close();
    await until('the exit record is there', () => readFile(path.join(node.dataDir.containers, id, 'exit.json')));
    await node.restart();
    await node.engine.adopt();
    assert.equal((await endOf('meanwhile')).exitCode, 5);
    await node.engine.remove(id);
  });

  it('puts on record the end of what lost its monitor meanwhile', async () => {
    const orphan = await run('orphan');
    const lost = await run('lost');
    await node.engine.close();
    process.kill(lost.monitor.pid, 'SIGKILL');
    process.kill(lost.init.pid, 'SIGKILL');
    process.kill(orphan.monitor.pid, 'SIGKILL');
    await until('they are gone', async () => [undefined, 'Z'].includes(await stateOf(lost.init.pid)));
    await node.restart();
    await node.engine.adopt();
    assert.ok([137, 255].includes((await endOf('orphan')).exitCode)); // killed by us, or by the kernel before we saw it
    assert.deepEqual([(await endOf('lost')).exitCode, (await endOf('lost')).signal], [255, null]);
    assert.ok([undefined, 'Z'].includes(await stateOf(orphan.init.pid)));
    for (const { id } of [orphan, lost]) await node.engine.remove(id);
  });

  it('ends processes whose state was lost before it starts others', async () => {
    const { id, init } = await run('stateless');
    await node.engine.close();
    await rm(path.join(node.runDir, 'containers', id), { recursive: true });
    await node.restart();
    await node.engine.adopt();
    assert.equal((await observe('stateless')).process.state, 'None');
    await node.engine.start(id);
    assert.ok([undefined, 'Z'].includes(await stateOf(init.pid)));
    const { process } = await observe('stateless');
    assert.equal(process.state, 'Running');
    await kill(id, 'stateless');
  });

  it('removes everything that bears its name without a record, and nothing else', async () => {
    const { id, init } = await run('kept');
    const stray = 'f'.repeat(64);
    const folders = (await cgroupsOf(node.instance)).filter((each) => each.endsWith(id)).map((each) => each.replace(id, stray));
    assert.ok(folders.length > 0);
    for (const folder of folders) await mkdir(path.join(folder, 'nested'), { recursive: true });
    const sleeper = spawn('sleep', ['1000']);
    const gone = once(sleeper, 'exit');
    const [pids = folders[0] ?? ''] = folders.filter((each) => each.includes('/pids/'));
    await writeFile(path.join(pids, 'nested', 'cgroup.procs'), String(sleeper.pid));
    for (const folder of [path.join(node.dataDir.containers, stray, 'upper'), path.join(node.runDir, 'containers', stray), path.join(node.dataDir.temporary, 'half')])
      await mkdir(folder, { recursive: true });

    await node.restart();
    await node.engine.adopt();
    await node.engine.collect();
    assert.deepEqual(await gone, [null, 'SIGKILL']);
    assert.deepEqual((await cgroupsOf(node.instance)).filter((each) => each.includes(stray)), []);
    assert.deepEqual(await readdir(node.dataDir.containers), [id]);
    assert.deepEqual(await readdir(path.join(node.runDir, 'containers')), [id]);
    assert.deepEqual(await readdir(node.dataDir.temporary), []);
    assert.equal(await startTimeOf(init.pid), String(init.startTime));
    await kill(id, 'kept');
    assert.deepEqual(await cgroupsOf(node.instance), []);
    assert.deepEqual(await processesMentioning(node.root), []);
  });

  it('takes away a removed container that its predecessor was killed over', async () => {
    const { id, init } = await run('half-removed');
    await node.engine.close();
    process.kill(init.pid, 'SIGKILL');
    await until('the exit record is there', () => readFile(path.join(node.dataDir.containers, id, 'exit.json')));
    await rm(path.join(node.dataDir.containers, id), { recursive: true });
    await node.restart();
    await node.engine.adopt();
    await node.engine.collect();
    assert.notEqual((await observe('half-removed')).process.state, 'Running');
    await node.engine.remove(id);
    assert.deepEqual(node.engine.list(), []);
    assert.deepEqual(await cgroupsOf(node.instance), []);
    assert.deepEqual(await readdir(path.join(node.runDir, 'containers')), []);
  });
});
