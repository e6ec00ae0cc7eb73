import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { onNode } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';

const mounts = await readFile('/proc/self/mounts', 'utf8');
const pids = mounts.split('\n').map((line) => line.split(' ')).find(([, , type, options]) => type === 'cgroup' && options?.split(',').includes('pids'))?.[1];

test('without a controller what needs it says so, and everything else runs', { skip: pids === undefined && 'this host has no cgroup version 1 hierarchy "pids" to hide' }, onNode(async (node) => {
  node.through = ['unshare', '--mount', 'sh', '-c', 'umount "$0" && exec "$@"', pids ?? ''];
  await node.write('limited.yaml', node.sleeper('limited', 'resources: {pids: 20}'));
  await node.write('other.yaml', node.sleeper('other', 'resources: {memory: 64Mi}'));
  await node.start();
  const other = await node.running('other');
  await until('it is told what is missing', async () => (await node.mooring('get', 'limited')).stdout.includes('this host has no cgroup controller "pids"'));
  assert.deepEqual(await node.processes('limited'), []);
  assert.match(await readFile(`/proc/${other}/cgroup`, 'utf8'), new RegExp(`memory:/mooring-${node.instance}/`));

  await node.write('limited.yaml', node.sleeper('limited'));
  await node.running('limited');
}));
