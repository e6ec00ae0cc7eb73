import assert from 'node:assert/strict';
import { test } from 'node:test';

import { canonicalAddress, contains, overlaps, parseAddress, parseSubnet } from '../../../src/spec/address.ts';
import { containerSchema } from '../../../src/spec/container.ts';
import { attachmentsOf } from '../../../src/spec/container-network.ts';
import { networkChanged, resourceHash, volumeChanged } from '../../../src/spec/hash.ts';
import { networkResourceSchema } from '../../../src/spec/network.ts';
import { portCount } from '../../../src/spec/port.ts';
import { isBindVolume, isMountVolume, volumeResourceSchema } from '../../../src/spec/volume.ts';

const head = { apiVersion: 'mooring.dev/v1alpha1' };
const network = (spec: object = {}) => networkResourceSchema.parse({ ...head, kind: 'Network', metadata: { name: 'back' }, spec });
const volume = (spec: object = {}) => volumeResourceSchema.parse({ ...head, kind: 'Volume', metadata: { name: 'data' }, spec });
const container = (spec: object) => containerSchema.parse({ ...head, kind: 'Container', metadata: { name: 'web' }, spec: { image: 'redis', ...spec } });

test('a network and a volume of nothing but a name have every default', () => {
  assert.deepEqual(networkResourceSchema.parse({ ...head, kind: 'Network', metadata: { name: 'back' } }).spec, { driver: 'Bridge', internal: false, ipv6: true, subnets: [] });
  assert.deepEqual(volumeResourceSchema.parse({ ...head, kind: 'Volume', metadata: { name: 'data' } }).spec, { driver: 'Local', options: {}, reclaimPolicy: 'Retain' });
});

test('two ways of writing the same are no change', () => {
  const subnets = [{ cidr: 'fd00:89:0::/64', gateway: 'FD00:89::1' }, { cidr: '10.89.0.0/24' }];
  const same = [{ cidr: '10.89.0.0/24' }, { cidr: 'fd00:89::/64', gateway: 'fd00:89::1' }];
  assert.equal(resourceHash(network({ subnets })), resourceHash(network({ subnets: same })));
  assert.equal(resourceHash(network({ driver: 'Bridge', ipv6: true })), resourceHash(network()));
  assert.deepEqual(networkChanged(network({ subnets }), network({ subnets: same })), []);
  assert.deepEqual(networkChanged(network(), network({ internal: true })), [{ field: 'spec.internal', from: 'false', to: 'true' }]);
  assert.deepEqual(volumeChanged(volume({ size: '1024Mi' }), volume({ size: '1Gi' })), []);
  const device = { type: 'nfs', device: ':/x' };
  assert.equal(resourceHash(volume({ options: { ...device, o: 'a,,b' } })), resourceHash(volume({ options: { ...device, o: 'a,b' } })));
  assert.equal(
    resourceHash(container({ network: { mode: 'Bridge', networks: [{ name: 'back', aliases: ['B', 'a'], macAddress: '02:42:AC:11:00:02' }] } })),
    resourceHash(container({ network: { mode: 'Bridge', networks: [{ name: 'back', aliases: ['a', 'b'], macAddress: '02:42:ac:11:00:02' }] } })),
  );
});

test('without a list, mode Bridge means the default network, and any other mode none', () => {
  const of = (spec: object) => attachmentsOf(container({ network: spec }).spec.network).map(({ name }) => name);
  assert.deepEqual(of({ mode: 'Bridge' }), ['default']);
  assert.deepEqual(of({ mode: 'Bridge', networks: [{ name: 'back' }, { name: 'default' }] }), ['back', 'default']);
  assert.deepEqual(of({ mode: 'Host' }), []);
});

test('subnets', () => {
  assert.equal(canonicalAddress('FD00:0:0:0::1'), 'fd00::1');
  assert.ok(overlaps(parseSubnet('10.0.0.0/8'), parseSubnet('10.89.3.0/24')));
  assert.ok(!overlaps(parseSubnet('10.88.0.0/16'), parseSubnet('10.89.0.0/16')));
  assert.ok(!overlaps(parseSubnet('0.0.0.0/0'), parseSubnet('::/0')));
  assert.ok(contains(parseSubnet('fd00:89::/61'), parseAddress('fd00:89:0:7::1')));
  assert.ok(!contains(parseSubnet('fd00:89::/61'), parseAddress('fd00:89:0:8::1')));
});

test('what a volume mounts', () => {
  assert.ok(!isMountVolume(volume().spec));
  const bind = volume({ options: { device: '/srv/x', o: 'ro,bind' } });
  assert.ok(isMountVolume(bind.spec) && isBindVolume(bind.spec));
  assert.ok(!isBindVolume(volume({ options: { type: 'nfs', device: ':/bind', o: 'vers=4' } }).spec));
});

test('ranges of ports', () => {
  assert.equal(portCount({ containerPort: 80 }), 1);
  assert.equal(portCount({ containerPort: 8000, endPort: 8010 }), 11);
});
