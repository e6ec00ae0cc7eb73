import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import type { SystemPruneResult, SystemUsageReply } from '../../../src/api/v1/system-types.ts';
import { onNode, type TestNode } from '../../support/daemon.ts';
import { dockerArchive } from '../../support/image-archive.ts';
import { tarArchive } from '../../support/tar-writer.ts';
import { until } from '../../support/until.ts';

const MB = 1_000_000;

/** What du counts of the folders that df speaks of, theirs but for the folders that hold everything of a kind. */
async function du(node: TestNode): Promise<number> {
  let bytes = 0;
  for (const folder of ['blobs/sha256', 'layers', 'containers', 'volumes', 'build/caches']) {
    const { stdout } = await promisify(execFile)('sh', ['-c', `find ${node.dataDir}/${folder} -mindepth 1 -maxdepth 1 -exec du -s -B512 {} + | awk '{ sum += $1 } END { print sum * 512 }'`]);
    bytes += Number(stdout);
  }
  // The folder of a container is not in a row, what is in it is.
  const { stdout } = await promisify(execFile)('sh', ['-c', `stat -c %b ${node.dataDir}/containers/* | awk '{ sum += $1 } END { print sum * 512 }'`]);
  return bytes - Number(stdout);
}

async function df(node: TestNode): Promise<{ readonly total: number; readonly usage: SystemUsageReply }> {
  const usage = JSON.parse((await node.mooring('system', 'df', '-o', 'json')).stdout) as SystemUsageReply;
  return { total: usage.rows.reduce((sum, { bytes }) => sum + bytes, 0), usage };
}

test(
  'df tells the disk to the block, and prune gives back what it says, by date and label as asked',
  onNode(async (node) => {
    await node.start();
    const content = Buffer.alloc(3 * MB, 'x');
    for (const [name, labels] of [['old', { keep: 'no' }], ['new', { keep: 'yes' }]] as const) {
      const file = path.join(node.root, `${name}.tar`);
      await writeFile(file, dockerArchive(`example.local/${name}:1`, [tarArchive([{ name, content: Buffer.concat([content, Buffer.from(name)]) }])], { Labels: labels }));
      assert.equal((await node.mooring('image', 'load', file)).code, 0);
    }
    await node.write('writer.yaml', node.container('writer', 'dd if=/dev/zero of=/written bs=1M count=4; sync; echo written; exec sleep 100000'));
    await until('it has written', async () => (await node.mooring('logs', 'writer')).stdout.includes('written'));

    const before = await df(node);
    assert.equal(before.total, await du(node));
    const rows = new Map(before.usage.rows.map((row) => [row.kind, row]));
    assert.ok((rows.get('Containers')?.bytes ?? 0) >= 4 * 2 ** 20, 'what the container wrote counts');
    assert.deepEqual([rows.get('Containers')?.count, rows.get('Logs')?.count], [1, 1]);

    assert.match((await node.mooring('image', 'prune', '--all', '--dry-run', '--filter', 'label=keep=no')).stdout, /would remove example\.local\/old:1\n[^]*would remove 1 layers and 3 blobs: 6\.\d+MB/);
    assert.equal((await node.mooring('image', 'prune', '--all', '--filter', 'until=1h')).code, 0);
    assert.match((await node.mooring('images', '-o', 'name')).stdout, /new:1[^]*old:1/, 'both are younger than an hour');
    assert.equal((await node.mooring('image', 'prune', '--filter', 'size=1')).code, 2);
    assert.equal((await node.mooring('image', 'prune', '--all', '--filter', 'label=keep=no')).code, 0);
    const names = (await node.mooring('images', '-o', 'name')).stdout;
    assert.deepEqual([names.includes('old:1'), names.includes('new:1')], [false, true]);
    const middle = await df(node);
    assert.equal(middle.total, await du(node));

    const dry = JSON.parse((await node.mooring('system', 'prune', '--all', '--dry-run', '-o', 'json')).stdout) as SystemPruneResult;
    const done = JSON.parse((await node.mooring('system', 'prune', '--all', '-o', 'json')).stdout) as SystemPruneResult;
    assert.equal(done.bytes, dry.bytes);
    const end = await df(node);
    assert.equal(middle.total - end.total, done.bytes, 'what it says is what came back');
    assert.equal(end.total, await du(node));
    assert.match((await node.mooring('system', 'check')).stdout, /every digest and reference is right/);
    assert.match((await node.mooring('system', 'info')).stdout, new RegExp(`dataDir +${node.dataDir}`));
  }),
);
