import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chown, lchown, mkdir, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

import { containerName, type VolumeName } from '../../../src/spec/name.ts';
import { mountsMentioning } from '../../support/kernel.ts';
import { until } from '../../support/until.ts';
import { containerOf, openNode, type TestNode } from '../engine/support.ts';
import { addImage, outputOf, pidOf, remove, run, seenBy, volumeOf } from './support.ts';

const data = 'default/data' as VolumeName;

describe('volumes on the real kernel', () => {
  let node: TestNode;
  before(async () => {
    node = await openNode();
  });
  after(() => node.close());

  const volumes = () => node.engine.volumes;
  async function pathOf(name: VolumeName): Promise<string> {
    const place = (await volumes().inspect(name))?.path;
    assert.ok(place);
    return place;
  }
  const shows = (name: string, more: Record<string, unknown> = {}, at = '/data') => ({ mounts: [{ mountPath: at, volume: { name, ...more } }] });

  it('share what containers write, outlive them, and leave the host without a mount', async () => {
    assert.deepEqual(await volumes().ensure(volumeOf('data')), []);
    const first = await run(node, 'first', { ...shows('data'), command: ['sh', '-c', 'echo kept > /data/file; exec sleep 1000'] });
    const second = await run(node, 'second', { mounts: [{ mountPath: '/other', readOnly: true, volume: { name: 'data' } }] });
    await until('the second sees what the first wrote', async () => (await seenBy(second, '/other/file')) === 'kept\n');
    assert.match(await outputOf(node, { mounts: [{ mountPath: '/d', readOnly: true, volume: { name: 'data' } }], command: ['sh', '-c', 'echo no > /d/file'], restartPolicy: 'Never' }), /Read-only file system/);
    assert.deepEqual((await volumes().inspect(data))?.containers, ['default/first', 'default/second']);
    await assert.rejects(volumes().remove(data, 'Delete'), { code: 'Conflict', message: /used by containers default\/first, default\/second/ });
    assert.deepEqual(await mountsMentioning(node.root), []);
    assert.ok(first > 0);
    await remove(node, 'first');
    await remove(node, 'second');
    const place = await pathOf(data);
    assert.equal(await readFile(path.join(place, 'file'), 'utf8'), 'kept\n');

    await node.restart();
    await volumes().remove(data, 'Retain');
    assert.equal((await volumes().inspect(data))?.released, true);
    await assert.rejects(node.engine.create(containerOf('late', shows('data')), 'h'), { code: 'NotFound', message: /there is no volume default\/data, which \/data is to show/ });
    await volumes().ensure(volumeOf('data'));
    assert.equal(await readFile(path.join(place, 'file'), 'utf8'), 'kept\n');
    await volumes().remove(data, 'Delete');
    assert.deepEqual(volumes().list(), []);
    await assert.rejects(stat(path.dirname(place)), { code: 'ENOENT' });
  });

  it('begin with what the image has: owners, modes, attributes, links, and nothing from outside of it', async () => {
    const layer = await addImage(node, 'mooring.local/full:latest', [
      { kind: 'folder', path: 'etc', mode: 0o755 },
      { kind: 'file', path: 'etc/own', mode: 0o644, content: "the image's" },
      { kind: 'folder', path: 'srv', mode: 0o755 },
      { kind: 'folder', path: 'srv/data', mode: 0o2750 },
      { kind: 'file', path: 'srv/data/file', mode: 0o4711, content: 'from the image' },
      { kind: 'symlink', path: 'srv/data/out', target: '/etc/passwd' },
      { kind: 'folder', path: 'srv/data/deep', mode: 0o700 },
      { kind: 'file', path: 'srv/data/deep/er', mode: 0o600, content: '1' },
      { kind: 'symlink', path: 'srv/trap', target: '../../../../../etc' },
    ]);
    for (const place of ['srv/data', 'srv/data/file', 'srv/data/deep']) await chown(path.join(layer, place), 33, 100);
    await lchown(path.join(layer, 'srv/data/out'), 33, 100);
    await promisify(execFile)('setfattr', ['-n', 'user.note', '-v', 'kept', path.join(layer, 'srv/data/file')]);
    const spec = { image: 'mooring.local/full', mounts: [{ mountPath: '/srv/data', volume: { name: 'data' } }, { mountPath: '/srv/trap', volume: { name: 'trap' } }, { mountPath: '/bin2', volume: { name: 'none' } }] };
    for (const name of ['data', 'trap', 'none']) await volumes().ensure(volumeOf(name));
    // Copied when it is made, and not again by the next daemon, which starts it.
    const id = await node.engine.create(containerOf('full', { command: ['sleep', '1000'], stopSignal: 'KILL', ...spec }), 'h');
    assert.deepEqual(await readdir(await pathOf(data)), ['deep', 'file', 'out']);
    await node.restart();
    await node.engine.start(id);
    const place = await pathOf(data);
    const owned = async (file: string) => {
      const { uid, gid, mode } = await stat(path.join(place, file));
      return [uid, gid, (mode & 0o7777).toString(8)];
    };
    assert.deepEqual(await owned('.'), [33, 100, '2750']);
    assert.deepEqual(await owned('deep'), [33, 100, '700']);
    assert.deepEqual(await readdir(place), ['deep', 'file', 'out']);
    assert.equal(await readFile(path.join(place, 'file'), 'utf8'), 'from the image');
    assert.equal(await readlink(path.join(place, 'out')), '/etc/passwd');
    assert.match((await promisify(execFile)('getfattr', ['-d', '-n', 'user.note', path.join(place, 'file')])).stdout, /user.note="kept"/);
    // The link leads to the image's own /etc, never to the host's.
    assert.deepEqual(await readdir(await pathOf('default/trap' as VolumeName)), ['own']);
    assert.deepEqual(await readdir(await pathOf('default/none' as VolumeName)), []);

    // What is there stays, and with noCopy nothing comes.
    await writeFile(path.join(place, 'file'), 'changed');
    await remove(node, 'full');
    await run(node, 'full', spec);
    assert.equal(await readFile(path.join(place, 'file'), 'utf8'), 'changed');
    await remove(node, 'full');
    await volumes().remove(data, 'Delete');
    await volumes().ensure(volumeOf('data'));
    await run(node, 'bare', { image: 'mooring.local/full', mounts: [{ mountPath: '/srv/data', volume: { name: 'data', noCopy: true } }] });
    assert.deepEqual(await readdir(await pathOf(data)), []);
    await remove(node, 'bare');
    for (const name of volumes().list()) await volumes().remove(name, 'Delete');
  });

  it('are made for what the image asks for, kept through a new container of the name, and go when it is forgotten', async () => {
    await addImage(node, 'mooring.local/asking:latest', [{ kind: 'folder', path: 'state', mode: 0o755 }, { kind: 'file', path: 'state/seed', mode: 0o644, content: 's' }], { Volumes: { '/state/': {}, '/covered': {} } });
    const spec = { image: 'mooring.local/asking', mounts: [{ mountPath: '/covered', tmpfs: { mode: '0700' } }, { mountPath: '/own', volume: {} }] };
    const pid = await run(node, 'asking', { ...spec, command: ['sh', '-c', 'echo 1 > /state/count; echo 1 > /own/count; exec sleep 1000'] });
    await until('it has written', async () => (await seenBy(pid, '/own/count')) === '1\n');
    assert.equal(await seenBy(pid, '/state/seed'), 's');
    assert.equal((await stat(`/proc/${pid}/root/covered`)).mode & 0o7777, 0o700);
    const names = volumes().list();
    assert.equal(names.length, 2);
    assert.deepEqual(new Set((await Promise.all(names.map((name) => volumes().inspect(name)))).map((state) => state?.owner?.mountPath)), new Set(['/own', '/state']));
    await remove(node, 'asking');
    const again = await run(node, 'asking', { ...spec, env: [{ name: 'NEW', value: '1' }] });
    assert.equal(await seenBy(again, '/state/count'), '1\n');
    assert.deepEqual(volumes().list(), names);
    await assert.rejects(volumes().ensure(volumeOf(names[0]?.slice('default/'.length) ?? '')), { code: 'Conflict', message: /is container default\/asking's own/ });
    await remove(node, 'asking');
    await volumes().removeOwned(containerName({ namespace: 'default', name: 'asking' }));
    assert.deepEqual(volumes().list(), []);
    assert.deepEqual(await readdir(node.dataDir.volumes), []);
    for (const place of ['/', '/proc/x']) {
      await addImage(node, 'mooring.local/absurd:latest', [], { Volumes: { [place]: {} } });
      await assert.rejects(node.engine.create(containerOf('absurd', { image: 'mooring.local/absurd' }), 'h'), { code: 'Invalid', message: new RegExp(`asks for a volume at ${place}`) });
    }
  });

  it('show a part of themselves, whose links never lead out, a thousand swaps or not', async () => {
    await volumes().ensure(volumeOf('data'));
    const place = await pathOf(data);
    await mkdir(path.join(place, 'a'));
    await writeFile(path.join(place, 'a/b'), 'inside');
    await symlink('/etc', path.join(place, 'evil'));
    await symlink('../../../../../../own', path.join(place, 'worse'));
    await mkdir(path.join(place, 'own'));
    await symlink('a', path.join(place, 'good'));
    const pid = await run(node, 'part', {
      mounts: [
        { mountPath: '/good', volume: { name: 'data', subPath: 'good' } },
        { mountPath: '/file', volume: { name: 'data', subPath: 'a/b' } },
        { mountPath: '/new', volume: { name: 'data', subPath: 'made/for/it' } },
        { mountPath: '/worse', volume: { name: 'data', subPath: 'worse/deep' } },
      ],
    });
    assert.equal(await seenBy(pid, '/good/b'), 'inside');
    assert.equal(await seenBy(pid, '/file'), 'inside');
    assert.ok((await stat(path.join(place, 'made/for/it'))).isDirectory());
    // Seen from within the volume, / is the volume itself.
    assert.ok((await stat(path.join(place, 'own/deep'))).isDirectory());
    await remove(node, 'part');
    // A link that would lead out leads to what the volume has there, made where there is nothing.
    const evil = await run(node, 'evil', { mounts: [{ mountPath: '/evil', volume: { name: 'data', subPath: 'evil' } }] });
    assert.deepEqual(await readdir(`/proc/${evil}/root/evil`), []);
    assert.ok((await stat(path.join(place, 'etc'))).isDirectory());
    await remove(node, 'evil');

    // A loop that swaps the folder and a link to the host while containers start on it.
    const swapping = execFile('sh', ['-c', 'cd "$1"; mkdir x; while :; do mv x y; ln -s /etc x; rm x; mv y x; done', 'sh', place]);
    try {
      for (let n = 0; n < 20; n++) {
        const created = await node.engine.create(containerOf('race', { command: ['sleep', '1000'], mounts: [{ mountPath: '/x', volume: { name: 'data', subPath: 'x' } }] }), 'h');
        await node.engine.start(created).catch(() => {}); // refused is as good
        const observed = await node.engine.observe(containerName({ namespace: 'default', name: 'race' }));
        if (observed?.process.state === 'Running') assert.equal((await readdir(`/proc/${observed.process.init.pid}/root/x`)).includes('passwd'), false);
        await remove(node, 'race');
      }
    } finally {
      const ended = new Promise((resolve) => swapping.once('exit', resolve));
      swapping.kill('SIGKILL');
      await ended;
    }
    await volumes().remove(data, 'Delete');
  });

  it('mount what their options say, in the container alone', async () => {
    const source = path.join(node.root, 'elsewhere');
    await assert.rejects(volumes().ensure(volumeOf('bound', { options: { type: 'none', o: 'bind', device: source } })), { code: 'NotFound', message: /elsewhere, which it is to show, does not exist/ });
    assert.deepEqual(volumes().list(), []);
    await mkdir(source);
    await writeFile(path.join(source, 'file'), 'of the node');
    await volumes().ensure(volumeOf('bound', { options: { type: 'none', o: 'bind', device: source } }));
    await volumes().ensure(volumeOf('memory', { options: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m,mode=700,_netdev' } }));
    const pid = await run(node, 'mounted', { mounts: ['bound', 'memory'].map((name) => ({ mountPath: `/${name}`, volume: { name } })) });
    assert.equal(await seenBy(pid, '/bound/file'), 'of the node');
    assert.match(await readFile(`/proc/${pid}/mountinfo`, 'utf8'), / \/memory .* - tmpfs tmpfs .*size=1024k,mode=700/);
    assert.deepEqual(await mountsMentioning(node.root), []);
    assert.deepEqual((await node.engine.observe(containerName({ namespace: 'default', name: 'mounted' })))?.drift, []);
    await assert.rejects(volumes().ensure(volumeOf('memory', { options: { type: 'ramfs', device: 'tmpfs' } })), { code: 'Conflict', message: /spec.options.type can't be changed from tmpfs to ramfs/ });
    await remove(node, 'mounted');
    for (const name of volumes().list()) await volumes().remove(name, 'Delete');
    assert.equal(await readFile(path.join(source, 'file'), 'utf8'), 'of the node');
    const disk = await until('the node has a block device', async () => (await readdir('/sys/block'))[0]);
    await promisify(execFile)('mknod', [path.join(node.root, 'disk'), 'b', ...(await readFile(`/sys/block/${disk}/dev`, 'utf8')).trim().split(':')]);
    await assert.rejects(volumes().ensure(volumeOf('disk', { options: { type: 'ext4', device: path.join(node.root, 'disk') } })), { code: 'Unsupported', message: /is a block device/ });
    await assert.rejects(volumes().ensure(volumeOf('small', { size: '1Gi' })), { code: 'Unsupported', message: /no project quotas/ });
  });

  it('are missed when they are removed behind our back, told, and made anew', async () => {
    await volumes().ensure(volumeOf('data'));
    const pid = await run(node, 'drifting', shows('data'));
    const told: VolumeName[] = [];
    const leave = volumes().subscribe((name) => told.push(name));
    const place = await pathOf(data);
    await rm(place, { recursive: true });
    await until('the loss is told', () => told.includes(data));
    leave();
    const observed = await node.engine.observe(containerName({ namespace: 'default', name: 'drifting' }));
    assert.deepEqual(observed?.drift.map(({ kind }) => kind), ['Mounts']);
    assert.match(observed.drift[0]?.message ?? '', /\/data shows .*_data, which was removed/);
    assert.match((await volumes().ensure(volumeOf('data')))[0] ?? '', /was gone, with all that it held; it was made anew, empty/);
    await node.engine.kill(observed.id);
    await until('it has ended', async () => (await node.engine.observe(observed.name))?.process.state === 'Exited');
    await node.engine.start(observed.id);
    const again = await pidOf(node, 'drifting');
    assert.notEqual(again, pid);
    assert.deepEqual((await node.engine.observe(observed.name))?.drift, []);
    await promisify(execFile)('nsenter', ['--target', String(again), '--mount', '--', 'umount', '/data']);
    assert.match((await node.engine.observe(observed.name))?.drift[0]?.message ?? '', /\/data is not mounted/);
    await remove(node, 'drifting');
    await volumes().remove(data, 'Delete');
  });
});
