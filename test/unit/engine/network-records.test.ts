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

const RANGE = { first: 1n, last: 6n, reserved: [1n, 4n] };
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
    networks.putNetwork({ name: 'default', network: undefined, createdAt: 0, subnet4: '172.31.240.0/20', subnet6: null });
  });
  afterEach(async () => {
    database.close();
    await rm(folder, { recursive: true });
  });

  /** Makes a record and its lease as the engine does, and gives the address's number. */
  function make(name: string, now = Date.now(), asked?: bigint): bigint {
    const container = containerSchema.parse({ apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata: { name }, spec: { image: 'busybox' } });
    const id = name as ContainerId;
    return database.transaction(() => {
      containers.insert({ id, name: containerName(container.metadata), container, specHash: '', imageId: '', configHash: '', createdAt: 0 });
      networks.connect(id, 'default', 0);
      if (asked === undefined) return networks.takeNext('default', 4, id, RANGE, now);
      const holder = networks.takeThis('default', 4, id, asked);
      if (holder !== undefined) throw new Error(`held by ${holder}`);
      return asked;
    });
  }

  it('are given each in turn, then the one that has rested longest, and never one that is held', async () => {
    assert.deepEqual(['a', 'b', 'c'].map((name) => make(name)), [2n, 3n, 5n]);
    containers.delete('b' as ContainerId);
    await setTimeout(5); // the clock of releases counts milliseconds
    assert.equal(make('d'), 6n, 'one that was never used comes before one that was given back');
    containers.delete('a' as ContainerId);
    assert.equal(networks.endpoints().length, 2);
    assert.equal(make('e', Date.now() + MINUTE), 3n);
    assert.equal(make('f', Date.now() + MINUTE), 2n);
    assert.throws(() => make('g', Date.now() + MINUTE), { code: 'Unavailable', message: 'network default has no IPv4 address left', fix: 'remove containers that are not needed' });
    assert.deepEqual(['c', 'd', 'e', 'f'].map((name) => networks.endpointsOf(name as ContainerId)[0]?.v4), [5n, 6n, 3n, 2n]);
  });

  it('rest for a minute', () => {
    for (const name of ['a', 'b', 'c', 'd']) make(name);
    containers.delete('c' as ContainerId);
    assert.throws(() => make('e', Date.now() + MINUTE / 2), { code: 'Unavailable', fix: 'one will be free within a minute' });
    assert.equal(containers.list().length, 3, 'the record goes with the lease that it could not have');
    assert.equal(make('e', Date.now() + MINUTE + 1_000), 5n);
  });

  it('outlive the daemon', async () => {
    make('a');
    database.close();
    database = await Database.open(folder);
    networks = new NetworkRecords(database);
    assert.equal(networks.endpointsOf('a' as ContainerId)[0]?.v4, 2n);
    assert.deepEqual(networks.networks(), [{ name: 'default', network: undefined, createdAt: 0, subnet4: '172.31.240.0/20', subnet6: null }]);
  });

  it('are given to who asks for one, unless it is held, and are no hole for the others', () => {
    assert.equal(make('a', Date.now(), 3n), 3n);
    assert.throws(() => make('b', Date.now(), 3n), { message: 'held by default/a' });
    assert.deepEqual(['c', 'd'].map((name) => make(name)), [2n, 5n]);
    containers.delete('a' as ContainerId);
    assert.equal(make('a', Date.now(), 3n), 3n, 'the same one at once');
  });

  it('are lent, and lent again only when there is no other', () => {
    assert.equal(networks.lend('default', 4, RANGE, Date.now()), 2n);
    assert.deepEqual(['a', 'b', 'c'].map((name) => make(name)), [3n, 5n, 6n]);
    assert.throws(() => make('d', Date.now() + MINUTE), { code: 'Unavailable' });
    networks.takeBack('default', 4, 2n, Date.now());
    assert.equal(make('d', Date.now() + MINUTE + 1_000), 2n);
  });
});
