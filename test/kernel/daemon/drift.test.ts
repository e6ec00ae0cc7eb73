import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { onNode, type TestNode } from '../../support/daemon.ts';
import { cgroupsOf, readIfThere, startTimeOf } from '../../support/kernel.ts';
import { until } from '../../support/until.ts';

/** Every test here undoes its drift by an event: the daemon's full resync comes only after five minutes. */

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
