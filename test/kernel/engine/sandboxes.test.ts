import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { test } from 'node:test';

import { until } from '../../support/until.ts';
import { containerOf, openNode, type TestNode } from './support.ts';
import { containerName } from '../../../src/spec/name.ts';

const HIERARCHY = existsSync('/sys/fs/cgroup/pids') ? '/sys/fs/cgroup/pids' : '/sys/fs/cgroup';

/** The processes that stand by, or have become containers, by the id that they bear. */
async function sandboxes(node: TestNode): Promise<Map<string, number>> {
  const parent = `${HIERARCHY}/mooring-${node.instance}`;
  const ids = await readdir(parent).catch(() => []);
  const found = new Map<string, number>();
  for (const id of ids) {
    const text = await readFile(`${parent}/${id}/cgroup.procs`, 'utf8').catch(() => '');
    if (/^\d+\n$/.test(text)) found.set(id, Number(text));
  }
  return found;
}

async function full(node: TestNode, size: number): Promise<Map<string, number>> {
  await until(`${size} stand by`, async () => (await sandboxes(node)).size === size);
  return sandboxes(node);
}

async function startedPid(node: TestNode, name: string): Promise<number> {
  const seen = await node.engine.observe(containerName({ namespace: 'default', name }));
  assert.ok(seen?.process.state === 'Running', JSON.stringify(seen));
  return seen.process.init.pid;
}

test('starts find their process made; the pool fills up again, and nothing of it is left at the end', async () => {
  const node = await openNode(2);
  await node.engine.adopt();
  await node.engine.collect();
  const ready = await full(node, 2);
  for (const name of ['one', 'two', 'three']) {
    const id = await node.engine.create(containerOf(name, { command: ['sleep', 'infinity'], resources: { pids: 50 } }), 'hash');
    await node.engine.start(id);
    const expected = ready.get(id);
    assert.equal(expected !== undefined, name !== 'three', 'two were there');
    if (expected !== undefined) assert.equal(await startedPid(node, name), expected);
    assert.equal(await readFile(`${HIERARCHY}/mooring-${node.instance}/${id}/pids.max`, 'utf8'), '50\n');
    assert.deepEqual((await node.engine.observe(containerName({ namespace: 'default', name })))?.drift, []);
  }
  await until('two more stand by', async () => (await sandboxes(node)).size === 5);
  await node.close();
  assert.equal((await sandboxes(node)).size, 0);
  await assert.rejects(readdir(`${HIERARCHY}/mooring-${node.instance}`), { code: 'ENOENT' });
});

test('a container on the network, one in the host network, and one that never was started', async () => {
  const node = await openNode(2);
  await node.engine.adopt();
  await node.engine.collect();
  await full(node, 2);
  const start = async (name: string, mode: string): Promise<number> => {
    await node.engine.start(await node.engine.create(containerOf(name, { command: ['sleep', 'infinity'], network: { mode } }), 'hash'));
    return startedPid(node, name);
  };
  const host = await start('host', 'Host');
  assert.equal(await readlink(`/proc/${host}/ns/net`), await readlink('/proc/self/ns/net'));
  const bridged = await start('bridged', 'Bridge');
  assert.match(await readFile(`/proc/${bridged}/net/dev`, 'utf8'), /eth0:/);
  await assert.rejects(node.engine.create(containerOf('broken', { image: 'mooring.local/nothing:1' }), 'hash'));
  await node.engine.create(containerOf('idle', { command: ['sleep', 'infinity'] }), 'hash');
  await node.close();
  assert.equal((await sandboxes(node)).size, 0);
});
