import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { runtimeMount } from '../../../src/engine/containers/own-mounts.ts';
import { mountDrift } from '../../../src/engine/containers/wanted-mounts.ts';
import { swapped } from '../../../src/engine/volumes/id-map.ts';
import { withImageVolumes } from '../../../src/engine/volumes/image-volumes.ts';
import { type Mount, mountSchema } from '../../../src/spec/mount.ts';
import { volumeResourceSchema } from '../../../src/spec/volume.ts';

const mount = (more: object): Mount => mountSchema.parse({ mountPath: '/data', ...more });
const volume = (options: object) => volumeResourceSchema.parse({ apiVersion: 'mooring.dev/v1alpha1', kind: 'Volume', metadata: { name: 'data' }, spec: { options } });
const optionsOf = (own: Parameters<typeof runtimeMount>[0]): string => runtimeMount(own).options.join(',');

describe('mounts of the OCI bundle', () => {
  it('say propagation, access, mode and part', () => {
    assert.equal(optionsOf({ mount: mount({ bind: { source: '/srv' } }) }), 'rbind,rprivate,rw');
    assert.equal(optionsOf({ mount: mount({ readOnly: true, bind: { source: '/srv', propagation: 'HostToContainer' } }) }), 'rbind,rslave,rro');
    assert.equal(optionsOf({ mount: mount({ readOnly: true, recursiveReadOnly: false, bind: { source: '/srv', propagation: 'Bidirectional' } }) }), 'rbind,rshared,ro');
    assert.equal(optionsOf({ mount: mount({ tmpfs: { size: '64Ki', mode: '0700' } }) }), 'nosuid,nodev,mode=0700,size=65536,rw');
    const found = { volume: volume({}), folder: '/v/data/_data', willCopy: false };
    assert.deepEqual(runtimeMount({ mount: mount({ volume: { name: 'data', subPath: 'a,b' } }), volume: found }), { destination: '/data', type: 'bind', source: '/v/data/_data', options: ['rbind', 'rprivate', 'rw', 'x-mooring.subpath=a,b'] });
  });

  it("mount what a volume's options say, without what the kernel does not take", () => {
    const of = (options: object, more: object = {}) => runtimeMount({ mount: mount({ volume: { name: 'data' }, ...more }), volume: { volume: volume(options), folder: undefined, willCopy: false } });
    assert.deepEqual(of({ type: 'nfs', device: ':/x', o: 'addr=10.0.0.5,_netdev,nofail,x-systemd.automount,vers=4' }, { readOnly: true }), { destination: '/data', type: 'nfs', source: ':/x', options: ['addr=10.0.0.5', 'vers=4', 'rro'] });
    assert.deepEqual(of({ type: 'none', device: '/srv', o: 'bind' }), { destination: '/data', type: 'bind', source: '/srv', options: ['rprivate', 'bind'] });
  });

  it('map ids as they are told', () => {
    const ids = { uids: swapped(0, 33), gids: swapped(0, 100) };
    const made = runtimeMount({ mount: mount({ idmap: 'Container', bind: { source: '/srv' } }), ids });
    assert.deepEqual([made.uidMappings, made.gidMappings], [ids.uids, ids.gids]);
  });
});

describe('an id map', () => {
  it('swaps two ids and leaves every other one', () => {
    assert.deepEqual(swapped(7, 7), []);
    for (const [a, b] of [[0, 33], [1000, 33], [0, 1], [4294967294, 0]] as const) {
      const map = swapped(a, b);
      const seen = (id: number): number => {
        const range = map.find(({ containerID, size }) => id >= containerID && id < containerID + size);
        assert.ok(range, `${id} is mapped`);
        return range.hostID + (id - range.containerID);
      };
      assert.deepEqual([seen(a), seen(b)], [b, a]);
      for (const other of [2, 34, 999, 1001, 65534, 4294967293]) if (other !== a && other !== b) assert.equal(seen(other), other);
      assert.equal(map.reduce((sum, { size }) => sum + size, 0), 2 ** 32 - 1);
      assert.ok(map.length <= 5);
    }
  });
});

describe('volumes that an image asks for', () => {
  it('become volumes of the container, unless something is mounted there', () => {
    const own = [mount({ tmpfs: {} })];
    const all = withImageVolumes(own, { '/data': {}, '/state/': {}, 'relative': {}, '/state': {} });
    assert.deepEqual(all.map(({ mountPath, volume: asked }) => [mountPath, asked === undefined ? 'given' : 'asked']), [['/data', 'given'], ['/state', 'asked'], ['/relative', 'asked']]);
    assert.deepEqual(withImageVolumes(own, null), own);
    for (const place of ['/', '/..', '/proc', '/proc/sys/']) assert.throws(() => withImageVolumes([], { [place]: {} }), { code: 'Invalid', message: /the image asks for a volume at \// });
  });
});

it('a mount whose source was removed is drift', () => {
  const line = '36 35 8:1 /v/data/_data//deleted /data rw - ext4 /dev/sda1 rw';
  assert.deepEqual(mountDrift([{ mountPoint: '/data', type: undefined, readOnly: false }], line), [{ kind: 'Mounts', message: '/data shows /v/data/_data, which was removed' }]);
});
