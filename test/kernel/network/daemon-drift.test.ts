import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bridgeName, tableName } from '../../../src/engine/network/network-names.ts';
import { onNode, type TestNode } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';
import { enter, run } from './support.ts';

/** Every test here undoes its drift by an event: the daemon's full resync comes only after five minutes. */

const NETWORK = 'apiVersion: mooring.dev/v1alpha1\nkind: Network\nmetadata: {name: blue}\nspec: {subnets: [{cidr: 10.217.3.0/24}]}\n';
const PORT = 28_600;

async function tracesOf(instance: string): Promise<string[]> {
  const [links, tables] = await Promise.all([run('ip', ['-o', 'link']), run('nft', ['list', 'tables'])]);
  const own = [bridgeName(instance), bridgeName(instance, 'default/blue'), tableName(instance)];
  return `${links.stdout}${tables.stdout}`.split('\n').filter((line) => own.some((name) => line.includes(name)));
}

async function told(node: TestNode, times: number): Promise<void> {
  await until(`the repair is told ${times} times`, async () => {
    const events = (await node.events('app')).filter(({ message }) => message.startsWith('Network:'));
    const count = (reason: string): number => events.filter((event) => event.reason === reason).reduce((sum, event) => sum + event.count, 0);
    return count('DriftDetected') >= times && count('DriftRepaired') >= times;
  });
}

test('a daemon mends what somebody breaks of a network, tells of it, and nothing is restarted', { timeout: 120_000 }, onNode(async (node) => {
  const bridge = bridgeName(node.instance, 'default/blue');
  const table = tableName(node.instance);
  await node.write('blue.yaml', NETWORK);
  const container = (networks: string): string => node.container('app', 'while :; do nc -ll -p 80 -e echo hello; done', `network: {mode: Bridge, networks: [${networks}]}\nports: [{containerPort: 80, hostPort: ${PORT}, hostIP: 127.0.0.1}]`);
  await node.write('app.yaml', container('{name: blue}'));
  await node.start();
  const answers = (): Promise<unknown> => until('it answers', async () => (await run('busybox', ['nc', '-w', '2', '127.0.0.1', String(PORT)])).stdout === 'hello\n');
  await answers();
  const { pid = assert.fail('no pid'), restartCount } = (await node.get('app')).status;

  const breaks = [
    () => run('ip', ['link', 'del', bridge]),
    () => enter({ pid }, 'ip', 'addr', 'flush', 'dev', 'eth0', 'to', '10.217.3.0/24'),
    () => run('nft', [`delete table inet ${table}; delete table bridge ${table}`]),
    () => run('nft', [`flush map inet ${table} at4`]),
    () => enter({ pid }, 'ip', 'link', 'del', 'eth0'),
  ];
  for (const [n, change] of breaks.entries()) {
    await change();
    await told(node, n + 1);
    await answers();
  }

  // Networks are joined and left in place, by an edit of the file alone.
  await node.write('app.yaml', container('{name: blue}, {name: default}'));
  await until('it is on both', async () => (await enter({ pid }, 'ip', '-o', '-4', 'addr', 'show', 'eth1')).stdout.includes('172.'));
  await node.write('app.yaml', container('{name: default}'));
  await until('it is on one', async () => !(await enter({ pid }, 'ip', '-o', 'link')).stdout.includes(' eth0@'));
  await answers();
  await until('the bridge of the network that nobody is on is gone', async () => !(await run('ip', ['-o', 'link'])).stdout.includes(` ${bridge}:`));
  const status = (await node.get('app')).status;
  assert.deepEqual([status.pid, status.restartCount], [pid, restartCount]);
  assert.deepEqual((await node.events('app')).filter(({ reason }) => reason === 'NetworkChanged').length > 0, true);

  await node.down();
  assert.deepEqual(await tracesOf(node.instance), []);
}));
