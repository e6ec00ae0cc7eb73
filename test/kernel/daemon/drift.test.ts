import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { onNode, type TestNode } from '../../support/daemon.ts';
import { cgroupsOf, readIfThere, startTimeOf, stateOf } from '../../support/kernel.ts';
import { until } from '../../support/until.ts';

/** Unless a test says otherwise, its drift is found by an event: the daemon's full resync comes only after five minutes. */

async function assertTold(node: TestNode, kind: string): Promise<void> {
  const { status } = await until(`the ${kind} drift is in the status`, async () => {
    const object = await node.get('app');
    return object.status.lastDrift?.kind === kind && object;
  });
  assert.equal(status.lastDrift?.kind, kind);
  await until('its repair is told', async () => {
    const events = await node.events('app');
    return events.some(({ reason, message }) => reason === 'DriftDetected' && message.startsWith(`${kind}:`)) && events.some(({ reason, message }) => reason === 'DriftRepaired' && message.startsWith(`${kind}:`));
  });
  const page = await (await fetch(`http://127.0.0.1:${node.metricsPort}/metrics`)).text();
  assert.match(page, new RegExp(`^mooring_drift_detected_total\\{kind="${kind}"\\} 1$`, 'm'));
  assert.match(page, new RegExp(`^mooring_drift_repaired_total\\{kind="${kind}"\\} 1$`, 'm'));
}

test('limits changed by hand are put back, and nothing is restarted', onNode(async (node) => {
  await node.write('app.yaml', node.sleeper('app', 'resources: {pids: 9}'));
  await node.start();
  const pid = await node.running('app');
  const started = await startTimeOf(pid);
  const files = (await cgroupsOf(node.instance)).map((folder) => join(folder, 'pids.max'));
  const values = await Promise.all(files.map(readIfThere));
  const file = files[values.indexOf('9\n')] ?? assert.fail(`no pids.max holds 9: ${values.join(' ')}`);

  await writeFile(file, '4000');
  await until('the limit is back', async () => (await readFile(file, 'utf8')) === '9\n');
  assert.deepEqual(await node.processes('app'), [pid]);
  assert.equal(await startTimeOf(pid), started);
  await assertTold(node, 'Limits');
}));

test('a mount taken away inside the container is there again', onNode(async (node) => {
  await node.write('app.yaml', node.sleeper('app', 'mounts: [{mountPath: /host/os-release, readOnly: true, bind: {source: /etc/os-release}}]'));
  await node.start();
  const pid = await node.running('app');
  await until('it is seen running', async () => (await node.get('app')).status.pid === pid);
  await promisify(execFile)('nsenter', ['-t', String(pid), '-m', 'umount', '-l', '/host/os-release']);
  const next = await node.running('app', [pid]);
  assert.match(await readFile(`/proc/${next}/mountinfo`, 'utf8'), / \/host\/os-release ro/);
  await assertTold(node, 'Mounts');
}));

test('a bundle that somebody removed is made anew', onNode(async (node) => {
  await node.write('app.yaml', node.sleeper('app'));
  await node.start();
  const pid = await node.running('app');
  const { containerID = assert.fail('no container ID') } = (await until('it is seen running', async () => {
    const object = await node.get('app');
    return object.status.pid === pid && object;
  })).status;
  const bundle = join(node.dataDir, 'containers', containerID);
  await rm(bundle, { recursive: true });
  await node.running('app', [pid]);
  assert.ok((await readIfThere(join(bundle, 'config.json'))) !== undefined, 'config.json is there again');
  await assertTold(node, 'Bundle');
}));

test('a process that was stopped by a signal runs on, and one that was moved to another control group is moved back', onNode(async (node) => {
  await node.write('app.yaml', node.sleeper('app', 'resources: {pids: 9}'));
  // The kernel tells nobody of either: the full resync finds them.
  await node.start('--resync-interval', '1s');
  const pid = await node.running('app');
  await until('it is seen running', async () => (await node.get('app')).status.pid === pid);
  process.kill(pid, 'SIGSTOP');
  await until('it runs on', async () => (await stateOf(pid)) === 'S');
  await assertTold(node, 'Frozen');

  const folders = await cgroupsOf(node.instance);
  const holders = async (): Promise<string[]> => {
    const members = await Promise.all(folders.map((folder) => readIfThere(join(folder, 'cgroup.procs'))));
    return folders.filter((_, index) => members[index]?.split('\n').includes(String(pid)));
  };
  const home = await holders();
  const limited = home.find((folder) => folder.includes('/pids/')) ?? home[0] ?? assert.fail('it is in no control group');
  await writeFile(join(limited, '../../cgroup.procs'), String(pid));
  assert.deepEqual(await holders(), home.filter((folder) => folder !== limited));
  await until('it is back', async () => (await holders()).length === home.length);
  await assertTold(node, 'Limits');
  assert.deepEqual(await node.processes('app'), [pid]);
}));

test('a container that shares the IPC of another one shares it again once that was started anew', onNode(async (node) => {
  await node.write('app.yaml', `${node.sleeper('owner', 'namespaces: {ipc: Shareable}')}---\n${node.sleeper('app', 'namespaces: {ipc: "Container:owner"}')}`);
  await node.write('other.yaml', node.sleeper('other'));
  await node.start();
  const [owner, app, other] = [await node.running('owner'), await node.running('app'), await node.running('other')];
  const ipcOf = (pid: number): Promise<string> => readlink(`/proc/${pid}/ns/ipc`);
  assert.equal(await ipcOf(app), await ipcOf(owner));
  await until('it is seen running', async () => (await node.get('app')).status.pid === app);
  process.kill(owner, 'SIGKILL');
  const [next, again] = [await node.running('owner', [owner]), await node.running('app', [app])];
  assert.equal(await ipcOf(again), await ipcOf(next));
  await assertTold(node, 'Namespaces');
  assert.deepEqual(await node.processes('other'), [other]);
}));

test('what is only to be reported is left as it is, until the file says otherwise', onNode(async (node) => {
  const spec = (policy: string) => node.sleeper('app', `resources: {pids: 9}\ndrift: {limits: ${policy}}`);
  await node.write('app.yaml', spec('Report'));
  await node.write('other.yaml', node.sleeper('other', 'resources: {pids: 9}'));
  await node.start();
  const [pid, other] = [await node.running('app'), await node.running('other')];
  await until('both are seen running', async () => (await node.get('app')).status.pid === pid && (await node.get('other')).status.pid === other);
  const limits = (await cgroupsOf(node.instance)).map((folder) => join(folder, 'pids.max'));
  const limited = (await Promise.all(limits.map(async (file) => ((await readIfThere(file)) === '9\n' ? [file] : [])))).flat();
  assert.equal(limited.length, 2);
  for (const file of limited) await writeFile(file, '77');
  const drifted = async (): Promise<string | undefined> => (await node.get('app')).status.conditions.find(({ type }) => type === 'Drifted')?.message;
  assert.match((await until('it is reported', drifted)) ?? '', /pids\.max is 77, want 9/);
  // The one beside it shows that there was time to write it again.
  await until('the other one is undone', async () => (await Promise.all(limited.map(readIfThere))).filter((value) => value === '9\n').length === 1);
  assert.equal((await node.mooring('drift', 'app', '--exit-code')).code, 4);
  assert.equal((await node.mooring('drift', 'other', '--exit-code')).code, 0);
  await node.write('app.yaml', spec('Correct'));
  await until('now it is undone', async () => (await Promise.all(limited.map(readIfThere))).every((value) => value === '9\n'));
  await until('and was, by writing it again', async () => /Limits +Correct .* RestoreLimits/.test((await node.mooring('drift', 'app')).stdout));
  assert.deepEqual([await node.processes('app'), await node.processes('other')], [[pid], [other]]);
  assert.equal((await node.events('app')).filter(({ reason }) => reason === 'DriftDetected').length, 1);
}));

test('a job that has completed is not taken for drift', onNode(async (node) => {
  await node.write('app.yaml', node.container('app', 'exit 0', 'restartPolicy: OnFailure'));
  await node.start();
  await until('it has completed', async () => (await node.get('app')).status.exitCode === 0);
  await node.write('other.yaml', node.sleeper('other'));
  await node.running('other');
  const { status } = await node.get('app');
  assert.equal(status.restartCount, 0);
  assert.equal(status.lastDrift, undefined);
}));
