import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';

import { until } from '../../support/until.ts';
import { Bundle } from './bundle.ts';
import { cgroupFile } from './engine.ts';

const onV1 = existsSync('/sys/fs/cgroup/memory');
/** What holds the root file system: a block device's number, "254:0". */
const disk = await stat('/').then(({ dev }) => `${(dev >> 8) & 0xfff}:${dev & 0xff}`);

it('the CPU: quota, period, burst, and idle in place of shares; changed one by one', async (t) => {
  const bundle = await Bundle.create(t);
  bundle.config.linux.resources = { cpu: { shares: 512, quota: 40000, period: 50000, burst: 10000 } };
  await bundle.write();
  await bundle.ask('run', '-d', 'c');
  const { pid } = await bundle.state('c');
  const cpu = (v1: string, v2: string): Promise<string> => cgroupFile(pid, 'cpu', v1, v2);
  const bandwidth = async (): Promise<string> => (onV1 ? `${await cpu('cpu.cfs_quota_us', '')} ${await cpu('cpu.cfs_period_us', '')}` : cpu('', 'cpu.max'));
  assert.equal(await bandwidth(), '40000 50000');
  assert.equal(await cpu('cpu.cfs_burst_us', 'cpu.max.burst'), '10000');
  assert.equal(await cpu('cpu.shares', 'cpu.weight'), onV1 ? '512' : '20');
  await bundle.ask('update', '--cpu-quota', '20000', 'c');
  assert.equal(await bandwidth(), '20000 50000', 'the period is as it was');
  await bundle.ask('update', '--cpu-period', '100000', 'c');
  assert.equal(await bandwidth(), '20000 100000', 'the quota is as it was');
  await bundle.ask('update', '--cpu-burst', '50000', '--cpu-quota', '60000', 'c');
  assert.equal(await cpu('cpu.cfs_burst_us', 'cpu.max.burst'), '50000');
  await bundle.ask('update', '--cpu-burst', '5000', '--cpu-quota', '10000', 'c');
  assert.equal(await bandwidth(), '10000 100000');
  await bundle.ask('update', '--cpu-idle', '1', 'c');
  assert.equal(await cpu('cpu.idle', 'cpu.idle'), '1');
  await bundle.ask('delete', '--force', 'c');
});

it('memory: up and down with its swap, reservation, a check before it is lowered', async (t) => {
  const bundle = await Bundle.create(t);
  bundle.config.linux.resources = { memory: { limit: 64 << 20, swap: 128 << 20, reservation: 32 << 20 } };
  await bundle.write();
  await bundle.ask('run', '-d', 'c');
  const { pid } = await bundle.state('c');
  const memory = async (): Promise<string[]> => [await cgroupFile(pid, 'memory', 'memory.limit_in_bytes', 'memory.max'), await cgroupFile(pid, 'memory', 'memory.memsw.limit_in_bytes', 'memory.swap.max')];
  const both = (limit: number, swap: number): string[] => [String(limit << 20), String((onV1 ? swap : swap - limit) << 20)];
  assert.deepEqual(await memory(), both(64, 128));
  assert.equal(await cgroupFile(pid, 'memory', 'memory.soft_limit_in_bytes', 'memory.low'), String(32 << 20));
  for (const [limit, swap] of [[256, 512], [32, 48], [128, 128]] as const) {
    await bundle.ask('update', '--memory', String(limit << 20), '--memory-swap', String(swap << 20), 'c');
    assert.deepEqual(await memory(), both(limit, swap));
  }
  const resources = JSON.stringify({ memory: { limit: 4096, checkBeforeUpdate: true } });
  const refused = await bundle.runtime(['update', '--resources', '-', 'c'], { input: resources });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /linux\.resources\.memory\.limit: \d+ bytes are in use, which is above 4096/);
  assert.deepEqual(await memory(), both(128, 128));
  await bundle.ask('delete', '--force', 'c');
});

it('block I/O rates of a device', async (t) => {
  const bundle = await Bundle.create(t);
  const [major, minor] = disk.split(':').map(Number);
  bundle.config.linux.resources = { blockIO: { throttleReadBpsDevice: [{ major, minor, rate: 1048576 }], throttleWriteIOPSDevice: [{ major, minor, rate: 100 }] } };
  await bundle.write();
  await bundle.ask('run', '-d', 'c');
  const { pid } = await bundle.state('c');
  if (onV1) {
    assert.equal(await cgroupFile(pid, 'blkio', 'blkio.throttle.read_bps_device', ''), `${disk} 1048576`);
    assert.equal(await cgroupFile(pid, 'blkio', 'blkio.throttle.write_iops_device', ''), `${disk} 100`);
  } else {
    assert.equal(await cgroupFile(pid, '', '', 'io.max'), `${disk} rbps=1048576 wbps=max riops=max wiops=100`);
  }
  await bundle.ask('delete', '--force', 'c');
});

it('huge pages, which a hybrid host has on version 2', async (t) => {
  const bundle = await Bundle.create(t);
  bundle.config.linux.resources = { hugepageLimits: [{ pageSize: '2MB', limit: 4 << 20 }] };
  await bundle.write();
  await bundle.ask('run', '-d', 'c');
  const { pid } = await bundle.state('c');
  const path = /^0::(.*)$/m.exec(await readFile(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? '';
  assert.equal(path, `/${bundle.cgroup}/c`);
  const folder = `/sys/fs/cgroup${existsSync('/sys/fs/cgroup/unified') ? '/unified' : ''}${path}`;
  assert.equal(await readFile(`${folder}/hugetlb.2MB.max`, 'utf8'), `${4 << 20}\n`);
  assert.equal(JSON.parse(await bundle.ask('events', '--stats', 'c')).data.hugetlb['2MB'].usage, 0);
  await bundle.ask('exec', 'c', 'true');
  await bundle.ask('delete', '--force', 'c');
});

it('names the field that this host can’t limit', async (t) => {
  const bundle = await Bundle.create(t);
  for (const [resources, message] of [
    [{ network: { classID: 1 } }, 'linux.resources.network.classID: this host has no cgroup controller "net_cls", which version 1 only has'],
    [{ hugepageLimits: [{ pageSize: '3MB', limit: 1 }] }, 'linux.resources.hugepageLimits: this host has no huge pages of 3MB'],
    [{ cpu: { idle: 2 } }, 'config.json: linux.resources.cpu.idle: must be 0 or 1'],
  ] as const) {
    bundle.config.linux.resources = resources;
    await bundle.write();
    const { code, stderr } = await bundle.runtime(['run', 'c']);
    assert.deepEqual([code, stderr], [255, `mooring-runtime: ${message}\n`]);
    assert.deepEqual(await bundle.traces(), []);
  }
});

it('events tells of an out-of-memory kill, and ends with the container', async (t) => {
  const bundle = await Bundle.create(t);
  bundle.config.linux.resources = { memory: { limit: 16 << 20, swap: 16 << 20 } };
  await bundle.write();
  await bundle.ask('run', '-d', 'c');
  const file = join(bundle.folder, 'events');
  const events = bundle.runtime(['events', '--interval', '100ms', 'c'], { output: file });
  await until('it watches', async () => (await readFile(file, 'utf8')).includes('stats'));
  assert.equal((await bundle.runtime(['exec', 'c', 'dd', 'if=/dev/zero', 'of=/dev/null', 'bs=100M', 'count=1'])).code, 137);
  await until('it has told', async () => (await readFile(file, 'utf8')).includes('oom'));
  await bundle.ask('kill', 'c', 'KILL');
  assert.equal((await events).code, 0);
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line) as { type: string; id: string });
  assert.deepEqual(new Set(lines.map(({ type }) => type)), new Set(['stats', 'oom']));
  await bundle.ask('delete', '--force', 'c');
});
