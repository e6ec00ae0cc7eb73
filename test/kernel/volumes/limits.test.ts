import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { volumeName } from '../../../src/spec/name.ts';
import { openNode } from '../engine/support.ts';
import { outputOf, volumeOf } from './support.ts';

const run = promisify(execFile);
const MiB = 2 ** 20;
const nameOf = (name: string) => volumeName({ namespace: 'default', name });
const fill = (mebibytes: number) => ({ command: ['sh', '-c', `dd if=/dev/zero of=/data/file bs=64k count=${mebibytes * 16} 2>&1; sync`], mounts: [{ mountPath: '/data', volume: { name: 'small' } }] });

/** A file system with project quotas, of a file; a reason where this kernel has none. */
async function withQuotas(folder: string): Promise<string | undefined> {
  const [disk, place] = [path.join(folder, 'disk'), path.join(folder, 'place')];
  await mkdir(place);
  await writeFile(disk, '');
  await truncate(disk, 256 * MiB);
  await run('mkfs.ext4', ['-q', '-O', 'project,quota', '-E', 'quotatype=prjquota', disk]);
  return run('mount', ['-o', 'loop,prjquota', disk, place]).then(() => undefined, (error: unknown) => String(error));
}

test('a volume holds as much as its size says, and no more', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'mooring-quota-'));
  const place = path.join(folder, 'place');
  const lacking = await withQuotas(folder);
  if (lacking !== undefined) {
    await rm(folder, { recursive: true });
    return t.skip(`this kernel has no project quotas of ext4: ${lacking}`);
  }
  const node = await openNode(0, place);
  try {
    const { volumes } = node.engine;
    const small = (size?: string) => volumeOf('small', { reclaimPolicy: 'Delete', ...(size !== undefined && { size }) });
    await volumes.ensure(small('8Mi'));
    assert.match(await outputOf(node, fill(20)), /Disk quota exceeded/);
    const file = path.join(node.dataDir.volumes, 'default_small/_data/file');
    assert.ok((await stat(file)).blocks * 512 <= 8 * MiB);
    assert.ok((await stat(file)).blocks * 512 > 7 * MiB);

    // It grows in place; a daemon that is started again keeps it so.
    await volumes.ensure(small('16Mi'));
    await node.restart();
    assert.match(await outputOf(node, fill(20)), /Disk quota exceeded/);
    assert.ok((await stat(file)).blocks * 512 > 15 * MiB);
    await node.engine.volumes.ensure(small());
    assert.doesNotMatch(await outputOf(node, fill(20)), /exceeded/);

    await node.engine.volumes.ensure(volumeOf('late', { reclaimPolicy: 'Delete' }));
    await outputOf(node, { command: ['touch', '/data/file'], mounts: [{ mountPath: '/data', volume: { name: 'late' } }] });
    await assert.rejects(node.engine.volumes.ensure(volumeOf('late', { size: '1Mi', reclaimPolicy: 'Delete' })), { code: 'Conflict', message: /written without a limit/ });

    // A volume that goes leaves no limit to the next one.
    await node.engine.volumes.remove(nameOf('small'), 'Delete');
    await node.engine.volumes.ensure(small('32Mi'));
    assert.doesNotMatch(await outputOf(node, fill(20)), /exceeded/);
    for (const name of node.engine.volumes.list()) await node.engine.volumes.remove(name, 'Delete');
  } finally {
    await node.close();
    await run('umount', [place]);
    await rm(folder, { recursive: true });
  }
});
