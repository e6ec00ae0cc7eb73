import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';

import type { ContainerId } from '../../../src/engine/engine.ts';
import { ContainerRecords } from '../../../src/engine/store/container-records.ts';
import { Database } from '../../../src/engine/store/database.ts';
import { NetworkRecords } from '../../../src/engine/store/network-records.ts';
import { containerSchema } from '../../../src/spec/container.ts';
import { containerName } from '../../../src/spec/name.ts';

const RANGE = { first: 2, last: 5 };
const MINUTE = 60_000;

describe('leases of addresses', () => {
  let folder: string;
  let database: Database;
  let containers: ContainerRecords;
  let networks: NetworkRecords;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mooring-leases-'));
    database = await Database.open(folder);
    containers = new ContainerRecords(database);
    networks = new NetworkRecords(database);
    networks.putNetwork({ name: 'default', subnet4: '172.31.240.0/20', subnet6: null });
  });
  afterEach(async () => {
    database.close();
    await rm(folder, { recursive: true });
  });

  /** Makes a record and its lease as the engine does, and gives the address's number. */
  function make(name: string, now = Date.now()): number {
    const container = containerSchema.parse({ apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata: { name }, spec: { image: 'busybox' } });
    const id = name as ContainerId;
    return database.transaction(() => {
      containers.insert({ id, name: containerName(container.metadata), container, specHash: '', imageId: '', configHash: '', createdAt: 0 });
      return networks.take('default', id, RANGE, now);
    });
  }

  it('are given each in turn, then the one that has rested longest, and never one that is held', async () => {
    assert.deepEqual(['a', 'b', 'c'].map((name) => make(name)), [2, 3, 4]);
    containers.delete('b' as ContainerId);
    await setTimeout(5); // the clock of releases counts milliseconds
    assert.equal(make('d'), 5, 'one that was never used comes before one that was given back');
    containers.delete('a' as ContainerId);
    assert.equal(networks.held('default'), 2);
    assert.equal(make('e', Date.now() + MINUTE), 3);
    assert.equal(make('f', Date.now() + MINUTE), 2);
    assert.throws(() => make('g', Date.now() + MINUTE), { code: 'Unavailable', message: 'network default has no address left', fix: 'remove containers that are not needed' });
    assert.deepEqual(['c', 'd', 'e', 'f'].map((name) => networks.lease(name as ContainerId)), [4, 5, 3, 2]);
  });

  it('rest for a minute', () => {
    for (const name of ['a', 'b', 'c', 'd']) make(name);
    containers.delete('c' as ContainerId);
    assert.throws(() => make('e', Date.now() + MINUTE / 2), { code: 'Unavailable', fix: 'one will be free within a minute' });
    assert.equal(containers.list().length, 3, 'the record goes with the lease that it could not have');
    assert.equal(make('e', Date.now() + MINUTE + 1_000), 4);
  });

  it('outlive the daemon', async () => {
    make('a');
    database.close();
    database = await Database.open(folder);
    networks = new NetworkRecords(database);
    assert.equal(networks.lease('a' as ContainerId), 2);
    assert.deepEqual({ ...networks.network('default') }, { name: 'default', subnet4: '172.31.240.0/20', subnet6: null });
  });
});
