import assert from 'node:assert/strict';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import type { ContainerId, EngineEvent, ObservedContainer } from '../../../src/engine/engine.ts';
import { containerName } from '../../../src/spec/name.ts';
import { cgroupsOf, processesMentioning, readIfThere, stateOf } from '../../support/kernel.ts';
import { until } from '../../support/until.ts';
import { containerOf, inMountNamespace, openNode, type TestNode } from './support.ts';

const SLEEP = { command: ['sleep', '1000'] };

describe('drift on the real kernel', () => {
  let node: TestNode;
  before(async () => {
    node = await openNode();
  });
  after(() => node.close());

  const nameOf = (name: string) => containerName({ namespace: 'default', name });

  async function observe(name: string): Promise<ObservedContainer> {
    const observed = await node.engine.observe(nameOf(name));
    assert.ok(observed);
    return observed;
  }

  async function run(name: string, spec: Record<string, unknown> = SLEEP): Promise<{ id: ContainerId; pid: number; monitor: number }> {
    const id = await node.engine.create(containerOf(name, spec), 'h');
    await node.engine.start(id);
    const { process, drift } = await observe(name);
    assert.equal(process.state, 'Running');
    assert.deepEqual(drift, []);
    return { id, pid: process.init.pid, monitor: process.monitor.pid };
  }

  async function endOf(name: string) {
    return until(`${name} has ended`, async () => {
      const { process } = await observe(name);
      return process.state === 'Exited' ? process.exit : undefined;
    });
  }

  async function removeAll(): Promise<void> {
    for (const { id, name } of node.engine.list()) {
      await node.engine.kill(id);
      await until('it has ended', async () => !['Running', 'Creating'].includes((await node.engine.observe(name))?.process.state ?? ''));
      await node.engine.remove(id);
    }
    assert.deepEqual(await cgroupsOf(node.instance), []);
    assert.deepEqual(await processesMentioning(node.root), []);
    assert.deepEqual(await readdir(node.dataDir.containers), []);
    assert.deepEqual(await readdir(path.join(node.runDir, 'containers')), []);
  }

  /** Does something and waits for the engine to be told by the kernel. */
  async function hinted(id: ContainerId, reason: EngineEvent['reason'], change: () => Promise<unknown>): Promise<void> {
    node.events.length = 0;
    await change();
    await until(`the engine hears ${reason}`, () => node.events.some((event) => event.id === id && event.reason === reason), 5);
  }

  async function limitFiles(id: ContainerId): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const folder of (await cgroupsOf(node.instance)).filter((each) => each.endsWith(id))) {
      for (const name of ['memory.limit_in_bytes', 'memory.max', 'cpu.cfs_quota_us', 'cpu.max', 'pids.max']) {
        if ((await readIfThere(path.join(folder, name))) !== undefined) found[name] = path.join(folder, name);
      }
    }
    return found;
  }

  it('of limits is told by the kernel, named, and undone', async () => {
    const { id } = await run('limited', { ...SLEEP, resources: { memory: '64Mi', cpu: '500m', pids: 30 } });
    const files = Object.entries(await limitFiles(id));
    assert.equal(files.length, 3);
    for (const [name, file] of files) {
      const right = await readFile(file, 'utf8');
      const [first = ''] = right.trim().split(' ');
      await hinted(id, 'LimitsChanged', () => writeFile(file, right.replace(first, String(Number(first) * 2))));
      const { drift } = await observe('limited');
      assert.equal(drift.length, 1);
      assert.equal(drift[0]?.kind, 'Limits');
      assert.match(drift[0].message, new RegExp(`^${name} is .*, want ${first}`));
      await node.engine.restoreLimits(id);
      assert.equal(await readFile(file, 'utf8'), right);
      assert.deepEqual((await observe('limited')).drift, []);
    }
    await removeAll();
  });

  it('of limits that nobody asked for is undone too', async () => {
    const { id } = await run('unlimited');
    for (const [name, file] of Object.entries(await limitFiles(id))) {
      const right = await readFile(file, 'utf8');
      await writeFile(file, name.startsWith('memory') ? '134217728' : '50000');
      assert.deepEqual((await observe('unlimited')).drift.map(({ kind }) => kind), ['Limits'], name);
      await node.engine.restoreLimits(id);
      assert.equal(await readFile(file, 'utf8'), right);
    }
    assert.deepEqual((await observe('unlimited')).drift, []);
    await removeAll();
  });

  it('of mounts is told by the kernel and named', async () => {
    const mounts = [
      { mountPath: '/scratch', tmpfs: {} },
      { mountPath: '/host', bind: { source: node.root }, readOnly: true },
    ];
    const { id, pid } = await run('mounted', { ...SLEEP, mounts });
    await hinted(id, 'MountsChanged', () => inMountNamespace(pid, 'umount', '/scratch'));
    assert.deepEqual((await observe('mounted')).drift, [{ kind: 'Mounts', message: '/scratch is not mounted' }]);
    await hinted(id, 'MountsChanged', () => inMountNamespace(pid, 'mount', '-o', 'remount,bind,rw', '/host'));
    await hinted(id, 'MountsChanged', () => inMountNamespace(pid, 'mount', '-t', 'tmpfs', 'none', '/proc'));
    assert.deepEqual(
      (await observe('mounted')).drift.map(({ message }) => message).sort(),
      ['/host is writable, want read-only', '/proc is a mount of tmpfs, want proc', '/scratch is not mounted'],
    );
    await removeAll();
  });

  it('of the root file system is told by the kernel and named', async () => {
    const { id, pid } = await run('rootless');
    await hinted(id, 'MountsChanged', () => inMountNamespace(pid, 'umount', '-l', '/'));
    const { drift } = await observe('rootless');
    assert.ok(drift.some(({ kind, message }) => kind === 'Rootfs' && message === '/ is not mounted'), JSON.stringify(drift));
    await removeAll();
  });

  it('of what the container mounts itself is none', async () => {
    const { id, pid } = await run('free');
    await hinted(id, 'MountsChanged', () => inMountNamespace(pid, 'mount', '-t', 'tmpfs', 'none', '/tmp'));
    assert.deepEqual((await observe('free')).drift, []);
    await removeAll();
  });

  it('of the bundle is told by the kernel, named, and undone by the next start', async () => {
    const { id, pid } = await run('bundled');
    const bundle = path.join(node.dataDir.containers, id);
    await hinted(id, 'BundleChanged', () => writeFile(path.join(bundle, 'config.json'), '{}'));
    assert.deepEqual((await observe('bundled')).drift.map(({ kind }) => kind), ['Bundle']);
    await hinted(id, 'BundleChanged', () => rm(bundle, { recursive: true }));
    const { process, drift } = await observe('bundled');
    assert.deepEqual([process.state, drift[0]?.kind], ['Running', 'Bundle']);
    assert.equal(await stateOf(pid), 'S');

    await hinted(id, 'Exited', () => node.engine.kill(id));
    assert.equal((await endOf('bundled')).exitCode, 137);
    await node.engine.start(id);
    const again = await observe('bundled');
    assert.deepEqual([again.process.state, again.drift], ['Running', []]);
    await hinted(id, 'BundleChanged', () => rename(bundle, `${bundle}.away`));
    await rename(`${bundle}.away`, bundle);
    assert.deepEqual((await observe('bundled')).drift, []);
    await removeAll();
  });

  it('of the process is told by the kernel', async () => {
    const { id, pid } = await run('killed');
    await hinted(id, 'Exited', async () => process.kill(pid, 'SIGKILL'));
    assert.deepEqual([(await endOf('killed')).exitCode, (await endOf('killed')).signal], [137, 9]);
    await removeAll();
  });

  it('of a killed monitor ends its orphan, on record', async () => {
    const { id, pid, monitor } = await run('orphan');
    await hinted(id, 'Exited', async () => process.kill(monitor, 'SIGKILL'));
    const exit = await endOf('orphan');
    assert.ok(exit.exitCode === 137 || exit.exitCode === 255, String(exit.exitCode)); // killed by us, or by the kernel before we saw it
    assert.ok([undefined, 'Z'].includes(await stateOf(pid)));
    assert.deepEqual(await endOf('orphan'), exit); // the record stands: it is one end, not a new one with each look
    await node.engine.start(id);
    assert.equal((await observe('orphan')).process.state, 'Running');
    await removeAll();
  });
});
