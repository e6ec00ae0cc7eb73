import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { onNode } from '../../support/daemon.ts';
import { dockerArchive } from '../../support/image-archive.ts';
import { startRegistry, USER } from '../../support/registry.ts';
import { tarArchive } from '../../support/tar-writer.ts';
import { until } from '../../support/until.ts';
import { once, openStore } from './store-support.ts';

const folder = (name: string) => ({ name, type: '5', mode: 0o755 });

/** Has the tag stand for an image that holds a word. */
async function publish(name: string, word: string): Promise<void> {
  await using store = await openStore({ credentials: () => Promise.resolve(USER) });
  const layer = tarArchive([...['bin/', 'proc/', 'sys/', 'dev/', 'etc/', 'tmp/'].map(folder), { name: 'bin/busybox', mode: 0o755, content: await readFile('/bin/busybox') }, { name: 'bin/sh', type: '2', link: 'busybox' }, { name: 'bin/sleep', type: '2', link: 'busybox' }, { name: 'word', content: word }]);
  await store.engine.load(once(dockerArchive(name, [layer], { Cmd: ['sh'] })));
  await store.engine.push(name);
}

test(
  'a container follows a moving tag of a registry that its pull secret opens, and the secret is told nowhere',
  onNode(async (node) => {
    await using registry = await startRegistry({ auth: true });
    const name = `${registry.address}/followed:stable`;
    await publish(name, 'one');
    const secrets = path.join(node.root, 'secrets');
    const secret = path.join(secrets, 'default', 'regcred.json');
    await mkdir(path.dirname(secret), { recursive: true });
    await node.start('--pull-secrets', secrets);
    const more = 'imagePullSecrets: [{name: regcred}]\nimageUpdatePolicy: {interval: 5s}';
    await node.write('follower.yaml', node.sleeper('follower', more).replace('mooring.local/busybox:latest', name));
    const says = (pattern: RegExp) => until(`its status says ${pattern}`, async () => (await node.get('follower')).status.conditions.some(({ message }) => pattern.test(message)));
    await says(/pull secret default\/regcred is not on this node/);

    const auth = Buffer.from(`${USER.username}:${USER.password}`).toString('base64');
    await writeFile(secret, JSON.stringify({ auths: { [registry.address]: { auth } } }));
    await chmod(secret, 0o644);
    await node.write('follower.yaml', node.sleeper('follower', `${more}\nstopTimeoutSeconds: 1`).replace('mooring.local/busybox:latest', name));
    await says(/can be read or written by others/);
    await chmod(secret, 0o600);
    await node.write('follower.yaml', node.sleeper('follower', more).replace('mooring.local/busybox:latest', name));
    const first = await node.running('follower');
    assert.equal(await readFile(`/proc/${first}/root/word`, 'utf8'), 'one');

    await publish(name, 'two');
    const second = await node.running('follower', [first]);
    assert.equal(await readFile(`/proc/${second}/root/word`, 'utf8'), 'two');
    const { status } = await until('the drift is undone', async () => {
      const object = await node.get('follower');
      return object.status.phase === 'Running' && object;
    });
    assert.deepEqual([status.lastDrift?.kind, status.restartCount], ['Image', 0]);
    const events = await node.events('follower');
    assert.ok(events.some(({ reason, message }) => reason === 'DriftDetected' && message.startsWith('Image: ')));
    assert.match((await node.mooring('describe', 'follower')).stdout, /Image/);
    const told = [node.log, JSON.stringify(events), (await node.mooring('describe', 'follower')).stdout, (await node.mooring('get', 'follower', '-o', 'yaml')).stdout, (await node.mooring('plan', '-f', node.specs)).stdout].join('\n');
    assert.ok(!told.includes(USER.password) && !told.includes(auth));
  }),
);
