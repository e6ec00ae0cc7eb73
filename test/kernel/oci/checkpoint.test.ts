import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';

import { until } from '../../support/until.ts';
import { Bundle } from './bundle.ts';
import { missing, succeed } from './command.ts';
import { cgroupFile } from './engine.ts';

/** What CRIU says of this kernel; "" where it can work here. It knows nothing of kernels that are newer than it. */
const LACKING = missing('criu') || (spawnSync('criu', ['check']).status === 0 ? '' : 'CRIU does not work on this kernel');
const NOT_HERE = LACKING === '' ? false : LACKING;

/** Counts in a file of its own, for as long as it lives. */
const COUNTS = ['sh', '-c', 'i=0; while true; do i=$((i+1)); echo $i > /tmp/count; sleep 0.05; done'];

/** Output of its own: a caller's terminal or device would be the restored container's to open. */
const APART = { input: '', env: process.env };

async function counted(file: string): Promise<number> {
  return Number((await readFile(file, 'utf8').catch(() => '')).trim());
}

it('checkpoints, and restores as another container with its processes, mounts, cgroups and names', { skip: NOT_HERE }, async (t) => {
  const bundle = await Bundle.create(t);
  const count = join(bundle.folder, 'rootfs/tmp/count');
  await mkdir(join(bundle.folder, 'shared'));
  bundle.config.process['args'] = COUNTS;
  bundle.config.mounts.push({ destination: '/etc/shared', type: 'bind', source: 'shared', options: ['rbind', 'ro'] }, { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] }, { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro'] });
  Object.assign(bundle.config.linux, { resources: { memory: { limit: 64 << 20 }, pids: { limit: 20 } }, maskedPaths: ['/proc/kcore', '/sys/firmware'], readonlyPaths: ['/proc/sys'] });
  await bundle.write();
  await bundle.runtime(['run', '--detach', 'before'], { output: join(bundle.folder, 'out') });
  await until('it counts', async () => (await counted(count)) > 3);

  await bundle.ask('checkpoint', '--image-path', 'first', '--leave-running', 'before');
  assert.equal((await bundle.state('before')).status, 'running');
  const pid = (await bundle.state('before')).pid;
  await bundle.ask('checkpoint', '--image-path', 'second', '--work-path', 'work', 'before');
  assert.deepEqual(await bundle.traces(), []);
  assert.match(await readFile(join(bundle.folder, 'work/dump.log'), 'utf8'), /Dumping finished successfully/);
  const last = await counted(count);
  await writeFile(join(bundle.folder, 'shared/new'), 'since\n');

  // What limits it and where it is comes from the bundle that it is restored with.
  Object.assign(bundle.config.linux, { cgroupsPath: `/${bundle.cgroup}/other`, resources: { memory: { limit: 32 << 20 } } });
  await bundle.write();
  const restored = await bundle.runtime(['restore', '--detach', '--pid-file', 'pid', '--image-path', 'second', '--work-path', 'work', 'after'], { output: join(bundle.folder, 'out') });
  assert.deepEqual([restored.code, restored.stderr], [0, '']);
  await until('it counts on', async () => (await counted(count)) > last);
  const after = await bundle.state('after');
  assert.deepEqual([after.status, await readFile(join(bundle.folder, 'pid'), 'utf8')], ['running', String(after.pid)]);
  assert.notEqual(after.pid, pid);
  assert.equal(await cgroupFile(after.pid, 'memory', 'memory.limit_in_bytes', 'memory.max'), String(32 << 20));
  assert.match(await readFile(`/proc/${after.pid}/cgroup`, 'utf8'), new RegExp(`/${bundle.cgroup}/other$`, 'm'));
  const seen = await bundle.ask('exec', 'after', 'sh', '-c', 'hostname; cat /etc/shared/new; cat /proc/self/cgroup | sort | tail -n1; head -c1 /proc/kcore | wc -c; echo 1 2>/dev/null > /proc/sys/kernel/domainname; echo $?; ls -d /sys/fs/cgroup');
  assert.equal(seen, 'oci\nsince\n0::/\n0\n1\n/sys/fs/cgroup');
  await bundle.ask('kill', 'after', 'KILL');
  await bundle.untilStatus('after', 'stopped');
  await bundle.ask('delete', 'after');
  assert.deepEqual(await bundle.traces(), []);
});

it('restores in the foreground, on an overlay, in a network namespace that was made for it', { skip: NOT_HERE }, async (t) => {
  const bundle = await Bundle.create(t);
  const name = `${bundle.cgroup}-ns`;
  const at = (folder: string): string => join(bundle.folder, folder);
  await rename(at('rootfs'), at('layer'));
  for (const folder of ['rootfs', 'upper', 'work']) await mkdir(at(folder));
  await succeed('ip', ['netns', 'add', name]);
  try {
    bundle.config.process['args'] = ['sh', '-c', 'echo begins; trap "echo ends; exit 7" TERM; while true; do sleep 0.05; done'];
    bundle.config['annotations'] = { 'dev.mooring.rootfs.overlay': JSON.stringify({ lower: [at('layer')], upper: at('upper'), work: at('work') }) };
    bundle.config.linux.namespaces = bundle.config.linux.namespaces.map((one) => (one.type === 'network' ? { type: 'network', path: `/run/netns/${name}` } : one));
    await bundle.write();
    await bundle.runtime(['run', '--detach', 'c'], { output: at('out') });
    const network = await readlink(`/proc/${(await bundle.state('c')).pid}/ns/net`);
    await bundle.ask('checkpoint', '--image-path', 'images', '--pre-dump', 'c');
    await bundle.ask('checkpoint', '--image-path', 'images/last', '--parent-path', '..', 'c');
    assert.deepEqual(await bundle.traces(), []);

    const over = bundle.runtime(['restore', '--image-path', 'images/last', 'c'], { ...APART, output: at('out2') });
    await until('it is there again', async () => (await bundle.runtime(['state', 'c'])).stdout.includes('"running"'));
    assert.equal(await readlink(`/proc/${(await bundle.state('c')).pid}/ns/net`), network);
    await bundle.ask('kill', 'c', 'TERM');
    const { code, stderr } = await over;
    assert.deepEqual([code, stderr], [7, '']);
    assert.equal(await readFile(at('out2'), 'utf8'), 'ends\n');
    assert.deepEqual(await bundle.traces(), []);
  } finally {
    await succeed('ip', ['netns', 'del', name]);
  }
});

it('says why it can’t be done here, and leaves the container as it was', async (t) => {
  const bundle = await Bundle.create(t);
  await bundle.runtime(['run', '--detach', 'c'], { output: join(bundle.folder, 'out') });
  const refused = async (words: readonly string[], env: NodeJS.ProcessEnv, expected: RegExp): Promise<void> => {
    const { code, stderr } = await bundle.runtime(words, { env });
    assert.equal(code, 1);
    assert.match(stderr, expected);
    assert.equal((await bundle.state('c')).status, 'running');
  };
  await refused(['checkpoint', 'c'], { PATH: bundle.folder }, /^mooring-runtime: CRIU, which checkpoints and restores, is not installed: no program "criu" in PATH/);
  await refused(['--criu', '/nothing', 'checkpoint', 'c'], {}, /--criu \/nothing: No such file or directory/);
  await refused(['restore', '--image-path', 'nothing', 'd'], process.env, /--image-path .*\/nothing: No such file or directory/);
  await refused(['restore', '--image-path', 'checkpoint', 'c'], process.env, /container "c" already exists/);
  await refused(['checkpoint', '--lazy-pages', 'c'], process.env, /flag --lazy-pages: memory is written and read whole/);
  if (NOT_HERE !== false && !missing('criu')) await refused(['checkpoint', 'c'], process.env, /criu dump: .+\(all of it is in .*\/checkpoint\/dump.log; "criu check" tells what this kernel lacks for it\)/);
  await bundle.ask('delete', '--force', 'c');
  for (const [change, expected] of [
    [{ process: { ...bundle.config.process, terminal: true } }, /process\.terminal: .* can't be checkpointed or restored/],
    [{ hooks: { createRuntime: [{ path: '/bin/true' }] } }, /hooks\.createRuntime/],
  ] as const) {
    await writeFile(join(bundle.folder, 'config.json'), JSON.stringify({ ...bundle.config, ...change }));
    const { code, stderr } = await bundle.runtime(['restore', '--image-path', 'checkpoint', 'd']);
    assert.equal(code, 1);
    assert.match(stderr, expected);
  }
  assert.deepEqual(await bundle.traces(), []);
  await rm(join(bundle.folder, 'checkpoint'), { recursive: true });
});
