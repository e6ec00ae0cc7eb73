import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import type { CopyBody } from '../../../src/api/v1/file-types.ts';
import { Client } from '../../../src/cli/client.ts';
import { hostFolder } from '../../../src/lib/host-folder.ts';
import { MOORING, onNode } from '../../support/daemon.ts';
import { processesMentioning } from '../../support/kernel.ts';
import { until } from '../../support/until.ts';

const run = promisify(execFile);

test(
  'the daemon copies between a container and the folder that the command means, and none other',
  onNode(async (node) => {
    await node.write('web.yaml', node.container('web', 'exec sleep 100000'));
    await node.start();
    await until('it runs', async () => (await node.get('web')).status.phase === 'Running');
    const here = join(node.root, 'here');
    await mkdir(here);
    const content = randomBytes(5_000_000);
    await writeFile(join(here, 'file'), content, { mode: 0o640 });

    assert.deepEqual(await node.mooring('cp', join(here, 'file'), 'web:/copy'), { code: 0, stdout: '', stderr: '' });
    assert.deepEqual(await node.mooring('cp', 'web:/copy', join(here, 'back')), { code: 0, stdout: '', stderr: '' });
    assert.ok(content.equals(await readFile(join(here, 'back'))));
    const [before, after] = await Promise.all([stat(join(here, 'file')), stat(join(here, 'back'))]);
    assert.deepEqual([after.mode, after.mtimeMs], [before.mode, before.mtimeMs]);

    // A command in a root of its own means another folder by the same path: it sends and takes the bytes itself.
    const shown = join(node.root, 'shown');
    await mkdir(shown);
    await writeFile(join(shown, 'file'), 'seen by the command alone');
    const script = `mount --bind ${shown} ${here} && "$@" cp ${here}/file web:/other && "$@" cp web:/other ${here}/again`;
    await run('unshare', ['--mount', 'sh', '-ec', script, 'sh', MOORING, '-H', `unix://${node.runDir}/mooring.sock`]);
    assert.equal((await node.mooring('cat', 'web', '/other')).stdout, 'seen by the command alone');
    assert.equal(await readFile(join(shown, 'again'), 'utf8'), 'seen by the command alone');
    assert.deepEqual((await readdir(here)).sort(), ['back', 'file']);

    const client = new Client(join(node.runDir, 'mooring.sock'));
    const ask = (body: CopyBody): Promise<unknown> => client.send('/v1/containers/default/web/copy', body);
    const folder = await hostFolder(here);
    const into = { direction: 'in', file: 'file', to: '/', name: 'never', keepOwners: false } as const;
    const out = { direction: 'out', path: '/etc', name: 'never', keepOwners: false } as const;
    for (const wrong of [{ ...folder, identity: '1:1' }, { ...folder, path: join(node.root, 'nothing') }, { ...folder, bootId: 'another' }]) {
      await assert.rejects(ask({ ...into, from: wrong }), { code: 'Unsupported' });
      await assert.rejects(ask({ ...out, to: wrong }), { code: 'Unsupported' });
    }
    await assert.rejects(ask({ ...into, from: folder, file: '../shown' }), { code: 'Invalid' });
    await assert.rejects(ask({ ...into, from: folder, name: '../never' }), { code: 'Invalid' });
    await assert.rejects(ask({ ...into, from: folder, file: 'nothing' }), { code: 'NotFound', message: /\/nothing: look for it: No such file/ });
    await assert.rejects(ask({ ...out, to: folder, path: '/nothing' }), { code: 'NotFound' });
    assert.equal((await node.mooring('ls', 'web', '/never')).code, 1);
    await assert.rejects(lstat(join(here, 'never')), { code: 'ENOENT' });
    assert.deepEqual(await processesMentioning(`copy-in ${here}`), []);
  }),
);
