import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { lstat, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';

import type { ImageDetails } from '../../../src/api/v1/image-types.ts';
import { diskBytes } from '../../../src/engine/images/disk.ts';
import { onNode, type TestNode } from '../../support/daemon.ts';
import { readIfThere } from '../../support/kernel.ts';
import { pseudoRandom } from '../../support/pseudo-random.ts';
import { tarArchive } from '../../support/tar-writer.ts';
import { until } from '../../support/until.ts';

const run = promisify(execFile);

/** Deaths of the daemon, each at a random instant of a commit. */
const DEATHS = 8;

/** What the kernel's freezer says of a process: v1's state of its cgroup, or v2's. */
async function isFrozen(pid: number): Promise<boolean> {
  const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).trim().split('\n').map((line) => line.split(':'));
  const v1 = lines.find(([, controllers]) => controllers === 'freezer')?.[2];
  const v2 = lines.find(([id]) => id === '0')?.[2];
  const state = v1 !== undefined && (await readIfThere(`/sys/fs/cgroup/freezer${v1}/freezer.state`));
  if (state) return state.trim() !== 'THAWED';
  for (const root of ['/sys/fs/cgroup', '/sys/fs/cgroup/unified']) {
    const freeze = await readIfThere(`${root}${v2}/cgroup.freeze`);
    if (freeze !== undefined) return freeze.trim() === '1';
  }
  throw new Error(`no freezer says anything of process ${pid}`);
}

/** Settles once it is frozen, or what freezes it has ended. */
async function untilFrozen(pid: number, work: Promise<unknown>): Promise<void> {
  const ended = work.then(() => true, () => true);
  while (!(await isFrozen(pid))) if (await Promise.race([ended, Promise.resolve(false)])) return;
}

async function inspect(node: TestNode, image: string): Promise<ImageDetails> {
  const { code, stdout, stderr } = await node.mooring('image', 'inspect', image);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as ImageDetails;
}

test(
  'a container of a large image costs no copy of it, and a commit writes only what changed',
  onNode(async (node) => {
    const size = 32 * 2 ** 20;
    const big = join(node.root, 'big.tar');
    await writeFile(big, tarArchive([{ name: 'big', content: Buffer.alloc(size, 'x') }, { name: 'sh', mode: 0o755, content: await readFile('/bin/busybox') }]));
    await node.start();
    assert.equal((await node.mooring('import', '-c', 'CMD ["/sh"]', big, 'example/big:1')).code, 0);
    const before = await diskBytes(join(node.dataDir, 'blobs'));
    await node.write('large.yaml', ['apiVersion: mooring.dev/v1alpha1', 'kind: Container', 'metadata: {name: large}', 'spec: {image: example/big:1, command: [/sh, -c, exit 0], restartPolicy: Never}', ''].join('\n'));
    const bundle = await until('it is made', async () => {
      const names = await readdir(join(node.dataDir, 'containers'));
      return names.length === 1 && join(node.dataDir, 'containers');
    });
    assert.ok((await diskBytes(bundle)) < 2 ** 20, 'the container takes next to nothing');
    await until('its end is told', async () => (await node.get('large')).status.phase === 'Completed');
    const small = join(node.root, 'small');
    await writeFile(small, 'small');
    assert.equal((await node.mooring('write', 'large', '/small', '-f', small)).code, 0);
    assert.deepEqual((await node.mooring('diff', 'large')).stdout, 'A /small\n');
    assert.equal((await node.mooring('commit', 'large', 'example/big:2')).code, 0);
    assert.ok((await diskBytes(join(node.dataDir, 'blobs'))) - before < 2 ** 20, 'the commit wrote next to nothing');
    const [one, two] = [await inspect(node, 'example/big:1'), await inspect(node, 'example/big:2')];
    assert.deepEqual(two.layerDigests.slice(0, -1), one.layerDigests);
    const layer = join(node.dataDir, 'layers', two.layerDigests.at(-1)?.chainId.slice('sha256:'.length) ?? '');
    assert.deepEqual(await readdir(layer), ['small']);
    assert.equal((await lstat(join(layer, 'small'))).size, 5);
  }),
);

test(
  `kill -9 of the daemon at ${DEATHS} random instants of a commit leaves no container frozen and the store whole; a retry completes`,
  onNode(async (node) => {
    const random = pseudoRandom(Number(process.env['MOORING_TEST_SEED'] ?? 1));
    const files = 400;
    await node.write('web.yaml', node.container('web', `mkdir /d; i=0; while [ $i -lt ${files} ]; do echo $i > /d/$i; i=$((i+1)); done; dd if=/dev/zero of=/large bs=1M count=48 2>/dev/null; touch /done; exec sleep 100000`));
    await node.start();
    const pid = await node.running('web');
    await until('its files are there', async () => (await node.mooring('cat', 'web', '/done')).code === 0);
    let frozen = 0;
    for (let death = 0; death < DEATHS; death++) {
      const committing = node.mooring('commit', 'web', `example/dead:${death}`);
      // It stands still for a short part of it: half of the deaths wait for that.
      await (death % 2 === 0 ? untilFrozen(pid, committing) : sleep(random.below(700)));
      await node.end('SIGKILL');
      await committing;
      if (await isFrozen(pid)) frozen++;
      await node.start();
      assert.equal(await isFrozen(pid), false, `after death ${death}`);
      assert.equal(await node.running('web'), pid, 'it runs on');
      const { code, stdout, stderr } = await node.mooring('image', 'check');
      assert.equal(code, 0, stdout + stderr);
    }
    assert.ok(frozen > 0, 'at least one death came while the container was frozen');
    assert.equal((await node.mooring('commit', 'web', 'example/web:1')).code, 0);
    assert.equal(await isFrozen(pid), false);
    const { layerDigests } = await inspect(node, 'example/web:1');
    const layer = join(node.dataDir, 'layers', layerDigests.at(-1)?.chainId.slice('sha256:'.length) ?? '');
    assert.equal((await readdir(join(layer, 'd'))).length, files);
    assert.equal((await node.mooring('image', 'prune')).code, 0);
    assert.match((await run('ls', [join(node.dataDir, 'tmp')])).stdout, /^$/);
  }),
);

test(
  'reset throws the file changes away and starts the container again, by steps that are told; one that does not run stays so',
  onNode(async (node) => {
    await node.write('web.yaml', node.sleeper('web'));
    await node.write('once.yaml', node.container('once', 'echo x > /made', 'restartPolicy: Never'));
    await node.start();
    const pid = await node.running('web');
    const made = join(node.root, 'made');
    await writeFile(made, 'made');
    assert.equal((await node.mooring('write', 'web', '/made', '-f', made)).code, 0);
    const { status } = await node.get('web');
    assert.equal((await node.mooring('reset', 'web')).code, 0);
    await node.running('web', [pid]);
    assert.equal((await node.mooring('diff', 'web')).stdout, '');
    assert.equal((await node.get('web')).status.containerID, status.containerID, 'it is the same container');
    assert.equal((await node.get('web')).status.restartCount, status.restartCount, 'which did not restart by itself');
    assert.deepEqual((await node.events()).filter(({ name }) => name === 'default/web').map(({ reason }) => reason).slice(-4), ['Stopping', 'Exited', 'Reset', 'Started']);

    await until('it has ended', async () => (await node.mooring('diff', 'once')).stdout === 'A /made\n');
    await until('its end is told', async () => (await node.get('once')).status.phase === 'Completed');
    assert.equal((await node.mooring('reset', 'once')).code, 0);
    assert.equal((await node.mooring('diff', 'once')).stdout, '');
    assert.equal((await node.get('once')).status.phase, 'Completed');
    assert.equal((await node.mooring('reset', 'nobody')).code, 1);
  }),
);
