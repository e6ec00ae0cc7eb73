import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { onNode } from '../../support/daemon.ts';
import { dockerArchive } from '../../support/image-archive.ts';
import { tarArchive } from '../../support/tar-writer.ts';
import { until } from '../../support/until.ts';

const folder = (name: string) => ({ name, type: '5', mode: 0o755 });

const NO_PLACE = /the image asks for a volume at .*, which can not be/;

/** Configs of images that mean harm, by trick, with what a refusal says; without one it is taken, and harmless: where a link leads is looked for, and made, within the image. */
const configs: readonly { readonly trick: string; readonly config: Readonly<Record<string, unknown>>; readonly refused?: RegExp }[] = [
  { trick: 'workdir-link', config: { WorkingDir: '/link' } },
  { trick: 'workdir-link-missing', config: { WorkingDir: '/link/made/by/the/image' } },
  { trick: 'workdir-climbs', config: { WorkingDir: '/../../../../../../CANARY/climbed' } },
  { trick: 'preload', config: { Env: ['LD_PRELOAD=/evil.so', 'LD_LIBRARY_PATH=/', 'GCONV_PATH=/', 'PATH=/bin'] } },
  { trick: 'volume-root', config: { Volumes: { '/': {} } }, refused: NO_PLACE },
  { trick: 'volume-proc', config: { Volumes: { '/proc': {}, '/sys': {}, '/dev': {} } }, refused: NO_PLACE },
  { trick: 'volume-below-proc', config: { Volumes: { '/tmp/../proc/sys': {} } }, refused: NO_PLACE },
  { trick: 'volume-climbs', config: { Volumes: { '/../../../../CANARY/volume': {} } } },
  { trick: 'volume-link', config: { Volumes: { '/link/volume': {} } } },
  { trick: 'stop-signal', config: { StopSignal: 'SIGKILL; rm -rf /' } },
  { trick: 'user-negative', config: { User: '-1' }, refused: /"-1" is not a user/ },
  { trick: 'user-overflow', config: { User: '4294967296' }, refused: /too large/ },
  { trick: 'user-path', config: { User: '../../etc/passwd' }, refused: /is not a user/ },
  { trick: 'user-newline', config: { User: 'nobody\nroot' }, refused: /is not a user/ },
  { trick: 'user-unknown', config: { User: 'nosuchuser' }, refused: /nosuchuser/ },
];

test(
  "an image's config can neither reach the host nor become another user",
  onNode(async (node) => {
    const canary = path.join(node.root, 'canary');
    await mkdir(canary);
    await node.start();
    const layer = tarArchive([
      ...['bin/', 'proc/', 'sys/', 'dev/', 'etc/', 'tmp/'].map(folder),
      { name: 'bin/busybox', mode: 0o755, content: await readFile('/bin/busybox') },
      { name: 'bin/sh', type: '2', link: 'busybox' },
      { name: 'bin/sleep', type: '2', link: 'busybox' },
      { name: 'link', type: '2', link: `/../../../../../..${canary}` },
    ]);
    for (const { trick, config } of configs) {
      const file = path.join(node.root, `${trick}.tar`);
      const named = JSON.parse(JSON.stringify(config).replaceAll('/CANARY', canary)) as Record<string, unknown>;
      await writeFile(file, dockerArchive(`evil.local/${trick}:1`, [layer], { Cmd: ['sh'], ...named }));
      const { code, stderr } = await node.mooring('image', 'load', file);
      assert.equal(code, 0, stderr);
      await node.write(`${trick}.yaml`, node.sleeper(trick).replace('mooring.local/busybox:latest', `evil.local/${trick}:1`));
    }
    for (const { trick, refused } of configs) {
      if (refused) {
        await until(`${trick} is refused`, async () => (await node.get(trick)).status.conditions.some(({ message }) => refused.test(message)));
        assert.deepEqual(await node.processes(trick), [], `${trick} does not run`);
        continue;
      }
      const pid = await node.running(trick);
      const { status } = await node.get(trick);
      assert.notEqual(await readlink(`/proc/${pid}/ns/mnt`), await readlink('/proc/self/ns/mnt'), 'it has a mount namespace of its own');
      const parent = /^PPid:\s+(\d+)/m.exec(await readFile(`/proc/${status.pid}/status`, 'utf8'))?.[1];
      assert.ok(!(await readFile(`/proc/${parent}/environ`, 'utf8')).includes('LD_PRELOAD'), "what an image sets does not reach the container's parent");
      const mounts = (await readFile(`/proc/${pid}/mountinfo`, 'utf8')).split('\n').map((line) => line.split(' '));
      assert.ok(!mounts.some(([, , , root = '']) => root.includes(canary)), `${trick}: nothing of the host is mounted`);
      assert.equal(mounts.filter(([, , , , place]) => place === '/proc').length, 1, 'one proc, its own');
    }
    assert.deepEqual(await readdir(canary), [], 'nothing was made on the host');
  }),
);
