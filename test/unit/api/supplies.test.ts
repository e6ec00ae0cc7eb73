import assert from 'node:assert/strict';
import { test } from 'node:test';

import { networkObject, volumeObject } from '../../../src/api/v1/supply-object.ts';
import type { SupplyStanding } from '../../../src/reconcile/supplies.ts';
import type { NetworkName, VolumeName } from '../../../src/spec/name.ts';
import { networkResourceSchema } from '../../../src/spec/network.ts';
import { volumeResourceSchema } from '../../../src/spec/volume.ts';

const head = { apiVersion: 'mooring.dev/v1alpha1' };
const network = networkResourceSchema.parse({ ...head, kind: 'Network', metadata: { name: 'back' } });
const volume = volumeResourceSchema.parse({ ...head, kind: 'Volume', metadata: { name: 'data' } });
const wish = { origin: { source: 'directory' as const, location: 'back.yaml:1:1' }, specHash: '', generation: 3 };
const back = { name: 'default/back' as NetworkName, network, ...wish };
const there = { name: back.name, network, subnets: ['10.1.0.0/24'], gateways: ['10.1.0.1'], link: 'mr-x', containers: [], faults: [], createdAt: 0 };
const standing = (state: SupplyStanding['state'], message = 'm'): SupplyStanding => ({ key: { kind: 'Network', name: back.name }, state, reason: state, message, generation: 3, since: 0 });
const kept = { name: 'default/data' as VolumeName, volume, path: '/v', createdAt: 0, containers: [], owner: undefined, released: true, faults: [] };

test('a network tells where it was said, what there is of it, and how it stands', () => {
  const object = networkObject(back, standing('Ready'), there);
  assert.equal(object?.metadata.annotations['mooring.dev/location'], 'back.yaml:1:1');
  assert.deepEqual([object.metadata.generation, object.status.phase, object.status.subnets, object.status.link], [3, 'Ready', ['10.1.0.0/24'], 'mr-x']);
  assert.deepEqual(object.status.conditions.map(({ type, status }) => `${type} ${status}`), ['Ready True', 'Progressing False', 'Stalled False']);
  const drifted = networkObject(back, standing('Ready'), { ...there, faults: ['bridge mr-x is down'] });
  assert.deepEqual(drifted?.status.conditions[0] && [drifted.status.conditions[0].status, drifted.status.conditions[0].reason, drifted.status.conditions[0].message], ['False', 'Drifted', 'bridge mr-x is down']);
});

test('each word for tables has its reason', () => {
  const phase = (...[desired, state, is]: Parameters<typeof networkObject>) => networkObject(desired, state, is)?.status.phase;
  assert.equal(phase(back, undefined, undefined), 'Pending');
  assert.equal(phase(back, standing('Coming'), undefined), 'Pending');
  assert.equal(phase(back, standing('Failed'), undefined), 'Failed');
  assert.equal(networkObject(back, standing('Failed'), undefined)?.status.conditions.find(({ type }) => type === 'Stalled')?.status, 'True');
  assert.equal(phase(undefined, standing('Going'), there), 'Removing');
  assert.equal(phase(undefined, undefined, undefined), undefined);
  const of = (more: object) => volumeObject(undefined, undefined, { ...kept, ...more })?.status;
  assert.equal(of({})?.phase, 'Released');
  assert.deepEqual([of({ owner: { container: 'default/web', mountPath: '/d' } })?.phase, of({})?.createdAt], ['Owned', '1970-01-01T00:00:00.000Z']);
  assert.equal(volumeObject({ name: kept.name, volume, ...wish }, undefined, { ...kept, released: false }, 4096)?.status.usedBytes, 4096);
});
