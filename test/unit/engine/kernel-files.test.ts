import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { CgroupLayout } from '../../../src/engine/containers/cgroup-layout.ts';
import { limitFiles } from '../../../src/engine/containers/limit-files.ts';
import { limitsOf } from '../../../src/engine/containers/limits.ts';
import { parseExit, parseState } from '../../../src/engine/containers/monitor-files.ts';
import { isAlive, parseStat } from '../../../src/engine/containers/process-table.ts';
import { judgeProcess } from '../../../src/engine/containers/process-verdict.ts';
import type { ContainerSnapshot } from '../../../src/engine/containers/container-snapshot.ts';
import { counterFiles } from '../../../src/engine/containers/cgroup-counters.ts';
import { countersFrom, STATS_FILES } from '../../../src/engine/containers/stats.ts';
import { mountDrift } from '../../../src/engine/containers/wanted-mounts.ts';

const V1 = new CgroupLayout(`31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:5 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
36 31 0:33 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio
37 31 0:34 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
50 31 0:32 /docker/abc /mnt/part rw,relatime - cgroup cgroup rw,memory
`);
const V2 = new CgroupLayout('31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n');

describe('the cgroup layout', () => {
  it('finds every hierarchy once, by its controllers', () => {
    assert.equal(V1.hierarchyOf('cpu')?.mountPoint, '/sys/fs/cgroup/cpu,cpuacct');
    assert.equal(V1.hierarchyOf('cpuacct')?.mountPoint, '/sys/fs/cgroup/cpu,cpuacct');
    assert.deepEqual(V1.hierarchyOf('memory'), { version: 1, mountPoint: '/sys/fs/cgroup/memory' });
    assert.equal(V1.foldersOf('/mooring-x/1').length, 7);
    assert.ok(V1.foldersOf('/mooring-x/1').includes('/sys/fs/cgroup/unified/mooring-x/1'));
    assert.deepEqual(V2.hierarchyOf('memory'), { version: 2, mountPoint: '/sys/fs/cgroup' });
    assert.deepEqual(V2.foldersOf('/m'), ['/sys/fs/cgroup/m']);
    assert.throws(() => new CgroupLayout(''), { code: 'Unsupported' });
  });
});

describe('the files of limits', () => {
  const byName = (layout: CgroupLayout, resources: Parameters<typeof limitsOf>[0]['resources']) =>
    new Map(limitFiles(layout, '/m/1', limitsOf({ resources })).map((limit) => [limit.name, limit]));
  const limits = { cpu: '500m', memory: 64 * 1024 * 1024 + 1, pids: 20 };

  it('are those of v1, with its units and roundings', () => {
    const files = byName(V1, limits);
    assert.deepEqual([...files.values()].map(({ name, wanted }) => [name, wanted]), [
      ['memory.limit_in_bytes', '67108865'],
      ['memory.memsw.limit_in_bytes', '-1'],
      ['memory.soft_limit_in_bytes', '-1'],
      ['memory.oom_control', '0'],
      ['cpu.cfs_period_us', '100000'],
      ['cpu.cfs_quota_us', '50000'],
      ['cpu.shares', '1024'],
      ['pids.max', '20'],
    ]);
    const memory = files.get('memory.limit_in_bytes');
    assert.equal(memory?.file, '/sys/fs/cgroup/memory/m/1/memory.limit_in_bytes');
    assert.equal(memory.matches('67108864'), true); // a whole page
    assert.equal(memory.matches('67108866'), false);
    assert.equal(memory.matches('66977792'), false);
  });

  it('are those of v2', () => {
    assert.deepEqual([...byName(V2, limits).values()].map(({ name, wanted }) => [name, wanted]), [
      ['memory.max', '67108865'],
      ['memory.swap.max', 'max'],
      ['memory.low', '0'],
      ['cpu.max', '50000 100000'],
      ['cpu.weight', '100'],
      ['pids.max', '20'],
    ]);
  });

  it('say what no limit looks like', () => {
    const v1 = { 'memory.limit_in_bytes': '9223372036854771712', 'memory.memsw.limit_in_bytes': '9223372036854771712', 'memory.soft_limit_in_bytes': '9223372036854771712', 'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 0' };
    const v2 = { 'memory.max': 'max', 'memory.swap.max': 'max', 'memory.low': '0', 'cpu.max': 'max 100000', 'cpu.weight': '100' };
    const unlimited = { ...v1, ...v2, 'cpu.cfs_quota_us': '-1', 'cpu.shares': '1024', 'pids.max': 'max' };
    for (const limit of [...byName(V1, {}).values(), ...byName(V2, {}).values()]) {
      assert.equal(limit.mayBeMissing, true, limit.name);
      assert.equal(limit.matches(unlimited[limit.name as keyof typeof unlimited]), true, limit.name);
      assert.equal(limit.matches('1000000'), false, limit.name);
    }
  });

  const all = {
    cpu: 2,
    cpuPeriod: 50_000,
    cpuShares: 512,
    cpusetCpus: '0,1,3',
    cpusetMems: '0',
    memory: '64Mi',
    memoryReservation: '32Mi',
    memorySwap: '96Mi',
    memorySwappiness: 10,
    oomKillDisable: true,
    blockIO: { weight: 300, weightDevice: [{ path: '/dev/a', weight: 200 }], throttleReadBpsDevice: [{ path: '/dev/a', rate: 1024 }], throttleWriteBpsDevice: [], throttleReadIOPSDevice: [{ path: '/dev/gone', rate: 5 }], throttleWriteIOPSDevice: [{ path: '/dev/a', rate: 7 }] },
  };
  const files = (layout: CgroupLayout) => limitFiles(layout, '/m', limitsOf({ resources: all }, new Map([['/dev/a', { major: 8, minor: 16 }]])));

  it('are those of everything that can be limited', () => {
    assert.deepEqual(files(V1).map(({ name, wanted }) => `${name} ${wanted}`), [
      'memory.limit_in_bytes 67108864',
      'memory.memsw.limit_in_bytes 100663296',
      'memory.soft_limit_in_bytes 33554432',
      'memory.swappiness 10',
      'memory.oom_control 1',
      'cpu.cfs_period_us 50000',
      'cpu.cfs_quota_us 100000',
      'cpu.shares 512',
      'pids.max max',
      'cpuset.cpus 0,1,3',
      'cpuset.mems 0',
      'blkio.bfq.weight 300',
      'blkio.bfq.weight_device 8:16 200',
      'blkio.throttle.read_bps_device 8:16 1024',
      'blkio.throttle.write_iops_device 8:16 7',
    ]);
    assert.deepEqual(files(V2).map(({ name, wanted }) => `${name} ${wanted}`), [
      'memory.max 67108864',
      'memory.swap.max 33554432',
      'memory.low 33554432',
      'cpu.max 100000 50000',
      'cpu.weight 20',
      'pids.max max',
      'cpuset.cpus 0,1,3',
      'cpuset.mems 0',
      'io.bfq.weight default 300',
      'io.bfq.weight 8:16 200',
      'io.max 8:16 rbps=1024',
      'io.max 8:16 wiops=7',
    ]);
  });

  it('are read as the kernel writes them', () => {
    const says = (layout: CgroupLayout, name: string, text: string) => files(layout).filter((limit) => limit.name === name).map((limit) => limit.matches(text));
    assert.deepEqual(says(V1, 'cpuset.cpus', '0-1,3'), [true]);
    assert.deepEqual(says(V1, 'cpuset.cpus', '0-3'), [false]);
    assert.deepEqual(says(V1, 'memory.oom_control', 'oom_kill_disable 1\nunder_oom 0'), [true]);
    assert.deepEqual(says(V1, 'blkio.throttle.read_bps_device', '8:0 1\n8:16 1024'), [true]);
    assert.deepEqual(says(V1, 'blkio.throttle.read_bps_device', '8:0 1024'), [false]);
    assert.deepEqual(says(V2, 'io.max', '8:16 rbps=1024 wbps=max riops=max wiops=7'), [true, true]);
    assert.deepEqual(says(V2, 'io.bfq.weight', 'default 300\n8:16 200'), [true, true]);
  });
});

describe('the counters', () => {
  const read = (layout: CgroupLayout, texts: Record<string, string>) => {
    const files = counterFiles(layout, '/m/1', STATS_FILES);
    return countersFrom(files, files.map((file) => {
      const text = texts[file.slice(file.lastIndexOf('/') + 1)];
      return text === undefined ? { errno: 'ENOENT' } : { text };
    }));
  };
  const memory = { memoryUsageBytes: 5000, memoryWorkingSetBytes: 4000, memoryRssBytes: 300, memoryCacheBytes: 200, pids: 3, oomKills: 2 };
  const cpu = { cpuUsageSeconds: 1.5, cpuUserSeconds: 1, cpuSystemSeconds: 0.5, cpuThrottledSeconds: 0.25 };

  it('are read from v1', () => {
    const counters = read(V1, {
      'cpuacct.usage': '1500000000\n',
      'cpuacct.stat': 'user 100\nsystem 50\n',
      'cpu.stat': 'nr_periods 1\nnr_throttled 1\nthrottled_time 250000000\n',
      'memory.usage_in_bytes': '5000\n',
      'memory.stat': 'cache 1\nrss 1\ninactive_file 1\ntotal_cache 200\ntotal_rss 300\ntotal_inactive_file 1000\n',
      'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
      'pids.current': '3\n',
    });
    assert.deepEqual(counters, { ...cpu, ...memory });
  });

  it('are read from v2', () => {
    const counters = read(V2, {
      'cpu.stat': 'usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\nnr_periods 0\nnr_throttled 0\nthrottled_usec 250000\n',
      'memory.current': '5000\n',
      'memory.stat': 'anon 300\nfile 200\ninactive_file 1000\n',
      'memory.events': 'low 0\nhigh 0\nmax 0\noom 1\noom_kill 2\n',
      'pids.current': '3\n',
    });
    assert.deepEqual(counters, { ...cpu, ...memory });
  });

  it('are none when the container is gone', () => assert.equal(read(V1, {}), undefined));
});

describe('the mount table', () => {
  const wanted = [
    { mountPoint: '/', type: 'overlay', readOnly: false },
    { mountPoint: '/data dir', type: undefined, readOnly: true },
  ];
  const ROOT = '67 43 0:39 / / rw,relatime - overlay overlay rw,upperdir=/a - b';

  it('is compared by mount point, type and writability', () => {
    assert.deepEqual(mountDrift(wanted, `${ROOT}\n68 67 0:1 / /data\\040dir ro,nodev - ext4 /dev/x rw\n`), []);
    assert.deepEqual(mountDrift(wanted, `${ROOT}\n68 67 0:1 / /data\\040dir rw,nodev master:7 - ext4 /dev/x rw\n`), [
      { kind: 'Mounts', message: '/data dir is writable, want read-only' },
    ]);
    assert.deepEqual(mountDrift(wanted, `${ROOT}\n69 67 0:2 / / rw - tmpfs tmpfs rw\n`).map(({ message }) => message), [
      '/ is a mount of tmpfs, want overlay',
      '/data dir is not mounted',
    ]);
    assert.deepEqual(mountDrift(wanted, '').map(({ kind }) => kind), ['Rootfs', 'Mounts']);
  });
});

describe("a process's identity", () => {
  const stat = (state: string, start: number) => `42 (a) b (c) ${state} 7 ${'0 '.repeat(17)}${start} 0 0`;

  it('is its pid and start time, whatever its name holds', () => {
    assert.deepEqual(parseStat(stat('S', 1234)), { state: 'S', parent: 7, startTime: 1234 });
    assert.equal(isAlive({ pid: 42, startTime: 1234 }, { text: stat('D', 1234) }), true);
    assert.equal(isAlive({ pid: 42, startTime: 1235 }, { text: stat('S', 1234) }), false);
    assert.equal(isAlive({ pid: 42, startTime: 1234 }, { text: stat('Z', 1234) }), false);
    assert.equal(isAlive({ pid: 42, startTime: 1234 }, { errno: 'ENOENT' }), false);
  });
});

describe("the monitor's files", () => {
  const monitor = { pid: 2, startTime: 20 };
  const startedAt = '2026-01-01T00:00:00.123456789Z';

  it('are read, to the millisecond', () => {
    assert.deepEqual(parseState(JSON.stringify({ id: 'x', status: 'creating', bundle: '/b', monitor })), { status: 'creating', monitor });
    assert.deepEqual(parseState(JSON.stringify({ id: 'x', status: 'running', pid: 3, startTime: 30, bundle: '/b', monitor, startedAt })), {
      status: 'running',
      monitor,
      init: { pid: 3, startTime: 30 },
      startedAt: Date.UTC(2026, 0, 1, 0, 0, 0, 123),
    });
    assert.deepEqual(parseExit(JSON.stringify({ exitCode: 3, signal: null, oomKilled: false, startedAt, finishedAt: startedAt }))?.exitCode, 3);
  });

  it('count for nothing when they are not whole', () => {
    for (const text of ['', '{', '[]', '{"status":"running"}', '{"status":"other"}', JSON.stringify({ status: 'running', pid: -1, startTime: 1, monitor, startedAt })]) assert.equal(parseState(text), undefined);
    for (const text of ['', '{}', JSON.stringify({ exitCode: 300, signal: null, oomKilled: false, startedAt, finishedAt: startedAt }), JSON.stringify({ exitCode: 0, signal: null, oomKilled: false, startedAt: 'x', finishedAt: startedAt })])
      assert.equal(parseExit(text), undefined);
  });

  const exit = { exitCode: 0, signal: null, oomKilled: false, startedAt: 1, finishedAt: 2 };
  const running = { status: 'running' as const, monitor, init: { pid: 3, startTime: 30 }, startedAt: 1 };
  const judged = (snapshot: Partial<ContainerSnapshot>) =>
    judgeProcess({ state: undefined, exit: undefined, monitorAlive: false, initAlive: false, isStopped: false, configText: undefined, bundleDrift: [], mountinfo: undefined, ...snapshot });

  it('and the two processes together say what became of the container', () => {
    assert.equal(judged({}).state, 'None');
    assert.equal(judged({ exit }).state, 'Exited');
    assert.equal(judged({ state: { status: 'creating', monitor }, monitorAlive: true }).state, 'Creating');
    assert.equal(judged({ state: { status: 'creating', monitor } }).state, 'None');
    assert.equal(judged({ state: { status: 'creating', monitor }, exit }).state, 'Exited');
    assert.equal(judged({ state: running, monitorAlive: true, initAlive: true }).state, 'Running');
    assert.equal(judged({ state: running, monitorAlive: true, initAlive: true, exit }).state, 'Running'); // an earlier run's record
    assert.equal(judged({ state: running, monitorAlive: true }).state, 'Creating'); // writing its record
    assert.equal(judged({ state: running, exit }).state, 'Exited');
    assert.deepEqual(judged({ state: running }), { state: 'Unrecorded', run: running, orphaned: false });
    assert.deepEqual(judged({ state: running, initAlive: true }), { state: 'Unrecorded', run: running, orphaned: true });
  });
});
