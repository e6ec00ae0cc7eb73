import assert from 'node:assert/strict';
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ContainerId, ExitRecord, ObservedProcess } from '../../../src/engine/engine.ts';
import { messageOf } from '../../../src/lib/errors.ts';
import { containerName } from '../../../src/spec/name.ts';
import { cgroupsOf, mountsMentioning, processesMentioning, readIfThere, stateOf } from '../../support/kernel.ts';
import { logLines } from '../../support/log-lines.ts';
import { until } from '../../support/until.ts';
import { containerOf, openNode, type TestNode } from './support.ts';

type Running = Extract<ObservedProcess, { state: 'Running' }>;

const EATS_MEMORY = 'x=a; while :; do x=$x$x; done';

/** Tells as soon as the kernel does that a container's state file is there, and by that its monitor, which has yet to make the container. */
class CreatingMonitor {
  readonly pid: Promise<number>;
  readonly #watcher: FSWatcher;

  constructor(stateDir: string) {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.pid = promise;
    this.#watcher = watch(stateDir, (_, name) => {
      if (name !== 'state.json') return;
      this.#watcher.close();
      resolve((JSON.parse(readFileSync(path.join(stateDir, name), 'utf8')) as { monitor: { pid: number } }).monitor.pid);
    });
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
  }
}

describe('a node that is treated badly', () => {
  let node: TestNode;
  before(async () => {
    node = await openNode();
  });
  after(() => node.close());

  async function observe(name: string): Promise<ObservedProcess> {
    const observed = await node.engine.observe(containerName({ namespace: 'default', name }));
    assert.ok(observed);
    return observed.process;
  }

  async function running(name: string): Promise<Running> {
    const process = await observe(name);
    assert.equal(process.state, 'Running');
    return process;
  }

  const endOf = (name: string): Promise<ExitRecord> =>
    until(`${name} has ended`, async () => {
      const process = await observe(name);
      return process.state === 'Exited' && process.exit;
    });

  async function run(name: string, script: string, spec: Record<string, unknown> = {}): Promise<ContainerId> {
    const id = await node.engine.create(containerOf(name, { command: ['sh', '-c', script], ...spec }), 'h');
    await node.engine.start(id);
    return id;
  }

  const gone = (pid: number): Promise<true> => until(`${pid} has gone`, async () => [undefined, 'Z'].includes(await stateOf(pid)));

  async function assertNothingLeft(): Promise<void> {
    assert.deepEqual(await cgroupsOf(node.instance), []);
    assert.deepEqual(await mountsMentioning(node.root), []);
    assert.deepEqual(await processesMentioning(node.root), []);
    assert.deepEqual(await readdir(node.dataDir.containers), []);
    assert.deepEqual(await readdir(path.join(node.runDir, 'containers')), []);
    await until('the trash is empty', async () => (await readdir(node.dataDir.temporary)).length === 0);
  }

  it('holds a fork bomb to its limit, goes on working, and ends every process of it', async () => {
    const limit = 64;
    const bomb = await run('bomb', 'bomb() { while :; do bomb & done; }; bomb 2>/dev/null & exec sleep 1000', { resources: { pids: limit, cpu: '500m' } });
    const folders = (await cgroupsOf(node.instance)).filter((each) => each.endsWith(bomb));
    const pids = folders.find((each) => each.includes('/pids/')) ?? folders[0] ?? ''; // the one of version 1, or the only one there is
    const refused = async (): Promise<number> => Number(/^max (\d+)$/m.exec((await readIfThere(path.join(pids, 'pids.events'))) ?? '')?.[1] ?? 0);
    await until('the kernel has refused it a fork', async () => (await refused()) > 0);

    const neighbour = await run('neighbour', 'exit 4');
    assert.equal((await endOf('neighbour')).exitCode, 4);
    await node.engine.remove(neighbour);
    const [stats] = await node.engine.stats();
    assert.ok(stats !== undefined && stats.pids > 1 && stats.pids <= limit, `${stats?.pids} processes`);

    const members = (await readFile(path.join(pids, 'cgroup.procs'), 'utf8')).trim().split('\n').map(Number);
    await node.engine.kill(bomb);
    assert.equal((await endOf('bomb')).exitCode, 137);
    for (const pid of members) assert.ok([undefined, 'Z'].includes(await stateOf(pid)), `${pid} lives`);
    await node.engine.remove(bomb);
    await assertNothingLeft();
  });

  it('tells in a storm who was killed for memory, who by hand, and whose child it was', async () => {
    const resources = { memory: '16Mi' };
    const greedy = Array.from({ length: 12 }, (_, index) => `greedy-${index}`);
    const ids = await Promise.all([
      ...greedy.map((name) => run(name, EATS_MEMORY, { resources })),
      run('modest', 'exec sleep 1000', { resources }),
      run('parent', `(${EATS_MEMORY}); exit 3`, { resources }),
    ]);
    for (const name of greedy) {
      const { exitCode, signal, oomKilled } = await endOf(name);
      assert.deepEqual({ name, exitCode, signal, oomKilled }, { name, exitCode: 137, signal: 9, oomKilled: true });
    }
    process.kill((await running('modest')).init.pid, 'SIGKILL');
    assert.deepEqual([(await endOf('modest')).exitCode, (await endOf('modest')).oomKilled], [137, false]);
    assert.deepEqual([(await endOf('parent')).exitCode, (await endOf('parent')).oomKilled], [3, true]);
    await Promise.all(ids.map((id) => node.engine.remove(id)));
    await assertNothingLeft();
  });

  describe('whose monitors are killed', () => {
    const LINE = '0123456789'.repeat(8);
    const FLOOD = `exec yes ${LINE}`;

    const linesOf = (id: ContainerId): Promise<{ readonly text: string }[]> => Array.fromAsync(logLines(node.engine.logs(id, { follow: false, signal: new AbortController().signal })));

    /** The container has ended with its monitor, the engine says so and heard of it, and it can be started, logged and removed as ever. */
    async function assertRecovers(name: string, id: ContainerId, codes: readonly number[]): Promise<void> {
      const { exitCode, oomKilled } = await endOf(name);
      assert.ok(codes.includes(exitCode), `it ended with ${exitCode}`);
      assert.equal(oomKilled, false);
      await node.engine.start(id);
      const { init } = await running(name);
      await node.engine.kill(id);
      await endOf(name);
      await gone(init.pid);
      for (const { text } of await linesOf(id)) assert.ok(LINE.startsWith(text), `a torn line: ${text}`);
      await node.engine.remove(id);
    }

    it('while a container is being made: the start fails, or has succeeded, and the next one does', async () => {
      for (let round = 0; round < 12; round++) {
        const name = `making-${round}`;
        const id = await node.engine.create(containerOf(name, { command: ['sleep', '1000'] }), 'h');
        using creating = new CreatingMonitor(path.join(node.runDir, 'containers', id));
        const started = node.engine.start(id).then(() => undefined, messageOf);
        const pid = await creating.pid;
        if (round > 4) await sleep(round - 4);
        process.kill(pid, 'SIGKILL');
        await gone(pid);
        const failure = await started;
        await until('no process of it is left', async () => (await membersOf(id)).length === 0);
        if (failure === undefined) await assertRecovers(name, id, [137, 255]);
        else {
          assert.match(failure, new RegExp(`^start container ${id}: its monitor ended before it reported: signal 9 ended it`));
          await node.engine.start(id);
          await node.engine.kill(id);
          await endOf(name);
          await node.engine.remove(id);
        }
      }
      await assertNothingLeft();
    });

    const phases = {
      'just started': { script: 'exec sleep 1000', reached: () => true },
      'logging at full rate': { script: FLOOD, logging: { maxSize: '4Mi', maxFiles: 2 }, reached: async (id: ContainerId) => (await sizeOf(id, 'log')) > 1 << 20 },
      rotating: { script: FLOOD, logging: { maxSize: '64Ki', maxFiles: 3 }, reached: async (id: ContainerId) => (await sizeOf(id, 'log.2')) > 0 },
    };
    for (const [phase, { script, reached, ...spec }] of Object.entries(phases)) {
      it(`${phase}: its container goes with it, and the next start works`, async () => {
        for (let round = 0; round < 3; round++) {
          const id = await run('victim', script, spec);
          const { init, monitor } = await running('victim');
          await until(`it is ${phase}`, () => reached(id));
          node.events.length = 0;
          process.kill(monitor.pid, 'SIGKILL');
          await gone(init.pid); // by the kernel: nobody has asked the engine
          await until('the end is heard', () => node.events.some((event) => event.id === id && event.reason === 'Exited'));
          await assertRecovers('victim', id, [137, 255]);
        }
        await assertNothingLeft();
      });
    }

    it('between the end of a container and its record: the code is told to be unknown', async () => {
      const id = await run('ending', 'exec sleep 1000');
      const { init, monitor } = await running('ending');
      process.kill(monitor.pid, 'SIGSTOP');
      process.kill(init.pid, 'SIGKILL');
      await gone(init.pid);
      assert.equal((await observe('ending')).state, 'Creating'); // to be recorded yet
      process.kill(monitor.pid, 'SIGKILL');
      await gone(monitor.pid);
      await assertRecovers('ending', id, [255]);
      await assertNothingLeft();
    });

    it('while it makes the record: that is there whole, or not at all', async () => {
      for (let round = 0; round < 12; round++) {
        const id = await run('ended', 'exec sleep 1000');
        const { init, monitor } = await running('ended');
        process.kill(init.pid, 'SIGKILL');
        await sleep(round / 3);
        try {
          process.kill(monitor.pid, 'SIGKILL');
        } catch (error) {
          assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH'); // it was through
        }
        await gone(monitor.pid);
        await assertRecovers('ended', id, [137, 255]);
      }
      await assertNothingLeft();
    });

    /** Bytes of a file in the container's bundle; fails where there is none. */
    async function sizeOf(id: ContainerId, file: string): Promise<number> {
      return (await stat(path.join(node.dataDir.containers, id, file))).size;
    }

    /** Live processes in the container's cgroups. */
    async function membersOf(id: ContainerId): Promise<string[]> {
      const folders = (await cgroupsOf(node.instance)).filter((each) => each.endsWith(id));
      const lists = await Promise.all(folders.map((folder) => readIfThere(path.join(folder, 'cgroup.procs'))));
      return lists.flatMap((list) => (list ?? '').split('\n').filter((pid) => pid !== ''));
    }
  });
});
