import assert from 'node:assert/strict';
import { readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';

import type { ContainerId } from '../../../src/engine/engine.ts';
import { CgroupLayout, type LimitController } from '../../../src/engine/containers/cgroup-layout.ts';
import { containerName } from '../../../src/spec/name.ts';
import { processesMentioning } from '../../support/kernel.ts';
import { logLines } from '../../support/log-lines.ts';
import { until } from '../../support/until.ts';
import { containerOf, openNode, type TestNode } from './support.ts';

describe('what a container asks for, on the real kernel', () => {
  let node: TestNode;
  before(async () => {
    node = await openNode();
  });
  after(() => node.close());

  const processOf = async (name: string) => (await node.engine.observe(containerName({ namespace: 'default', name })))?.process;

  /** Its first process, and what it wrote once it says so. */
  async function run(name: string, spec: Record<string, unknown>): Promise<{ readonly id: ContainerId; readonly pid: number; readonly proc: (file: string) => Promise<string> }> {
    const id = await node.engine.create(containerOf(name, { command: ['sleep', '1000'], ...spec }), name);
    await node.engine.start(id);
    const process = await processOf(name);
    assert.equal(process?.state, 'Running');
    const { pid } = process.init;
    return { id, pid, proc: (file) => readFile(`/proc/${pid}/${file}`, 'utf8') };
  }

  /** What a command in the container writes. */
  async function output(name: string, spec: Record<string, unknown>, script: string): Promise<string[]> {
    const id = await node.engine.create(containerOf(name, { command: ['sh', '-c', script], restartPolicy: 'Never', ...spec }), name);
    await node.engine.start(id);
    await until(`${name} has ended`, async () => (await processOf(name))?.state === 'Exited');
    const lines = await Array.fromAsync(logLines(node.engine.logs(id, { follow: false, signal: new AbortController().signal })));
    return lines.map(({ text }) => text);
  }

  afterEach(async () => {
    for (const { id, name } of node.engine.list()) {
      await node.engine.kill(id);
      await until(`${name} has ended`, async () => !['Running', 'Creating'].includes((await node.engine.observe(name))?.process.state ?? ''));
      await node.engine.remove(id);
    }
  });

  it('has its groups, umask, limits of processes, OOM score and names', async () => {
    const { proc } = await run('process', {
      user: '33:34',
      supplementalGroups: ['1234', 'root'],
      umask: '0027',
      noNewPrivileges: false,
      oomScoreAdj: 321,
      hostname: 'a',
      domainname: 'Example',
      ulimits: [{ name: 'nofile', soft: 100, hard: 200 }, { name: 'core', soft: 0 }, { name: 'cpu', soft: -1 }],
    });
    const status = await proc('status');
    assert.match(status, /^Groups:\t0 1234 $/m);
    assert.match(status, /^Umask:\t0027$/m);
    assert.match(status, /^NoNewPrivs:\t0$/m);
    assert.equal(await proc('oom_score_adj'), '321\n');
    const limits = await proc('limits');
    assert.match(limits, /^Max open files +100 +200 /m);
    assert.match(limits, /^Max core file size +0 +0 /m);
    assert.match(limits, /^Max cpu time +unlimited +unlimited /m);
    assert.deepEqual(await output('names', { domainname: 'Example' }, 'cat /proc/sys/kernel/domainname'), ['Example']);
  });

  it('gives further processes the same groups, umask and limits', async () => {
    const { id } = await run('with-exec', { supplementalGroups: ['1234'], umask: '0077', ulimits: [{ name: 'core', soft: -1 }, { name: 'nofile', soft: 64 }] });
    const result = await node.engine.exec(id, { command: ['sleep', '1000'], user: '33', detach: true });
    assert.ok('id' in result);
    const status = await readFile(`/proc/${result.pid}/status`, 'utf8');
    assert.match(status, /^Groups:\t1234 $/m);
    assert.match(status, /^Umask:\t0077$/m);
    const limits = await readFile(`/proc/${result.pid}/limits`, 'utf8');
    assert.match(limits, /^Max open files +64 +64 /m);
    assert.match(limits, /^Max core file size +unlimited +unlimited /m);
  });

  it('has kernel settings of its own, and /dev/shm as large as asked for', async () => {
    const ofNode = await readFile('/proc/sys/kernel/msgmax', 'utf8');
    const sysctls = [
      { name: 'net.ipv4.ip_unprivileged_port_start', value: '80' },
      { name: 'kernel.msgmax', value: '1234' },
      { name: 'fs/mqueue/msg_max', value: '17' },
      { name: 'kernel.sem', value: '250 32000 32 64' },
    ];
    const lines = await output('settings', { sysctls, shmSize: '1Mi' }, 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/msg_max /proc/sys/kernel/sem; df -k /dev/shm | tail -1');
    assert.deepEqual(lines.slice(0, 3), ['80', '1234', '17']);
    assert.match(lines[3] ?? '', /^250\s32000\s32\s64$/);
    assert.match(lines[4] ?? '', /^shm +1024 /);
    assert.equal(await readFile('/proc/sys/kernel/msgmax', 'utf8'), ofNode);
  });

  it('shows the parts of the kernel that it says', async () => {
    const script = 'for file in /proc/uptime /proc/interrupts; do test -c $file && echo masked || echo bare; done'; // with /dev/null
    assert.deepEqual(await output('usual', {}, script), ['bare', 'masked']);
    assert.deepEqual(await output('masks', { maskedPaths: ['/proc/uptime'] }, script), ['masked', 'bare']);
    const writable = await output('writable', { readonlyPaths: [] }, 'echo 4321 > /proc/sys/kernel/msgmax && cat /proc/sys/kernel/msgmax');
    assert.deepEqual(writable, ['4321']);
  });

  it('runs under the seccomp profile that it names, or none', async () => {
    const profile = (errno: number) => JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: errno }] });
    const unconfined = await run('unconfined', { seccompProfile: { type: 'Unconfined' } });
    assert.match(await unconfined.proc('status'), /^Seccomp:\t0$/m);
    assert.deepEqual(await output('inline', { seccompProfile: { type: 'Inline', inlineProfile: profile(30) } }, 'mkdir /x 2>&1'), ["mkdir: can't create directory '/x': Read-only file system"]);
    const file = path.join(node.root, 'profile.json');
    await writeFile(file, profile(28));
    assert.deepEqual(await output('file', { privileged: true, seccompProfile: { type: 'Localhost', localhostProfile: file } }, 'mkdir /x 2>&1'), ["mkdir: can't create directory '/x': No space left on device"]);
    await assert.rejects(node.engine.create(containerOf('no-file', { seccompProfile: { type: 'Localhost', localhostProfile: '/nowhere.json' } }), 'h'), {
      code: 'NotFound',
      message: "container default/no-file: its seccomp profile /nowhere.json can't be read",
    });
  });

  it('runs under an AppArmor profile, or says why it can not', async () => {
    const enabled = await readFile('/sys/module/apparmor/parameters/enabled', 'utf8').catch(() => 'N');
    const id = await node.engine.create(containerOf('armoured', { command: ['true'], appArmorProfile: 'no-such-profile' }), 'h');
    await assert.rejects(node.engine.start(id), enabled.startsWith('Y') ? /is the profile loaded/ : /this host's kernel does not run AppArmor, so the profile no-such-profile can't be given/);
    const { proc } = await run('unarmoured', { appArmorProfile: 'unconfined' });
    if (enabled.startsWith('Y')) assert.match(await proc('attr/current'), /^unconfined/);
  });

  it('keeps to every limit of its cgroup, which are put back when somebody changes them', async (context) => {
    const layout = await CgroupLayout.detect();
    const v1 = layout.hierarchyOf('memory')?.version === 1;
    const [disk] = [...(await readFile('/proc/partitions', 'utf8')).matchAll(/^ +(\d+) +(\d+) +\d+ (\w+)$/gm)];
    if (!disk) return context.skip('this machine has no disk');
    const [, major = '', minor = '', name = ''] = disk;
    const device = (rate: number) => [{ path: `/dev/${name}`, rate }];
    const resources = {
      cpu: '500m',
      cpuPeriod: 20_000,
      cpuShares: 512,
      cpusetCpus: '0',
      cpusetMems: '0',
      memory: '64Mi',
      memoryReservation: '32Mi',
      memorySwap: '64Mi',
      pids: 40,
      blockIO: { throttleReadBpsDevice: device(1_048_576), throttleWriteIOPSDevice: device(1000) },
      ...(v1 && { memorySwappiness: 7, oomKillDisable: true }),
    };
    const { id } = await run('limited', { resources });
    const read = async (file: string) => (await readFile(file, 'utf8')).trim();
    const file = (controller: LimitController, named: string) => path.join(layout.hierarchyOf(controller)?.mountPoint ?? '', `mooring-${node.instance}`, id, named);
    const wanted: [LimitController, string, RegExp, string][] = v1
      ? [
          ['cpu', 'cpu.cfs_period_us', /^20000$/, '50000'],
          ['cpu', 'cpu.cfs_quota_us', /^10000$/, '-1'],
          ['cpu', 'cpu.shares', /^512$/, '1024'],
          ['cpuset', 'cpuset.cpus', /^0$/, ''],
          ['cpuset', 'cpuset.mems', /^0$/, ''],
          ['memory', 'memory.soft_limit_in_bytes', /^33554432$/, '-1'],
          ['memory', 'memory.memsw.limit_in_bytes', /^67108864$/, '-1'],
          ['memory', 'memory.limit_in_bytes', /^67108864$/, '33554432'],
          ['memory', 'memory.swappiness', /^7$/, '60'],
          ['memory', 'memory.oom_control', /^oom_kill_disable 1$/m, '0'],
          ['blkio', 'blkio.throttle.read_bps_device', new RegExp(`^${major}:${minor} 1048576$`, 'm'), `${major}:${minor} 0`],
          ['blkio', 'blkio.throttle.write_iops_device', new RegExp(`^${major}:${minor} 1000$`, 'm'), `${major}:${minor} 1`],
        ]
      : [
          ['cpu', 'cpu.max', /^10000 20000$/, 'max 100000'],
          ['cpu', 'cpu.weight', /^20$/, '100'],
          ['cpuset', 'cpuset.cpus', /^0$/, ''],
          ['memory', 'memory.low', /^33554432$/, '0'],
          ['memory', 'memory.swap.max', /^0$/, 'max'],
          ['blkio', 'io.max', new RegExp(`^${major}:${minor} rbps=1048576 wbps=max riops=max wiops=1000$`, 'm'), `${major}:${minor} rbps=max`],
        ];
    for (const [controller, named, right, wrong] of wanted) {
      const limit = file(controller, named);
      assert.match(await read(limit), right, named);
      if (wrong === '') continue;
      await writeFile(limit, wrong);
      const { drift = [] } = (await node.engine.observe(containerName({ namespace: 'default', name: 'limited' }))) ?? {};
      assert.deepEqual(drift.map(({ kind, message }) => [kind, message.startsWith(`${named} is `)]), [['Limits', true]], named);
      await node.engine.restoreLimits(id);
      assert.match(await read(limit), right, named);
    }
  });

  it('says which limits this node does not have', async () => {
    await assert.rejects(node.engine.create(containerOf('no-disk', { resources: { blockIO: { throttleReadBpsDevice: [{ path: '/dev/null', rate: 1 }] } } }), 'h'), {
      code: 'NotFound',
      message: 'container default/no-disk: /dev/null, which spec.resources.blockIO limits, is no block device of this node',
    });
    const v2 = (await CgroupLayout.detect()).hierarchyOf('memory')?.version === 2;
    const id = await node.engine.create(containerOf('cpus', { command: ['true'], resources: v2 ? { memory: '64Mi', oomKillDisable: true } : { cpusetCpus: '7777' } }), 'h');
    await assert.rejects(node.engine.start(id), v2 ? /memory\.disableOOMKiller: cgroup version 2 has no such limit/ : /cpuset\.cpus/);
  });

  it('has the devices that it asks for, with what it may do with them', async () => {
    const script = (place: string) => `exec 2>&1; mknod /node c 1 11; : > ${place} && echo written; head -c 0 ${place}; mknod /port c 1 4; head -c 0 /port`;
    const denied = (place: string) => ['written', `head: ${place}: Operation not permitted`, 'head: /port: Operation not permitted'];
    assert.deepEqual(await output('device', { devices: [{ path: '/dev/kmsg', containerPath: '/dev/words', permissions: 'w' }] }, script('/dev/words')), denied('/dev/words'));
    assert.deepEqual(await output('rule', { deviceCgroupRules: ['c 1:11 w'] }, script('/node')), denied('/node'));
    const { pid } = await run('nodes', { devices: [{ path: '/dev/kmsg' }] });
    const [wanted, found] = await Promise.all([stat('/dev/kmsg'), stat(`/proc/${pid}/root/dev/kmsg`)]);
    assert.deepEqual([found.isCharacterDevice(), found.rdev, found.mode & 0o777], [true, wanted.rdev, wanted.mode & 0o777]);
    await assert.rejects(node.engine.create(containerOf('no-device', { devices: [{ path: '/dev/no-such' }] }), 'h'), { code: 'NotFound', message: 'container default/no-device: device /dev/no-such is not there' });
    await assert.rejects(node.engine.create(containerOf('no-device', { devices: [{ path: '/etc/hostname' }] }), 'h'), { code: 'Invalid', message: /is no device, nor a folder with devices$/ });
  });

  it('has all devices of the node when it is privileged', async () => {
    const { pid } = await run('privileged', { privileged: true });
    assert.equal((await stat(`/proc/${pid}/root/dev/kmsg`)).rdev, (await stat('/dev/kmsg')).rdev);
    assert.equal((await stat(`/proc/${pid}/root/dev/null`)).rdev, (await stat('/dev/null')).rdev);
  });

  const namespaceOf = (pid: number | 'self', kind: string) => readlink(`/proc/${pid}/ns/${kind}`);

  it("is in the node's namespaces where it asks for that", async () => {
    const { pid, id } = await run('on-host', { command: ['sh', '-c', 'sleep 1001 & exec sleep 1000'], namespaces: { pid: 'Host', ipc: 'Host', uts: 'Host', cgroup: 'Host' } });
    for (const kind of ['pid', 'ipc', 'uts', 'cgroup']) assert.equal(await namespaceOf(pid, kind), await namespaceOf('self', kind), kind);
    for (const kind of ['mnt', 'net']) assert.notEqual(await namespaceOf(pid, kind), await namespaceOf('self', kind), kind);
    assert.equal((await stat(`/proc/${pid}/root/dev/shm`)).dev, (await stat('/dev/shm')).dev);
    await until('its child is there', async () => (await processesMentioning('sleep 1001')).length === 1);
    // The end of its first process is the end of all, and is recorded though a child has the log open.
    process.kill(pid, 'SIGKILL');
    await until('it has ended', async () => (await processOf('on-host'))?.state === 'Exited', 10);
    await until('its child is gone', async () => (await processesMentioning('sleep 1001')).length === 0);
    await node.engine.start(id);
    await node.engine.kill(id);
    await until('its children are gone', async () => (await processesMentioning('sleep 1001')).length === 0);
  });

  it('shares processes and IPC with another container', async () => {
    const owner = await run('owner', { namespaces: { ipc: 'Shareable' }, hostname: 'owner' });
    const guest = await run('guest', { namespaces: { pid: 'Container:owner', ipc: 'Container:owner' } });
    for (const kind of ['pid', 'ipc']) assert.equal(await namespaceOf(guest.pid, kind), await namespaceOf(owner.pid, kind), kind);
    for (const kind of ['uts', 'mnt']) assert.notEqual(await namespaceOf(guest.pid, kind), await namespaceOf(owner.pid, kind), kind);
    await writeFile(`/proc/${owner.pid}/root/dev/shm/word`, 'shared');
    assert.equal(await readFile(`/proc/${guest.pid}/root/dev/shm/word`, 'utf8'), 'shared');
    assert.deepEqual((await node.engine.observe(containerName({ namespace: 'default', name: 'guest' })))?.drift, []);
    await node.engine.kill(owner.id);
    await until('the guest has ended with the owner of its processes', async () => (await processOf('guest'))?.state === 'Exited', 10);
    await assert.rejects(node.engine.start(guest.id), { code: 'Unavailable', message: 'container default/guest shares the processes of container owner, which does not run' });
    await node.engine.remove(owner.id);
    assert.deepEqual((await readdir('/dev/shm')).filter((name) => name.includes(owner.id)), []);
    assert.deepEqual(await readdir(path.join(node.runDir, 'netns')), []);
  });

  it('shares no IPC with a container that is not shareable, and none at all', async () => {
    await run('closed', {});
    const id = await node.engine.create(containerOf('curious', { command: ['true'], namespaces: { ipc: 'Container:closed' } }), 'h');
    await assert.rejects(node.engine.start(id), { code: 'Conflict', message: /can't join the IPC of container closed: non-shareable IPC$/ });
    assert.deepEqual(await output('no-shm', { namespaces: { ipc: 'None' } }, 'ls -d /dev/shm 2>&1'), ['ls: /dev/shm: No such file or directory']);
  });

  it('mounts memory and folders as it says', async () => {
    const { proc } = await run('mounted', {
      mounts: [
        { mountPath: '/fast', tmpfs: { size: '1Mi', mode: '0750', options: ['noexec', 'uid=33', 'nr_inodes=100', 'noatime'] } },
        { mountPath: '/top', bind: { source: '/sys', recursive: false }, readOnly: true },
        { mountPath: '/all', bind: { source: '/sys' } },
      ],
    });
    const mounts = await proc('mountinfo');
    assert.match(mounts, /^.* \/ \/fast rw,nosuid,nodev,noexec,noatime - tmpfs tmpfs rw,size=1024k,nr_inodes=100,mode=750,uid=33/m);
    assert.match(mounts, / \/top ro[, ]/);
    assert.doesNotMatch(mounts, / \/top\//);
    assert.match(mounts, / \/all\/fs\/cgroup/);
  });
});
