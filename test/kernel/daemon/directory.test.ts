import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { onNode } from '../../support/daemon.ts';
import { cgroupsOf, readIfThere, startTimeOf } from '../../support/kernel.ts';
import { until } from '../../support/until.ts';

test('a file becomes a running container, and goes with it: added, edited, renamed, deleted', onNode(async (node) => {
  await node.start();

  await node.write('team/app.yaml', node.sleeper('app', 'resources: {memory: 32Mi, pids: 9}'));
  const first = await node.running('app');
  const groups = await cgroupsOf(node.instance);
  assert.ok(groups.length > 0, 'it has a cgroup');
  const pidsLimits = await Promise.all(groups.map((folder) => readIfThere(join(folder, 'pids.max'))));
  assert.ok(pidsLimits.includes('9\n'), `pids.max of ${groups.join(' ')}: ${pidsLimits.join(' ')}`);

  await rename(join(node.specs, 'team/app.yaml'), join(node.specs, 'moved.yaml'));
  await until('the move is seen', async () => JSON.stringify(await node.get('app')).includes('moved.yaml'));
  assert.deepEqual(await node.processes('app'), [first], 'a renamed file restarts nothing');

  await node.write('moved.yaml', node.sleeper('app', 'hostname: edited\nresources: {memory: 32Mi, pids: 9}'));
  const second = await node.running('app', [first]);
  assert.notEqual(second, first);
  const { metadata, status } = await until('the edit is accepted', async () => {
    const object = await node.get('app');
    return object.status.observedGeneration === 2 && object;
  });
  assert.equal(metadata.generation, 2);
  assert.equal(status.restartCount, 0, 'a change of spec is no restart');
  assert.equal(status.pid, second);

  await node.remove('moved.yaml');
  await node.gone('app');
  const id = status.containerID ?? assert.fail();
  await until('its cgroups are gone', async () => !(await cgroupsOf(node.instance)).some((folder) => folder.includes(id)));
  await until('it is gone from the list', async () => (await node.mooring('get', 'app')).code === 1);
}));

test('a file with a mistake changes nothing that runs, and says where the mistake is', onNode(async (node) => {
  await node.write('app.yaml', node.sleeper('app'));
  await node.start();
  const pid = await node.running('app');
  const started = await startTimeOf(pid);

  await node.write('app.yaml', node.sleeper('app', 'resources: {memory: 64mb}'));
  const { stdout, stderr } = await until('get tells of it', async () => {
    const shown = await node.mooring('get', 'containers');
    return shown.stderr.includes('app.yaml') && shown;
  });
  assert.match(stderr, /app\.yaml:\d+:\d+: spec\.resources\.memory: .*64mb/);
  assert.match(stdout, /app\s+Running/);
  assert.match((await node.mooring('describe', 'app')).stdout, /Problems[^]*spec\.resources\.memory/);
  assert.ok((await node.events()).some(({ reason, message }) => reason === 'SpecRejected' && message.includes('app.yaml')), 'an event tells of it');
  const page = await (await fetch(`http://127.0.0.1:${node.metricsPort}/metrics`)).text();
  assert.match(page, /^mooring_spec_errors\{file="app\.yaml"\} 1$/m);
  assert.deepEqual(await node.processes('app'), [pid]);
  assert.equal(await startTimeOf(pid), started);

  await node.write('app.yaml', node.sleeper('app', 'hostname: mended\nresources: {memory: 64Mi}'));
  await node.running('app', [pid]);
  await until('the mistake is forgotten', async () => !(await node.mooring('get', 'containers')).stderr.includes('app.yaml'));
}));

test('two files that claim one name: the first stays, the second is reported', onNode(async (node) => {
  await node.write('a.yaml', node.sleeper('app'));
  await node.start();
  const pid = await node.running('app');
  await node.write('b.yaml', node.sleeper('app', 'hostname: other'));
  const { stderr } = await until('get tells of it', async () => {
    const shown = await node.mooring('get', 'containers');
    return shown.stderr.includes('b.yaml') && shown;
  });
  assert.match(stderr, /a\.yaml/);
  assert.deepEqual(await node.processes('app'), [pid]);
}));

test('a process killed by anyone runs again, counted and told', onNode(async (node) => {
  await node.write('app.yaml', node.sleeper('app'));
  await node.start();
  const first = await node.running('app');
  process.kill(first, 'SIGKILL');
  const second = await node.running('app', [first]);
  const { status } = await until('the restart is counted', async () => {
    const object = await node.get('app');
    return object.status.restartCount === 1 && object;
  });
  assert.equal(status.pid, second);
  assert.equal(status.lastDrift?.kind, 'Process');
  const reasons = (await node.events('app')).map(({ reason }) => reason);
  assert.ok(reasons.includes('DriftDetected'), reasons.join(' '));
  const page = await (await fetch(`http://127.0.0.1:${node.metricsPort}/metrics`)).text();
  assert.match(page, /^mooring_drift_detected_total\{kind="Process"\} 1$/m);
}));

test('a job that ended well stays ended; one that fails is started again', onNode(async (node) => {
  await node.write('jobs.yaml', [node.container('good', 'echo done', 'restartPolicy: OnFailure'), node.container('bad', 'echo broken >&2; exit 3', 'restartPolicy: OnFailure')].join('---\n'));
  await node.start();
  await until('the good one is completed', async () => (await node.get('good')).status.phase === 'Completed');
  assert.equal((await node.mooring('logs', 'good')).stdout, 'done\n');
  const bad = await until('the bad one waits after a restart', async () => {
    const object = await node.get('bad');
    return object.status.restartCount >= 1 && object.status.phase === 'CrashLoopBackOff' && object;
  });
  assert.equal(bad.status.exitCode, 3);
  assert.equal((await node.mooring('logs', '--tail', '1', 'bad')).stderr, 'broken\n');
  assert.equal((await node.get('good')).status.restartCount, 0);
}));
