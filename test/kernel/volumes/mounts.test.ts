import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

import { openNode, type TestNode } from '../engine/support.ts';
import { outputOf, remove, run, seenBy } from './support.ts';

const execute = promisify(execFile);

describe('binds and memory on the real kernel', () => {
  let node: TestNode;
  before(async () => {
    node = await openNode();
  });
  after(() => node.close());

  it('make a source that is to be made, and refuse one that is missing', async () => {
    const source = path.join(node.root, 'made/for/it');
    const pid = await run(node, 'maker', { mounts: [{ mountPath: '/data', bind: { source, createSource: true } }, { mountPath: '/memory', tmpfs: { size: '64Ki', mode: '0700' } }] });
    assert.ok((await stat(source)).isDirectory());
    await writeFile(path.join(source, 'file'), 'seen');
    assert.equal(await seenBy(pid, '/data/file'), 'seen');
    assert.match(await readFile(`/proc/${pid}/mountinfo`, 'utf8'), / \/memory .* - tmpfs tmpfs .*size=64k,mode=700/);
    await remove(node, 'maker');
    await assert.rejects(run(node, 'other', { mounts: [{ mountPath: '/data', bind: { source: path.join(node.root, 'missing') } }] }), { code: 'NotFound', message: /missing, to be mounted on \/data, does not exist/ });
  });

  it('are seen on the side that propagation says, and read-only as deep as asked', async () => {
    const shared = path.join(node.root, 'shared');
    await mkdir(path.join(shared, 'below'), { recursive: true });
    await execute('mount', ['--bind', '--make-shared', shared, shared]);
    try {
      const mounts = (['None', 'HostToContainer', 'Bidirectional'] as const).map((propagation) => ({ mountPath: `/${propagation}`, bind: { source: shared, propagation } }));
      const pid = await run(node, 'sides', { mounts, privileged: true });
      await execute('mount', ['-t', 'tmpfs', 'tmpfs', path.join(shared, 'below')]);
      await writeFile(path.join(shared, 'below/late'), 'of the node');
      const sees = async (place: string): Promise<string[]> => readdir(`/proc/${pid}/root/${place}/below`);
      assert.deepEqual([await sees('None'), await sees('HostToContainer'), await sees('Bidirectional')], [[], ['late'], ['late']]);

      const readOnly = [true, false].map((recursiveReadOnly) => ({ mountPath: `/${recursiveReadOnly}`, readOnly: true, recursiveReadOnly, bind: { source: shared } }));
      const script = 'for at in true false; do echo x > /$at/x || echo $at top; echo x > /$at/below/x || echo $at below; done 2>/dev/null';
      assert.equal(await outputOf(node, { mounts: readOnly, command: ['sh', '-c', script], restartPolicy: 'Never' }), 'true top\ntrue below\nfalse top');

      await execute('nsenter', ['--target', String(pid), '--mount', '--', 'mkdir', '/Bidirectional/mine']);
      await execute('nsenter', ['--target', String(pid), '--mount', '--', 'mount', '-t', 'tmpfs', 'tmpfs', '/Bidirectional/mine']);
      assert.match(await readFile('/proc/self/mountinfo', 'utf8'), new RegExp(`${shared}/mine .* - tmpfs`));
      await remove(node, 'sides');
    } finally {
      await execute('umount', ['--recursive', shared]);
    }
  });
});
