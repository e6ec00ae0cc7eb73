import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { resolveUser } from '../../../src/engine/containers/process-user.ts';
import { readLayeredFile, resolveLayeredPath } from '../../../src/engine/images/layered-file.ts';

describe('reading the files of an image', () => {
  let folder: string;
  let layers: string[];
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mooring-layers-'));
    layers = ['top', 'bottom'].map((name) => path.join(folder, name));
    for (const layer of layers) await mkdir(layer);
    await mkdir(path.join(folder, 'host/etc'), { recursive: true });
    await writeFile(path.join(folder, 'host/etc/passwd'), 'evil:x:0:0::/:/bin/sh\n');
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function put(layer: 0 | 1, file: string, content: string): Promise<void> {
    const target = path.join(layers[layer] ?? '', file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, content);
  }
  async function link(layer: 0 | 1, file: string, target: string): Promise<void> {
    const place = path.join(layers[layer] ?? '', file);
    await mkdir(path.dirname(place), { recursive: true });
    await symlink(target, place);
  }
  const passwd = () => readLayeredFile(layers, '/etc/passwd');

  it('takes a file from the topmost layer that has it', async () => {
    assert.equal(await passwd(), undefined);
    await put(1, 'etc/passwd', 'below');
    assert.equal(await passwd(), 'below');
    await put(0, 'etc/group', 'beside');
    assert.equal(await passwd(), 'below');
    await put(0, 'etc/passwd', 'above');
    assert.equal(await passwd(), 'above');
  });

  it('sees nothing of a folder below what is no folder', async () => {
    await put(1, 'etc/passwd', 'below');
    await put(0, 'etc', 'a file');
    assert.equal(await passwd(), undefined);
  });

  it('follows links within the image', async () => {
    await put(1, 'usr/etc/passwd', 'found');
    await link(1, 'etc', 'usr/etc');
    assert.equal(await passwd(), 'found');
    await rm(path.join(layers[1] ?? '', 'etc'));
    await link(0, 'etc', '/usr/./etc/../etc');
    assert.equal(await passwd(), 'found');
  });

  for (const [what, file, target] of [
    ['an absolute link to the file', 'etc/passwd', (host: string) => `${host}/etc/passwd`],
    ['an absolute link to the folder', 'etc', (host: string) => `${host}/etc`],
    ['a link that climbs out', 'etc/passwd', () => '../../host/etc/passwd'],
    ['a link that climbs out by the folder', 'etc', () => '../host/etc'],
    ['a link that climbs far out', 'etc/passwd', (host: string) => `${'../'.repeat(50)}${host}/etc/passwd`],
    ['a link through the process', 'etc', () => '/proc/self/root/etc'],
  ] as const) {
    it(`never reads the host's file by ${what}`, async () => {
      await link(0, file, target(path.join(folder, 'host')));
      assert.equal(await passwd(), undefined);
    });
    it(`nor when ${what} stands in a layer below`, async () => {
      await mkdir(path.join(layers[0] ?? '', 'etc'));
      await link(1, file, target(path.join(folder, 'host')));
      assert.equal(await passwd(), undefined);
    });
  }

  it('ends at a loop, a device and a folder', async () => {
    await link(0, 'etc/passwd', 'passwd');
    await assert.rejects(passwd(), { code: 'Invalid', message: /loop of symbolic links/ });
    await rm(path.join(layers[0] ?? '', 'etc/passwd'));
    await mkdir(path.join(layers[0] ?? '', 'etc/passwd'));
    await assert.rejects(passwd(), { code: 'Invalid', message: /not a regular file/ });
  });

  it('says where a path really leads, also where it does not exist yet', async () => {
    await link(1, 'var/run', '/run');
    await mkdir(path.join(layers[1] ?? '', 'run'));
    assert.equal(await resolveLayeredPath(layers, '/var/run/app/sock'), '/run/app/sock');
    assert.equal(await resolveLayeredPath(layers, '/nowhere/at/all'), '/nowhere/at/all');
    assert.equal(await resolveLayeredPath(layers, '/../..'), '/');
  });

  describe('for the user of a process', () => {
    beforeEach(async () => {
      await put(1, 'etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:w:/var/www:/bin/sh\nbroken:x:-1:0::/:\n12:x:500:500::/:\n');
      await put(1, 'etc/group', 'root:x:0:\nweb:x:34:\nlogs:x:40:other,web\ndisk:x:41:webx\n');
      await chmod(path.join(layers[1] ?? '', 'etc/passwd'), 0o600);
    });

    const cases: [string, { uid: number; gid: number; additionalGids: number[]; home: string }][] = [
      ['', { uid: 0, gid: 0, additionalGids: [], home: '/root' }],
      ['root', { uid: 0, gid: 0, additionalGids: [], home: '/root' }],
      ['web', { uid: 33, gid: 34, additionalGids: [40], home: '/var/www' }],
      ['33', { uid: 33, gid: 34, additionalGids: [40], home: '/var/www' }],
      ['web:logs', { uid: 33, gid: 40, additionalGids: [], home: '/var/www' }],
      ['web:7', { uid: 33, gid: 7, additionalGids: [], home: '/var/www' }],
      ['1000', { uid: 1000, gid: 0, additionalGids: [], home: '/' }],
      ['1000:1000', { uid: 1000, gid: 1000, additionalGids: [], home: '/' }],
      ['12', { uid: 12, gid: 0, additionalGids: [], home: '/' }], // an id, though an account is named so
      ['0', { uid: 0, gid: 0, additionalGids: [], home: '/root' }],
    ];
    for (const [user, expected] of cases) {
      it(`resolves "${user}"`, async () => assert.deepEqual(await resolveUser(user, layers), expected));
    }

    for (const user of ['nobody', 'web:nogroup', 'broken', '4294967296', '2147483648', '-1', '0x0', '1e3', ' 0', '0 ', ':0', '0:', '0:0:0', '+0', '\n', 'web\n0']) {
      it(`refuses ${JSON.stringify(user)}`, () => assert.rejects(resolveUser(user, layers), { name: 'MooringError', code: 'Invalid' }));
    }
  });
});
