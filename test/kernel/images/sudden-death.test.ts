import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';

import { onNode, type TestNode } from '../../support/daemon.ts';
import { processesMentioning } from '../../support/kernel.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { tarArchive } from '../../support/tar-writer.ts';
import { until } from '../../support/until.ts';
import { once, openStore } from './store-support.ts';

const DEATHS = 20;
/** A pull of the image below takes about so long here. */
const PULL_MS = 900;

async function push(registry: TestRegistry): Promise<{ name: string; files: number; id: string }> {
  await using store = await openStore();
  const name = `${registry.address}/many:1`;
  const files = 3000;
  const entries = Array.from({ length: files }, (_, index) => ({ name: `file-${index}`, content: randomBytes(5_000) }));
  const { id } = await store.engine.import(once(tarArchive(entries)), name);
  await store.engine.push(name);
  return { name, files, id };
}

/** No half layer: each folder among the layers has all that its archive has. */
async function assertConsistent(node: TestNode, files: number): Promise<void> {
  const { code, stdout, stderr } = await node.mooring('image', 'check');
  assert.equal(code, 0, stdout + stderr);
  for (const layer of await readdir(path.join(node.dataDir, 'layers'))) {
    const count = (await readdir(path.join(node.dataDir, 'layers', layer))).length;
    assert.ok(count >= files || count < 50, `layer ${layer} has ${count} of ${files} files`);
  }
}

test(
  `kill -9 of the daemon at ${DEATHS} random instants of pulls and prunes leaves a whole store, and a retry completes`,
  onNode(async (node) => {
    await using registry = await startRegistry();
    const { name, files, id } = await push(registry);
    const interrupted: number[] = [];
    for (let death = 0; death < DEATHS; death++) {
      await node.start();
      assert.deepEqual(await readdir(path.join(node.dataDir, 'tmp')), [], 'a new daemon clears what the old one left half made');
      await assertConsistent(node, files);
      // What went through before is taken away again, and its collection is a thing to be killed in, too.
      await node.mooring('image', 'rm', name);
      const work = (async () => {
        await node.mooring('image', 'prune');
        return node.mooring('pull', name);
      })();
      await sleep(randomInt(PULL_MS + 400));
      await node.end('SIGKILL');
      if ((await work).code !== 0) interrupted.push(death);
      await until('the unpacker has died with its parent', async () => (await processesMentioning(`unpack ${node.root}`)).length === 0);
    }
    assert.ok(interrupted.length > 0, 'at least one death fell into a pull');
    await node.start();
    await assertConsistent(node, files);
    const { code, stderr } = await node.mooring('pull', '-q', name);
    assert.equal(code, 0, stderr);
    await assertConsistent(node, files);
    assert.match((await node.mooring('image', 'inspect', name)).stdout, new RegExp(id));
    await node.mooring('image', 'rm', name);
    await node.mooring('image', 'prune');
    assert.equal((await readdir(path.join(node.dataDir, 'layers'))).length, 1, 'only the layer of busybox is left');
  }),
);

test(
  'kill -9 of the unpacker fails the pull, says so, and leaves nothing; a retry completes',
  onNode(async (node) => {
    await using registry = await startRegistry();
    const { name, files } = await push(registry);
    await node.start();
    for (let death = 0; death < 3; death++) {
      const pulling = node.mooring('pull', name);
      const [unpacker] = await until('the unpacker runs', async () => {
        const found = await processesMentioning(`unpack ${node.root}`);
        return found.length > 0 && found;
      });
      await sleep(randomInt(60));
      process.kill(Number(unpacker?.split(' ')[0]), 'SIGKILL');
      const { code, stderr } = await pulling;
      assert.equal(code, 1);
      assert.match(stderr, /SIGKILL ended it/);
      assert.deepEqual(await readdir(path.join(node.dataDir, 'tmp')), []);
      await assertConsistent(node, files);
      assert.equal((await node.mooring('image', 'prune')).code, 0);
    }
    assert.equal((await node.mooring('pull', name)).code, 0);
    await assertConsistent(node, files);
  }),
);
