import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { onNode, type TestNode } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';

/** What each container leaves in a folder of the node's tells what was there when it began, and who ended first. */
function stack(node: TestNode, shared: string): string {
  const mount = `mounts: [{mountPath: /shared, bind: {source: ${shared}}}]`;
  const container = (name: string, script: string, more: string): string => node.container(name, script, `${mount}\n${more}`).replace('stopSignal: SIGKILL', 'stopSignal: SIGTERM');
  const ends = (name: string, first = ':'): string => `trap '${first}; echo ${name} >> /shared/stopped; exit 0' TERM; sleep 100000 & wait`;
  return [
    container('web', `test -e /shared/ready && test -e /shared/migrated && echo late >> /shared/web || echo early >> /shared/web; ${ends('web', 'sleep 1')}`, 'dependsOn: [{container: db}, {container: migrate, condition: Completed}]'),
    container('migrate', 'echo ran >> /shared/runs; sleep 0.5; touch /shared/migrated', 'restartPolicy: OnFailure\ndependsOn: [{container: db}]'),
    container('db', `sleep 0.5; touch /shared/ready; ${ends('db')}`, 'readinessProbe: {exec: {command: [test, -e, /shared/ready]}, periodSeconds: 1, timeoutSeconds: 20}'),
  ].join('---\n');
}

const lines = async (file: string): Promise<string[]> => (await readFile(file, 'utf8')).trim().split('\n');

test('containers start in their order, again after all went down; a circle changes nothing; they stop in reverse', onNode(async (node) => {
  const shared = join(node.root, 'shared');
  await mkdir(shared);
  await node.write('stack.yaml', stack(node, shared));
  await node.start();
  await until('web has begun', async () => (await readdir(shared)).includes('web'));
  assert.deepEqual(await lines(join(shared, 'web')), ['late']);
  assert.ok((await node.events('web')).some(({ reason }) => reason === 'WaitingForDependency'));

  // As a power cut has it: everything is gone at once, and no client is there to say what comes first.
  assert.equal(await node.end('SIGKILL'), null);
  await rm(join(shared, 'ready'));
  for (const name of ['web', 'db']) for (const pid of await node.processes(name)) process.kill(pid, 'SIGKILL');
  for (const name of ['web', 'db']) await node.gone(name);
  await node.start();
  await until('web has begun again', async () => (await lines(join(shared, 'web'))).length === 2);
  assert.deepEqual(await lines(join(shared, 'web')), ['late', 'late']);
  assert.deepEqual(await lines(join(shared, 'runs')), ['ran'], 'what has completed is not run again');

  const pids = [await node.processes('web'), await node.processes('db')];
  await node.write('stack.yaml', stack(node, shared).replace('readinessProbe:', 'dependsOn: [{container: web}]\n  readinessProbe:'));
  const circle = await until('the circle is told', async () => {
    const { stderr } = await node.mooring('get');
    return stderr.includes('stack.yaml') && stderr;
  });
  assert.match(circle, /spec\.dependsOn: it would come before itself: default\/db → default\/web → default\/db/);
  assert.deepEqual([await node.processes('web'), await node.processes('db')], pids);
  await node.write('stack.yaml', stack(node, shared));
  await until('the circle is gone', async () => !(await node.mooring('get')).stderr.includes('stack.yaml'));

  await node.remove('stack.yaml');
  for (const name of ['web', 'db']) await node.gone(name);
  assert.deepEqual(await lines(join(shared, 'stopped')), ['web', 'db']);
}));
