import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { onNode, type TestNode } from '../../support/daemon.ts';
import { dockerArchive } from '../../support/image-archive.ts';
import { startRegistry } from '../../support/registry.ts';
import { tarArchive } from '../../support/tar-writer.ts';
import { until } from '../../support/until.ts';
import { once, openStore } from './store-support.ts';

const folder = (name: string) => ({ name, type: '5', mode: 0o755 });

async function busybox(): Promise<Buffer> {
  return tarArchive([...['bin/', 'proc/', 'sys/', 'dev/', 'etc/', 'tmp/'].map(folder), { name: 'bin/busybox', mode: 0o755, content: await readFile('/bin/busybox') }, { name: 'bin/sh', type: '2', link: 'busybox' }]);
}

async function ok(node: TestNode, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await node.mooring(...args);
  assert.equal(code, 0, `mooring ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

test(
  'a container made from a pulled image sees its layers as they are meant: deleted, opaque, replaced, linked',
  onNode(async (node) => {
    await using registry = await startRegistry();
    await node.start();
    const name = `${registry.address}/layered:1`;
    const layers = [
      await busybox(),
      tarArchive([folder('d/'), { name: 'd/gone', content: '1' }, { name: 'd/stays', content: '1' }, folder('o/'), { name: 'o/hidden', content: '1' }, { name: 'replaced', content: 'old' }, folder('twice/'), { name: 'twice/old', content: '1' }, folder('f/'), { name: 'f/x', content: '1' }]),
      tarArchive([
        { name: 'd/.wh.gone' },
        folder('o/'),
        { name: 'o/.wh..wh..opq' },
        { name: 'o/shown', content: '2' },
        { name: 'replaced', content: 'new' },
        { name: '.wh.twice' },
        folder('twice/'),
        { name: 'twice/new', content: '2' },
        { name: 'f', content: 'now a file' },
        { name: 'original', content: 'same', mode: 0o4711, uid: 7 },
        { name: 'hard', type: '1', link: 'original' },
      ]),
    ];
    const archive = path.join(node.root, 'image.tar.gz');
    await writeFile(archive, gzipSync(dockerArchive(name, layers, { Cmd: ['sh'] })));
    assert.match(await ok(node, 'image', 'load', archive), new RegExp(`loaded ${name}`));
    await ok(node, 'image', 'push', name);
    await ok(node, 'image', 'rm', name);
    assert.match(await ok(node, 'image', 'prune'), /removed 3 layers/);
    assert.match(await ok(node, 'pull', name), /Done[^]*pulled/);
    const script = '/bin/busybox find /d /o /twice /f | /bin/busybox sort; /bin/busybox cat /replaced /f; echo; /bin/busybox stat -c "%n %a %u %h" /original /hard; exec /bin/busybox sleep 100000';
    await node.write('layered.yaml', node.container('layered', script).replace('mooring.local/busybox:latest', name));
    await node.running('layered');
    const expected = ['/d', '/d/stays', '/f', '/o', '/o/shown', '/twice', '/twice/new', 'newnow a file', '/original 4711 7 2', '/hard 4711 7 2', ''].join('\n');
    await until('the container has told what it sees', async () => (await node.mooring('logs', 'layered')).stdout.includes('/hard'));
    assert.equal((await node.mooring('logs', 'layered')).stdout, expected);
    const inUse = await node.mooring('image', 'rm', name);
    assert.deepEqual([inUse.code, /in use by default\/layered/.test(inUse.stderr)], [1, true], inUse.stderr);
    assert.match(await ok(node, 'image', 'check'), /every digest and reference is right/);
    assert.match(await ok(node, 'images', '-o', 'wide'), new RegExp(`${name} .* 1\n`));
  }),
);

test(
  'a document names an image that the node lacks: it is fetched; a wrong name is told, and its correction heals',
  onNode(async (node) => {
    await using registry = await startRegistry();
    const name = `${registry.address}/wanted:1`;
    await using elsewhere = await openStore();
    await elsewhere.engine.load(once(dockerArchive(name, [await busybox()], { Cmd: ['sh'] })));
    await elsewhere.engine.push(name);
    await node.start();
    const document = (image: string) => node.sleeper('puller').replace('mooring.local/busybox:latest', image).replace('[sh, -c', '[/bin/busybox, sh, -c');
    await node.write('puller.yaml', document(`${registry.address}/wnated:1`).replaceAll('exec sleep', 'exec /bin/busybox sleep'));
    await until('the failure is told', async () => {
      const { status } = await node.get('puller');
      return status.phase === 'PullImageError' && status.conditions.some(({ message }) => message.includes('has no image'));
    });
    assert.match((await node.mooring('plan', '-f', node.specs)).stdout, /fetches image/);
    await node.write('puller.yaml', document(name).replaceAll('exec sleep', 'exec /bin/busybox sleep'));
    await node.running('puller');
    assert.deepEqual((await node.events('puller')).map(({ reason }) => reason).filter((reason) => ['Pulled', 'Created', 'Started'].includes(reason)), ['Pulled', 'Created', 'Started']);
    assert.match(await ok(node, 'images', '-o', 'wide'), /wanted:1/);
  }),
);

test(
  'an image goes through save, load and import of the command, and what is wrong is told with its remedy',
  onNode(async (node) => {
    await node.start();
    const file = path.join(node.root, 'busybox.tar');
    const id = (JSON.parse(await ok(node, 'image', 'inspect', 'mooring.local/busybox')) as { id: string }).id;
    await ok(node, 'image', 'save', 'mooring.local/busybox', '-f', file);
    await ok(node, 'image', 'tag', 'mooring.local/busybox', 'example.test/other:1');
    await ok(node, 'image', 'rm', 'example.test/other:1');
    assert.match(await ok(node, 'image', 'load', file), new RegExp(id));
    assert.match(await ok(node, 'image', 'import', file, 'example.test/imported:1'), /imported example\.test\/imported:1/);
    assert.match(await ok(node, 'image', 'history', 'example.test/imported:1'), /mooring image import/);
    assert.match(await ok(node, 'image', 'prune', '--all', '--dry-run'), /would remove example\.test\/imported:1/);
    assert.match(await ok(node, 'image', 'usage'), /layers +2/);
    const noise = path.join(node.root, 'noise');
    await writeFile(noise, Buffer.alloc(3_000_000, 'x'));
    const refused = await node.mooring('image', 'load', noise);
    assert.deepEqual([refused.code, /mooring: unpack layer/.test(refused.stderr)], [2, true], refused.stderr);
    const missing = await node.mooring('pull', '127.0.0.1:1/nothing');
    assert.deepEqual([missing.code, /can't be reached[^]*fix:/.test(missing.stderr)], [1, true], missing.stderr);
    assert.deepEqual(await readdir(path.join(node.dataDir, 'tmp')), []);
  }),
);
