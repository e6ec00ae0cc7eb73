import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onNode, type TestNode } from '../../support/daemon.ts';
import { cgroupsOf, startTimeOf } from '../../support/kernel.ts';
import { until } from '../../support/until.ts';

const COUNT = 50;

/** Pid and start time of each container's process: together they name the very process. */
async function identities(node: TestNode, names: readonly string[]): Promise<string[]> {
  return Promise.all(
    names.map(async (name) => {
      const pid = await node.running(name);
      return `${name} ${pid} ${await startTimeOf(pid)}`;
    }),
  );
}

test(`a daemon killed with ${COUNT} containers takes the same processes up again, and counts no restart`, onNode(async (node) => {
  const names = Array.from({ length: COUNT }, (_, index) => `app-${index}`);
  await node.write('apps.yaml', names.map((name) => node.sleeper(name)).join('---\n'));
  await node.start();
  const before = await identities(node, names);

  await node.end('SIGKILL');
  assert.deepEqual(await identities(node, names), before, 'they outlive the daemon');
  await node.start();
  const taken = (await node.mooring('get', '-A')).stdout;
  assert.equal(taken.split('\n').filter((line) => / Running /.test(line)).length, COUNT, `who asks first is told of all that runs:\n${taken}`);
  assert.deepEqual(await identities(node, names), before);
  for (const name of names) assert.equal((await node.get(name)).status.restartCount, 0, name);

  // Watching has resumed: a death now is found by its event, long before the resync of five minutes.
  const [, pid = ''] = before[0]?.split(' ') ?? [];
  process.kill(Number(pid), 'SIGKILL');
  await node.running('app-0', [Number(pid)]);
  await until('the restart is counted', async () => (await node.get('app-0')).status.restartCount === 1);
}));

test('what happened while no daemon ran is made good: a death, a removed file, an edited file, a new file', onNode(async (node) => {
  for (const name of ['stays', 'dies', 'removed', 'edited']) await node.write(`${name}.yaml`, node.sleeper(name));
  await node.start();
  const [stays, dies, , edited] = await Promise.all(['stays', 'dies', 'removed', 'edited'].map((name) => node.running(name)));
  assert.ok(stays !== undefined && dies !== undefined && edited !== undefined);
  await node.end('SIGKILL');

  process.kill(dies, 'SIGKILL');
  await node.gone('dies');
  await node.remove('removed.yaml');
  await node.write('edited.yaml', node.sleeper('edited', 'hostname: other'));
  await node.write('new.yaml', node.sleeper('new'));
  await node.start();

  await node.running('dies', [dies]);
  await node.gone('removed');
  await node.running('edited', [edited]);
  await node.running('new');
  assert.deepEqual(await node.processes('stays'), [stays]);
  await until('the death is counted', async () => (await node.get('dies')).status.restartCount === 1);
  await until('the removed one is forgotten', async () => (await node.mooring('get', 'removed')).code === 1);
}));

test('a stopped daemon leaves its containers running, and a second one on the same places is refused', onNode(async (node) => {
  await node.write('app.yaml', node.sleeper('app'));
  await node.start();
  const pid = await node.running('app');

  const second = await node.mooring('daemon', '--specs', node.specs, ...node.places, '--metrics-addr', 'off');
  assert.equal(second.code, 1);
  assert.match(second.stderr, /instance "e2e-.*" runs on this machine already/);
  const elsewhere = await node.mooring('daemon', '--specs', node.specs, '--data-dir', `${node.root}/data2`, '--run-dir', node.runDir, '--instance', `${node.instance}b`, '--metrics-addr', 'off');
  assert.equal(elsewhere.code, 1);
  assert.match(elsewhere.stderr, /another daemon answers on/);
  assert.deepEqual(await node.processes('app'), [pid]);

  assert.equal(await node.end('SIGTERM'), 0, node.log);
  assert.deepEqual(await node.processes('app'), [pid]);
  assert.equal((await node.mooring('ps')).code, 3);
}));

test('down: with a daemon it removes all and ends it; without one it does so itself; nothing is left either way', onNode(async (node) => {
  const names = ['a', 'b', 'c'];
  await node.write('apps.yaml', names.map((name) => node.sleeper(name)).join('---\n'));
  await node.start();
  await identities(node, names);
  const { stdout } = await node.down();
  for (const name of names) assert.match(stdout, new RegExp(`^default/${name} removed$`, 'm'));
  assert.match(stdout, /^3 removed\.$/m);
  assert.deepEqual(await cgroupsOf(node.instance), []);

  // What is wanted stays wanted: the next daemon brings it up again.
  await node.start();
  await identities(node, names);
  await node.end('SIGKILL');
  assert.match((await node.down()).stdout, /^3 removed\.$/m);
  assert.match((await node.down()).stdout, /^Nothing to take down\.$/m);
}));
