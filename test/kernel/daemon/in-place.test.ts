import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { onNode, type TestNode } from '../../support/daemon.ts';
import { cgroupsOf, readIfThere, startTimeOf, stateOf } from '../../support/kernel.ts';
import { until } from '../../support/until.ts';

/** The first of these files, v1's before v2's, that there is in the process's cgroup. */
async function cgroupFile(node: TestNode, pid: number, ...names: readonly string[]): Promise<string> {
  const folders = await cgroupsOf(node.instance);
  for (const file of names.flatMap((name) => folders.map((folder) => join(folder, name)))) {
    if ((await readIfThere(file)) !== undefined && (await readIfThere(join(file, '../cgroup.procs')))?.split('\n').includes(String(pid))) return file;
  }
  return assert.fail(`process ${pid} is in no cgroup that has ${names.join(' or ')}`);
}

const read = async (file: string): Promise<string> => (await readFile(file, 'utf8')).trim();
const FREEZER = ['freezer.state', 'cgroup.freeze'];
const isFrozen = async (file: string): Promise<boolean> => ['FROZEN', '1'].includes(await read(file));

/** How often the container has counted; it does so twenty times a second while it runs. */
async function count(pid: number): Promise<number> {
  return Number((await readIfThere(`/proc/${pid}/root/count`)) ?? Number.NaN);
}

const COUNTING = 'i=0; while :; do i=$((i+1)); echo $i > /count.new; mv /count.new /count; usleep 50000; done';

async function counts(pid: number): Promise<void> {
  const before = await count(pid);
  await until('it counts', async () => (await count(pid)) > before + 1);
}

test('limits that the file changes are those of the running container, and of its next run', onNode(async (node) => {
  await node.write('app.yaml', node.sleeper('app', 'resources: {pids: 9, memory: 64Mi}'));
  await node.start();
  const pid = await node.running('app');
  const started = await startTimeOf(pid);
  const pids = await cgroupFile(node, pid, 'pids.max');
  const memory = await cgroupFile(node, pid, 'memory.limit_in_bytes', 'memory.max');
  assert.deepEqual([await read(pids), await read(memory)], ['9', String(64 * 2 ** 20)]);

  await node.write('app.yaml', node.sleeper('app', 'resources: {pids: 11, memory: 32Mi, cpu: 500m}\nlogging: {maxFiles: 2}'));
  await until('the limits are changed', async () => (await read(pids)) === '11' && (await read(memory)) === String(32 * 2 ** 20));
  const cpu = await cgroupFile(node, pid, 'cpu.cfs_quota_us', 'cpu.max');
  await until('the CPU is limited', async () => (await read(cpu)).startsWith('50000'));
  await until('it is told', async () => (await node.events('app')).some(({ reason, message }) => reason === 'SpecChanged' && /spec\.resources\.pids from 9 to 11/.test(message)));
  assert.deepEqual(await node.processes('app'), [pid]);
  assert.equal(await startTimeOf(pid), started);
  assert.equal((await node.events('app')).filter(({ reason }) => reason === 'DriftDetected').length, 0);

  process.kill(pid, 'SIGKILL');
  const next = await node.running('app', [pid]);
  assert.equal(await read(await cgroupFile(node, next, 'pids.max')), '11');
  assert.equal(await read(await cgroupFile(node, next, 'memory.limit_in_bytes', 'memory.max')), String(32 * 2 ** 20));
  await until('it is seen running', async () => (await node.get('app')).status.pid === next);
  assert.deepEqual((await node.events('app')).flatMap(({ reason, message }) => (reason === 'DriftDetected' && !message.startsWith('Process:') ? [message] : [])), []);
}));

test('a container that the file pauses stands still, also for a daemon that is started anew, and runs on where it was', onNode(async (node) => {
  await node.write('app.yaml', node.container('app', COUNTING));
  await node.start();
  const pid = await node.running('app');
  const freezer = await cgroupFile(node, pid, ...FREEZER);
  await until('it has begun to count', async () => (await count(pid)) > 0);
  await node.write('app.yaml', node.container('app', COUNTING, 'pause: true'));
  await until('it stands still', () => isFrozen(freezer));
  await until('it is told', async () => (await node.mooring('get', 'app')).stdout.includes('Paused'));
  const stood = await count(pid);

  const exec = await node.mooring('exec', 'app', 'true');
  assert.notEqual(exec.code, 0);
  assert.match(exec.stderr, /app is paused/);
  await node.end('SIGKILL');
  await node.start();
  await until('the next daemon sees it', async () => (await node.mooring('get', 'app')).stdout.includes('Paused'));
  assert.ok(await isFrozen(freezer));
  assert.equal(await count(pid), stood);
  assert.equal((await node.mooring('commit', 'app', 'example/paused:1')).code, 0);
  assert.ok(await isFrozen(freezer), 'a commit leaves it as it was');

  await node.write('app.yaml', node.container('app', COUNTING));
  await counts(pid);
  const { status } = await node.get('app');
  assert.deepEqual([status.pid, status.restartCount], [pid, 0]);
  assert.equal((await node.events('app')).filter(({ reason }) => reason === 'DriftDetected').length, 0);
}));

test('frozen by hand it runs on at once, and stopped while paused it ends in order', onNode(async (node) => {
  const heeding = `trap 'exit 7' TERM; ${COUNTING}`;
  const spec = (more: string) => node.container('app', heeding, `restartPolicy: Never\n${more}`).replace('stopSignal: SIGKILL', 'stopSignal: SIGTERM');
  await node.write('app.yaml', spec('pause: false'));
  await node.start();
  const pid = await node.running('app');
  const freezer = await cgroupFile(node, pid, ...FREEZER);
  await until('it is seen running', async () => (await node.get('app')).status.pid === pid);
  await writeFile(freezer, freezer.endsWith('state') ? 'FROZEN' : '1');
  await counts(pid);
  await until('it is told', async () => (await node.events('app')).some(({ reason, message }) => reason === 'DriftDetected' && /Frozen: its processes stand still/.test(message)));

  await node.write('app.yaml', spec('pause: true'));
  await until('it stands still', () => isFrozen(freezer));
  await writeFile(freezer, freezer.endsWith('state') ? 'THAWED' : '0');
  await until('it stands still again', () => isFrozen(freezer));
  await node.write('app.yaml', spec('pause: true\nsuspend: true'));
  await until('it has ended', async () => (await stateOf(pid)) === undefined);
  await until('its end is told', async () => (await node.get('app')).status.exitCode === 7);
}));
