import assert from 'node:assert/strict';
import { readdir, readFile, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import type { ContainerId, ObservedContainer } from '../../../src/engine/engine.ts';
import { containerName } from '../../../src/spec/name.ts';
import { cgroupsOf, mountsMentioning, processesMentioning, readIfThere, stateOf } from '../../support/kernel.ts';
import { logLines } from '../../support/log-lines.ts';
import { until } from '../../support/until.ts';
import { containerOf, openNode, type TestNode } from './support.ts';

describe('a container on the real kernel', () => {
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
  const exitOf = (name: string) =>
    until(`${name} has ended`, async () => {
      const { process } = await observe(name);
      return process.state === 'Exited' ? process.exit : undefined;
    });
  async function running(name: string) {
    const { process } = await observe(name);
    assert.equal(process.state, 'Running');
    return process;
  }
  const linesOf = (id: ContainerId, tail?: number): Promise<{ readonly stream: string; readonly text: string }[]> =>
    Array.fromAsync(logLines(node.engine.logs(id, { follow: false, signal: new AbortController().signal, ...(tail === undefined ? {} : { tail }) })));

  it('goes from created through running and ended to removed, and leaves nothing', async () => {
    const container = containerOf('whole', {
      command: ['sh', '-c', 'echo out; echo err >&2; hostname; id -u; exec sleep 1000'],
      user: '33:34',
      hostname: 'elsewhere',
      resources: { memory: '64Mi', cpu: '250m', pids: 16 },
    });
    const id = await node.engine.create(container, 'hash-1');
    const created = await observe('whole');
    assert.deepEqual([created.id, created.specHash, created.process, created.drift], [id, 'hash-1', { state: 'None' }, []]);
    assert.deepEqual(created.container, container);
    assert.deepEqual(await processesMentioning(id), []);

    await node.engine.start(id);
    const { init, monitor } = await running('whole');
    assert.deepEqual((await observe('whole')).drift, []);
    assert.match((await readIfThere(`/proc/${init.pid}/cmdline`)) ?? '', /^(sh|sleep)\0/);
    const status = (await readIfThere(`/proc/${init.pid}/status`)) ?? '';
    assert.match(status, /^Uid:\t33\t33\t33\t33$/m);
    assert.match(status, /^Gid:\t34\t34\t34\t34$/m);
    assert.match(status, /^CapBnd:\t00000000a80425fb$/m); // Docker's default
    assert.match(status, /^CapEff:\t0000000000000000$/m); // not root
    assert.match(status, /^NoNewPrivs:\t1$/m);
    assert.match(status, /^Seccomp:\t2$/m);
    assert.match(status, new RegExp(`^PPid:\\t${monitor.pid}$`, 'm'));
    assert.match((await readIfThere(`/proc/${init.pid}/cgroup`)) ?? '', new RegExp(`:/mooring-${node.instance}/${id}$`, 'm'));

    const lines = await until('four lines are logged', async () => {
      const logged = await linesOf(id);
      return logged.length === 4 ? logged : undefined;
    });
    assert.deepEqual(lines.filter(({ stream }) => stream === 'stdout').map(({ text }) => text), ['out', 'elsewhere', '33']);
    assert.deepEqual(lines.filter(({ stream }) => stream === 'stderr').map(({ text }) => text), ['err']);
    assert.equal((await linesOf(id, 1)).length, 1);

    const [stats] = await node.engine.stats();
    assert.equal(stats?.id, id);
    assert.equal(stats.pids, 1);
    assert.ok(stats.memoryUsageBytes > 0);
    assert.ok(stats.cpuUsageSeconds > 0);
    assert.deepEqual(stats.limits, { memoryBytes: 67_108_864, cpuCores: 0.25, pids: 16 });

    await node.engine.start(id); // safe to repeat
    assert.equal((await running('whole')).init.pid, init.pid);
    await assert.rejects(node.engine.remove(id), { code: 'Conflict' });
    await assert.rejects(node.engine.create(container, 'hash-2'), { code: 'Conflict' });

    assert.equal(await node.engine.signal(id, 'SIGKILL'), true);
    const exit = await exitOf('whole');
    assert.deepEqual([exit.exitCode, exit.signal, exit.oomKilled], [137, 9, false]);
    assert.ok(exit.startedAt <= exit.finishedAt);
    assert.equal(await node.engine.signal(id, 'SIGTERM'), false);
    assert.ok(node.events.some((event) => event.id === id && event.reason === 'Exited'));
    assert.deepEqual(await node.engine.stats(), []);

    await node.engine.remove(id);
    assert.equal(await node.engine.observe(created.name), undefined);
    assert.deepEqual(node.engine.list(), []);
    await assertNothingLeft();
  });

  it('tells how it ended, and starts again with what it wrote', async () => {
    const id = await node.engine.create(containerOf('again', { command: ['sh', '-c', 'if [ -e /seen ]; then exit 3; fi; touch /seen; exit 7'] }), 'h');
    await node.engine.start(id);
    assert.equal((await exitOf('again')).exitCode, 7);
    await node.engine.start(id);
    const second = await until('the second run has ended', async () => {
      const exit = await exitOf('again');
      return exit.exitCode === 3 ? exit : undefined;
    });
    assert.equal(second.signal, null);
    await node.engine.remove(id);
    await assertNothingLeft();
  });

  it('gives a privileged one all that this host can give, and no filter', async () => {
    const id = await node.engine.create(containerOf('mighty', { command: ['sleep', '1000'], privileged: true, stopSignal: 'SIGKILL' }), 'h');
    await node.engine.start(id);
    const { init } = await running('mighty');
    const status = (await readIfThere(`/proc/${init.pid}/status`)) ?? '';
    const ours = /^CapBnd:\t(.*)$/m.exec((await readIfThere('/proc/self/status')) ?? '')?.[1];
    for (const set of ['CapPrm', 'CapEff', 'CapBnd']) assert.match(status, new RegExp(`^${set}:\\t${ours}$`, 'm'));
    assert.match(status, /^NoNewPrivs:\t0$/m);
    assert.match(status, /^Seccomp:\t0$/m);
    await node.engine.kill(id);
    await exitOf('mighty');
    await node.engine.remove(id);
    await assertNothingLeft();
  });

  it('says that memory ran out', async () => {
    const id = await node.engine.create(containerOf('greedy', { command: ['sh', '-c', 'x=a; while :; do x=$x$x; done'], resources: { memory: '16Mi' } }), 'h');
    await node.engine.start(id);
    const exit = await exitOf('greedy');
    assert.deepEqual([exit.exitCode, exit.signal, exit.oomKilled], [137, 9, true]);
    await node.engine.remove(id);
  });

  it('refuses what can not be, before making anything', async () => {
    const refused: [Record<string, unknown>, object][] = [
      [{ image: 'nowhere.local/missing:1' }, { code: 'NotFound', message: /image "nowhere.local\/missing:1" is not in the store/ }],
      [{ mounts: [{ mountPath: '/data', bind: { source: '/not/there' } }] }, { code: 'NotFound', message: /bind source \/not\/there.*does not exist/ }],
      [{ user: 'nobody-knows' }, { code: 'Invalid', message: /has no user "nobody-knows"/ }],
    ];
    for (const [spec, error] of refused) await assert.rejects(node.engine.create(containerOf('refused', spec), 'h'), error);
    assert.deepEqual(node.engine.list(), []);
    assert.deepEqual(await readdir(node.dataDir.containers), []);
  });

  it('fails to start with the reason, and can be removed then', async () => {
    const id = await node.engine.create(containerOf('broken', { command: ['/no/such/program'] }), 'h');
    await assert.rejects(node.engine.start(id), { name: 'MooringError', message: /\/no\/such\/program/ });
    await assert.rejects(node.engine.start(id), { name: 'MooringError', message: /\/no\/such\/program/ });
    assert.notEqual((await observe('broken')).process.state, 'Running');
    await node.engine.remove(id);
    await assertNothingLeft();
  });

  it('shows bind mounts and temporary file systems, through links as well', async () => {
    const mounts = [
      { mountPath: '/srv/ro', bind: { source: node.root }, readOnly: true },
      { mountPath: '/scratch', tmpfs: { size: '1Mi' } },
      { mountPath: '/link/inside', tmpfs: {} },
    ];
    const command = ['sh', '-c', 'touch /srv/ro/x || echo refused; echo kept >/scratch/f; exec sleep 1000'];
    const mounted = await node.engine.create(containerOf('mounted', { command, mounts }), 'h');
    await symlink('/scratch', path.join(node.dataDir.containers, mounted, 'upper/link'));
    await node.engine.start(mounted);
    const { init } = await running('mounted');
    const table = (await readIfThere(`/proc/${init.pid}/mountinfo`)) ?? '';
    assert.match(table, / \/srv\/ro ro,/);
    assert.match(table, / \/scratch .*size=1024k/);
    assert.match(table, / \/scratch\/inside /);
    assert.deepEqual((await observe('mounted')).drift, []);
    await until('the log says so', async () => (await linesOf(mounted)).some(({ text }) => text === 'refused'));
    await node.engine.kill(mounted);
    await exitOf('mounted');
    await node.engine.remove(mounted);
    await assertNothingLeft();
  });

  it('ends every process at once', async () => {
    const id = await node.engine.create(containerOf('many', { command: ['sh', '-c', 'for i in 1 2 3 4; do sleep 1000 & done; wait'] }), 'h');
    await node.engine.start(id);
    const { init } = await running('many');
    const members = await until('all five run', async () => {
      const [folder] = (await cgroupsOf(node.instance)).filter((each) => each.endsWith(`pids/mooring-${node.instance}/${id}`) || each.endsWith(id));
      const pids = (await readFile(path.join(folder ?? '', 'cgroup.procs'), 'utf8')).trim().split('\n').map(Number);
      return pids.length === 5 ? pids : undefined;
    });
    assert.ok(members.includes(init.pid));
    await node.engine.kill(id);
    await exitOf('many');
    for (const pid of members) assert.ok([undefined, 'Z'].includes(await stateOf(pid)), `${pid} lives`);
    await node.engine.remove(id);
    await assertNothingLeft();
  });

  it('makes its bundle again when that was damaged before a start', async () => {
    const id = await node.engine.create(containerOf('damaged', { command: ['true'] }), 'h');
    await rm(path.join(node.dataDir.containers, id), { recursive: true });
    assert.deepEqual((await observe('damaged')).drift.map(({ kind }) => kind), ['Bundle']);
    const engine = await node.restart();
    await engine.start(id);
    assert.equal((await exitOf('damaged')).exitCode, 0);
    assert.deepEqual((await observe('damaged')).drift, []);
    await engine.remove(id);
    await assertNothingLeft();
  });

  async function assertNothingLeft(): Promise<void> {
    assert.deepEqual(await cgroupsOf(node.instance), []);
    assert.deepEqual(await mountsMentioning(node.root), []);
    assert.deepEqual(await processesMentioning(node.root), []);
    assert.deepEqual(await readdir(node.dataDir.containers), []);
    assert.deepEqual(await readdir(path.join(node.runDir, 'containers')), []);
    await until('the trash is empty', async () => (await readdir(node.dataDir.temporary)).length === 0);
  }
});
