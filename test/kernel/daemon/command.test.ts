import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { MOORING, onNode, runMooring } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';

const EXAMPLES = fileURLToPath(new URL('../../../examples/gitops', import.meta.url));

test('plan says what would be done and why, exits as told, and does nothing', onNode(async (node) => {
  await node.write('kept.yaml', node.sleeper('kept'));
  await node.write('gone.yaml', node.sleeper('gone'));
  await node.start();
  const pids = [await node.running('kept'), await node.running('gone')];
  const folder = join(node.root, 'next');
  await node.write('../next/kept.yaml', node.sleeper('kept', 'resources: {pids: 77}'));
  await node.write('../next/new.yaml', node.sleeper('new'));
  const databaseBefore = await node.mooring('get', '-A', '-o', 'json');
  const eventsBefore = await node.events();

  const plan = await node.mooring('plan', '-f', folder, '--prune', '--exit-code');
  assert.equal(plan.code, 4, plan.stderr);
  assert.match(plan.stdout, /default\/kept will be (made anew|changed in place)[^]*spec\.resources\.pids: .* → 77/);
  assert.match(plan.stdout, /\+ default\/new will be created/);
  assert.match(plan.stdout, /- default\/gone will be removed/);
  assert.match(plan.stdout, /Nothing was done\.$/m);
  const json = JSON.parse((await node.mooring('plan', '-f', folder, '-o', 'json')).stdout) as { changes: { name: string; action: string }[] };
  assert.deepEqual(json.changes.map(({ name }) => name).toSorted(), ['default/kept', 'default/new']);
  assert.equal((await node.mooring('plan', '-f', node.specs, '--prune', '--exit-code')).code, 0, 'what is so already changes nothing');

  await writeFile(join(folder, 'bad.yaml'), 'apiVersion: mooring.dev/v1alpha1\nkind: Container\nmetadata: {name: bad}\nspec: {imagee: x}\n');
  const bad = await node.mooring('plan', '-f', folder);
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /bad\.yaml:4:8/);

  assert.deepEqual([await node.running('kept'), await node.running('gone')], pids);
  assert.deepEqual(await node.processes('new'), []);
  assert.deepEqual(await node.events(), eventsBefore);
  assert.equal((await node.mooring('get', '-A', '-o', 'json')).stdout, databaseBefore.stdout);
}));

test('apply, get in every form, logs, describe, explain, events, delete', onNode(async (node) => {
  await node.write('file.yaml', node.sleeper('file'));
  await node.start();
  const spec = join(node.root, 'app.yaml');
  await writeFile(spec, node.container('app', 'echo one; echo two; echo three; exec sleep 1000'));

  const applied = await node.mooring('apply', '-f', spec, '--wait');
  assert.equal(applied.code, 0, applied.stderr);
  assert.equal(applied.stdout, 'default/app created\n');
  const pid = await node.running('app');
  assert.equal((await node.mooring('apply', '-f', spec)).stdout, 'default/app unchanged\n');

  const object = await node.get('app');
  assert.equal(object.status.pid, pid);
  const yaml = (await node.mooring('get', 'container/app', '-o', 'yaml')).stdout;
  assert.deepEqual(parse(yaml), object);
  assert.match((await node.mooring('get', 'default/app', '-o', 'wide')).stdout, new RegExp(`^app +Running +0 +- +\\d+s +mooring\\.local/busybox:latest +${pid} +${object.status.containerID?.slice(0, 12)} +api:`, 'm'));
  await node.running('file');
  assert.equal((await node.mooring('get', '-o', 'name')).stdout, 'container/app\ncontainer/file\n');
  assert.match((await node.mooring('get', '-n', 'other')).stderr, /No containers in namespace other/);
  assert.match((await node.mooring('get', 'nope')).stderr, /there is no container default\/nope/);

  // What was printed can be applied again, and changes nothing.
  await writeFile(join(node.root, 'printed.yaml'), yaml);
  assert.equal((await node.mooring('apply', '-f', join(node.root, 'printed.yaml'))).stdout, 'default/app unchanged\n');
  assert.deepEqual(await node.processes('app'), [pid]);

  assert.equal((await node.mooring('logs', 'app')).stdout, 'one\ntwo\nthree\n');
  assert.equal((await node.mooring('logs', '--tail', '1', 'app')).stdout, 'three\n');
  assert.match((await node.mooring('logs', '--tail', '1', '--timestamps', 'app')).stdout, /^\d{4}-\d\d-\d\dT\S+ three\n$/);
  assert.match((await node.mooring('describe', 'app')).stdout, /Events:[^]*Started/);
  assert.match((await node.mooring('explain', 'app')).stdout, /Wanted:[^]*Found:[^]*Next:/);
  assert.match((await node.mooring('events', 'app')).stdout, /Created/);

  const refused = await node.mooring('delete', 'file');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /delete it from file\.yaml:1:1 instead/);
  const deleted = await node.mooring('delete', 'app', '--wait');
  assert.equal(deleted.code, 0, deleted.stderr);
  assert.deepEqual(await node.processes('app'), []);
}));

test('logs -f follows over restarts until it is interrupted', onNode(async (node) => {
  await node.write('app.yaml', node.container('app', 'echo pid $$; exec sleep 1000'));
  await node.start();
  const first = await node.running('app');
  const following = spawn(MOORING, ['--host', `unix://${node.runDir}/mooring.sock`, 'logs', '-f', 'app'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  following.stdout.on('data', (data: Buffer) => (text += data.toString()));
  await until('the first line comes', () => text.includes('\n'));
  process.kill(first, 'SIGKILL');
  await until('the line of the next run comes', () => text.split('\n').length === 3);
  following.kill('SIGINT');
  const [code, signal] = (await once(following, 'exit')) as [number | null, string | null];
  assert.ok(signal === 'SIGINT' || code !== 0);
}));

test('the metrics page is clean for promtool', onNode(async (node) => {
  await node.write('app.yaml', node.sleeper('app', 'resources: {memory: 32Mi, cpu: 500m}'));
  await node.start();
  await node.running('app');
  const page = await until('the container is in it', async () => {
    const text = await (await fetch(`http://127.0.0.1:${node.metricsPort}/metrics`)).text();
    return text.includes('container_memory_working_set_bytes{') && text;
  });
  const check = execFile('promtool', ['check', 'metrics']);
  let said = '';
  check.stdout?.on('data', (data: string) => (said += data));
  check.stderr?.on('data', (data: string) => (said += data));
  check.stdin?.end(page);
  const [code] = (await once(check, 'close')) as [number];
  assert.equal(code, 0, said);
}));

test('the examples come up: a page is served, the worker is limited, the job completes, the host file is read', onNode(async (node) => {
  for (const file of await readdir(EXAMPLES)) await node.write(file, (await readFile(join(EXAMPLES, file), 'utf8')).replaceAll('8080', String(node.metricsPort + 1)));
  await node.start();
  const page = await until('the page is served', async () => (await fetch(`http://127.0.0.1:${node.metricsPort + 1}/`)).text());
  assert.match(page, /Moored/);
  await until('the job is completed', async () => (await node.get('job')).status.phase === 'Completed');
  await until('the host file is read', async () => (await node.mooring('logs', 'os-release')).stdout.startsWith('the host runs '));
  await until('the worker works', async () => (await node.mooring('logs', 'worker')).stdout.includes('for harbour'));
  assert.match((await node.mooring('get', '-A')).stdout, new RegExp(`web +Running +0 +localhost:${node.metricsPort + 1}`));
}));

test('--view prints each change where there is no terminal, and says at the end that containers run on', onNode(async (node) => {
  await node.write('app.yaml', node.sleeper('app'));
  await node.start('--view');
  await node.running('app');
  await until('the view tells of it', () => /^default\/app Running restarts=0$/m.test(node.log));
  assert.match(node.log, new RegExp(`metrics http://127\\.0\\.0\\.1:${node.metricsPort}/metrics`));
  assert.equal(await node.end('SIGINT'), 0, node.log);
  assert.match(node.log, /its containers go on running. Take them down with: \.\/bin\/mooring down /);
  assert.equal((await node.processes('app')).length, 1);
}));

test('wrong flags and unreachable daemons have their own exit status', async () => {
  assert.equal((await runMooring(['get', '--nope'], {})).code, 2);
  assert.equal((await runMooring(['frobnicate'], {})).code, 2);
  assert.equal((await runMooring(['ps', '--host', 'tcp://x'], {})).code, 2);
  assert.equal((await runMooring(['ps', '--host', 'unix:///nonexistent/sock'], {})).code, 3);
  assert.equal((await runMooring(['daemon', '--data-dir', '/tmp/a:b'], {})).code, 2);
  assert.equal((await runMooring(['daemon', '--metrics-addr', 'nine'], {})).code, 2);
});
