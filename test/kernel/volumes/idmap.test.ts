import assert from 'node:assert/strict';
import { chown, mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { containerName, type VolumeName } from '../../../src/spec/name.ts';
import { openNode, type TestNode } from '../engine/support.ts';
import { outputOf, remove, run, volumeOf } from './support.ts';

/** Inside: whose the folder and each file in it is, as "name uid:gid". */
const LOOK = 'cd /data && stat -c "%n %u:%g" . *';

describe('id-mapped mounts on the real kernel', () => {
  let node: TestNode;
  before(async () => {
    node = await openNode();
  });
  after(() => node.close());

  async function sourceOf(name: string, uid: number, gid: number): Promise<string> {
    const source = path.join(node.root, name);
    await mkdir(source);
    for (const [file, owner, group] of [['own', uid, gid], ['others', 7, 8], ['roots', 0, 0]] as const) {
      await writeFile(path.join(source, file), '');
      await chown(path.join(source, file), owner, group);
    }
    await chown(source, uid, gid);
    return source;
  }
  const ownerOf = async (file: string): Promise<string> => {
    const { uid, gid } = await stat(file);
    return `${uid}:${gid}`;
  };

  it('show what belongs to the owner of a bind as the container’s user’s, and what that one makes as the owner’s', async () => {
    const source = await sourceOf('bound', 1234, 1235);
    const mount = { mountPath: '/data', bind: { source } };
    const once = (idmap: string, script: string): Promise<string> => outputOf(node, { user: '1000:1001', mounts: [{ ...mount, idmap }], command: ['sh', '-c', `exec 2>&1; ${script}`], restartPolicy: 'Never' });
    assert.equal(await once('None', LOOK), '. 1234:1235\nothers 7:8\nown 1234:1235\nroots 0:0');
    assert.equal(await once('Container', `touch /data/made && ${LOOK}; echo x >> /data/others`), '. 1000:1001\nmade 1000:1001\nothers 7:8\nown 1000:1001\nroots 0:0\nsh: can\'t create /data/others: Permission denied');
    assert.deepEqual(await Promise.all(['.', 'made', 'others', 'own', 'roots'].map((file) => ownerOf(path.join(source, file)))), ['1234:1235', '1234:1235', '7:8', '1234:1235', '0:0']);
  });

  it('let containers of different users share a volume, each as its owner, and stay as they are while these run', async () => {
    assert.deepEqual(await node.engine.volumes.ensure(volumeOf('data')), []);
    const place = (await node.engine.volumes.inspect('default/data' as VolumeName))?.path ?? '';
    const spec = (user: string): Record<string, unknown> => ({ user, mounts: [{ mountPath: '/data', idmap: 'Container', volume: { name: 'data' } }] });
    const whole = await ownerOf(place);
    for (const user of ['0:0', '1000:1001', '65534:65534']) {
      const name = user.replace(':', '-');
      const seen = await outputOf(node, { ...spec(user), command: ['sh', '-c', `echo x > /data/of-${name}; ${LOOK}`], restartPolicy: 'Never' });
      assert.deepEqual([...new Set(seen.split('\n').map((line) => line.split(' ')[1]))], [user], seen);
      assert.equal(await ownerOf(path.join(place, `of-${name}`)), whole);
    }
    await run(node, 'stays', spec('1000:1001'));
    const observed = await node.engine.observe(containerName({ namespace: 'default', name: 'stays' }));
    assert.deepEqual(observed?.drift, []);
    await remove(node, 'stays');
  });

  it('keep a read-only mount read-only, also for its owner', async () => {
    const source = await sourceOf('closed', 1234, 1235);
    const mounts = [{ mountPath: '/data', idmap: 'Container', readOnly: true, bind: { source } }];
    assert.equal(await outputOf(node, { user: '1000:1001', mounts, command: ['sh', '-c', 'exec 2>&1; stat -c %u /data/own; echo x > /data/own'], restartPolicy: 'Never' }), "1000\nsh: can't create /data/own: Read-only file system");
  });
});
