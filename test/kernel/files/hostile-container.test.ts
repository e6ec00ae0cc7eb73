import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { Client } from '../../../src/cli/client.ts';
import { messageOf } from '../../../src/lib/errors.ts';
import { MOORING, onNode, type TestNode } from '../../support/daemon.ts';
import { tarArchive } from '../../support/tar-writer.ts';

const run = promisify(execFile);

/** Times that each race is run: the swap goes on all the while. */
const ROUNDS = 30;

/** What the daemon answers to a request about the files of a container, refusals among it. Asked in this process: a command each would be too slow to win a race. */
async function ask(node: TestNode, container: string, request: string, content?: Buffer): Promise<string> {
  const client = new Client(join(node.runDir, 'mooring.sock'));
  const path = `/v1/containers/default/${container}/${request}`;
  try {
    if (content !== undefined) return JSON.stringify(await client.upload(path, once(content)));
    let answer = '';
    for await (const piece of client.bytes(path)) answer += piece.toString('latin1');
    return answer;
  } catch (error) {
    return messageOf(error);
  }
}

async function* once(content: Buffer): AsyncGenerator<Buffer, void, void> {
  yield content;
}

const planted = tarArchive([{ name: 'planted', content: 'planted' }]);

/** A file of the host's that no container may reach, and a folder where one could be put. */
async function canary(node: TestNode): Promise<{ readonly folder: string; readonly unharmed: () => Promise<void> }> {
  const folder = join(node.root, 'canary');
  await mkdir(folder);
  await writeFile(join(folder, 'secret'), 'of the host');
  return {
    folder,
    unharmed: async () => {
      assert.equal(await readFile(join(folder, 'secret'), 'utf8'), 'of the host');
      assert.equal((await run('ls', ['-A', folder])).stdout, 'secret\n');
    },
  };
}

/** Swaps a folder of the container and a link to the host's canary, as fast as it can, in the container. */
const swapping = (target: string): string =>
  `mkdir -p /w/real ${target.replace(/[^/]*$/, '')}; echo own > /w/real/secret; ln -s ${target} /w/link; cp -r /w/real /w/dir; while :; do mv /w/dir /w/x; mv /w/link /w/dir; mv /w/dir /w/link; mv /w/x /w/dir; done`;

test(
  'CVE-2018-15664: copying out of and into a folder that is swapped for a link meets no file of the host',
  onNode(async (node) => {
    const { folder, unharmed } = await canary(node);
    await node.write('evil.yaml', node.container('evil', swapping(folder)));
    await node.start();
    await node.running('evil');
    for (let round = 0; round < ROUNDS; round++) {
      const answers = await Promise.all([
        ...['archive?path=/w/dir/secret', 'archive?path=/w/dir', 'files/content?path=/w/dir/secret', 'files?path=/w/dir/'].map((request) => ask(node, 'evil', request)),
        ask(node, 'evil', 'archive?path=/w/dir', planted),
        ask(node, 'evil', 'files/content?path=/w/dir/written', Buffer.from('written')),
      ]);
      for (const answer of answers) assert.doesNotMatch(answer, /of the host/);
    }
    assert.doesNotMatch((await node.mooring('export', 'evil')).stdout, /of the host/);
    await unharmed();
  }),
);

test(
  'CVE-2026-41568, CVE-2026-42306: the place of a mount that is swapped, with the container running or not, redirects nothing to the host',
  onNode(async (node) => {
    const { folder, unharmed } = await canary(node);
    const [shared, inner] = [join(node.root, 'shared'), join(node.root, 'inner')];
    await Promise.all([mkdir(shared), mkdir(inner)]);
    await writeFile(join(inner, 'own'), 'own');
    // "outer" mounts one folder in another, which "swapper" has as well: it swaps the inner mount's place.
    const mounts = (name: string) => `mounts: [{mountPath: /vol, bind: {source: ${shared}}}${name === 'outer' ? `, {mountPath: /vol/place, bind: {source: ${inner}}}` : ''}]`;
    await node.write('outer.yaml', node.sleeper('outer', mounts('outer')));
    await node.start();
    await node.running('outer');
    await node.write('swapper.yaml', node.container('swapper', `cd /vol; ln -s ${folder} link; while :; do mv place x; mv link place; mv place link; mv x place; done`, mounts('swapper')));
    await node.running('swapper');
    const attack = async (): Promise<void> => {
      for (let round = 0; round < ROUNDS; round++) {
        const answers = await Promise.all([...['files?path=/vol/place/', 'archive?path=/vol'].map((request) => ask(node, 'outer', request)), ask(node, 'outer', 'archive?path=/vol/place', planted)]);
        for (const answer of answers) assert.doesNotMatch(answer, /of the host/);
      }
    };
    await attack();
    await node.write('outer.yaml', node.sleeper('outer', `suspend: true\n${mounts('outer')}`));
    await node.gone('outer');
    await attack();
    await unharmed();
  }),
);

test(
  'CVE-2019-14271, CVE-2026-41567: no program and no library of a container is loaded or run while its files are packed and unpacked',
  onNode(async (node) => {
    const { folder, unharmed } = await canary(node);
    // Whatever an archiver might run or load from in there: it would leave its mark where only a process of the host's can.
    const script = `#!/bin/sh\necho ran > ${join(folder, 'ran')}\n`;
    const names = ['bin/tar', 'bin/gzip', 'bin/xz', 'usr/bin/unpigz', 'sbin/mount', 'lib/x86_64-linux-gnu/libnss_files.so.2', 'lib64/ld-linux-x86-64.so.2', 'etc/ld.so.preload', 'etc/nsswitch.conf', 'usr/lib/locale/C.utf8/LC_CTYPE'];
    await node.write('evil.yaml', node.sleeper('evil'));
    await node.start();
    await node.running('evil');
    const rootfs = join(node.root, 'rootfs.tar');
    await writeFile(rootfs, tarArchive(names.map((name) => ({ name, content: script, mode: 0o755 }))));
    await run('bash', ['-c', `${MOORING} -H unix://${node.runDir}/mooring.sock cp - evil:/ < ${rootfs}`]);
    for (const args of [['cp', 'evil:/etc', '-'], ['export', 'evil'], ['tar', '-s', 'evil'], ['diff', 'evil'], ['cp', rootfs, 'evil:/tmp'], ['commit', 'evil', 'example/evil:1']]) assert.equal((await node.mooring(...args)).code, 0, args.join(' '));
    await unharmed();
  }),
);

test(
  'pipes, sockets, devices and endless files in a container neither block nor harm those who copy',
  onNode(async (node) => {
    await node.write('odd.yaml', node.container('odd', 'mkdir /odd; cd /odd; mkfifo pipe; mknod zero c 1 5; mknod disk b 7 0; truncate -s 2M holes; ln -s loop loop; ln -s /dev/zero link; exec sleep 100000'));
    await node.start();
    await node.running('odd');
    for (const name of ['pipe', 'zero', 'disk', 'loop']) {
      assert.notEqual((await node.mooring('cat', 'odd', `/odd/${name}`)).code, 0, name);
      assert.notEqual((await node.mooring('write', 'odd', `/odd/${name}`, '-f', '/etc/hostname')).code, 0, name);
    }
    const out = join(node.root, 'odd.tar');
    const archive = spawn('bash', ['-c', `${MOORING} -H unix://${node.runDir}/mooring.sock cp odd:/odd - > ${out}`]);
    assert.equal(await new Promise((resolve) => archive.once('close', resolve)), 0);
    const { stdout } = await run('tar', ['-tvf', out]);
    assert.match(stdout, /^prw.*odd\/pipe$/m);
    assert.match(stdout, /^crw.* 1,5 .*odd\/zero$/m);
    // A name that would lead out, in an archive that is copied in, is refused.
    const evil = join(node.root, 'evil.tar');
    await writeFile(evil, tarArchive([{ name: '../../escaped', content: 'x' }]));
    await assert.rejects(run('bash', ['-c', `${MOORING} -H unix://${node.runDir}/mooring.sock cp - odd:/odd < ${evil}`]), /leads upwards/);
    await rm(out);
    await chmod(node.root, 0o700);
  }),
);
