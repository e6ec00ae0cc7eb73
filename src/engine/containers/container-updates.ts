import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { errnoOf, MooringError } from '../../lib/errors.ts';
import type { Native } from '../../native/native.ts';
import type { Container } from '../../spec/container.ts';
import type { ContainerNetworks } from '../network/container-networks.ts';
import type { ContainerRecords } from '../store/container-records.ts';
import type { Database } from '../store/database.ts';
import { hostnameOf } from './bundle.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import type { ContainerObserver } from './container-observer.ts';
import { limitDrift, strayedFrom } from './container-snapshot.ts';
import type { LimitFile } from './limit-files.ts';
import type { ManagedContainer } from './managed-container.ts';

export interface ContainerUpdatesOptions {
  readonly native: Native;
  readonly layout: CgroupLayout;
  readonly database: Database;
  readonly records: ContainerRecords;
  readonly observer: ContainerObserver;
  readonly networks: ContainerNetworks;
}

/** What can be changed of a container that is there, and put right, whether it runs or not. */
export class ContainerUpdates {
  readonly #options: ContainerUpdatesOptions;

  constructor(options: ContainerUpdatesOptions) {
    this.#options = options;
  }

  async update(managed: ManagedContainer, container: Container, specHash: string): Promise<void> {
    const { database, records, observer, networks } = this.#options;
    const before = managed.record;
    const { id } = before;
    const after = { ...before, container, specHash };
    await networks.check(container, id);
    const { process } = await observer.look(managed);
    const init = process.state === 'Running' ? process.init : undefined;
    // Before the record: a limit that the kernel refuses (less memory than is in use) leaves the container as it was made, and the change to be tried again.
    if (init) await this.#writeLimits({ ...managed, record: after });
    database.transaction(() => {
      records.change(id, container, specHash);
      networks.reserve(after);
    });
    managed.record = { ...managed.record, container, specHash };
    managed.fresh = false; // what its bundle says of limits is looked at before it starts
    networks.claim(after);
    await networks.reconnect(before, after, init, managed.paths.bundle, hostnameOf(container, id));
  }

  async restoreNetwork(managed: ManagedContainer): Promise<void> {
    const { observer, networks } = this.#options;
    const { process } = await observer.look(managed);
    if (process.state === 'Running') await networks.restore(managed.record, process.init);
  }

  async restoreLimits(managed: ManagedContainer): Promise<void> {
    const { process } = await this.#options.observer.look(managed);
    if (process.state !== 'Running') return; // it will start with its limits, in its control groups
    const { native, layout } = this.#options;
    for (const { folder } of await strayedFrom(native, layout, managed)) await writeFile(path.join(folder, 'cgroup.procs'), String(process.init.pid));
    await this.#writeLimits(managed);
  }

  /** Those that aren't as the record says. What the old value of another forbids (memory beyond memory and swap) is written behind that. */
  async #writeLimits(managed: ManagedContainer): Promise<void> {
    const { native, layout } = this.#options;
    const wrong = (await limitDrift(native, layout, managed)).map(({ limit }) => limit);
    const refused = await refusedOf(wrong);
    const [first] = await refusedOf(refused.map(({ limit }) => limit));
    if (first === undefined) return;
    const fix = errnoOf(first.error) === 'EBUSY' ? { fix: 'more than that is in use: allow more, or stop the container first' } : {};
    throw new MooringError('Unavailable', `container ${managed.record.name}: write ${first.limit.wanted} to ${first.limit.file}`, { cause: first.error, ...fix });
  }
}

/** Writes them in turn, and gives back those that the kernel did not take. */
async function refusedOf(limits: readonly LimitFile[]): Promise<{ readonly limit: LimitFile; readonly error: unknown }[]> {
  const refused: { readonly limit: LimitFile; readonly error: unknown }[] = [];
  for (const limit of limits) {
    try {
      await writeFile(limit.file, limit.wanted);
    } catch (error) {
      refused.push({ limit, error });
    }
  }
  return refused;
}
