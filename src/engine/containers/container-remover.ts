import { rm } from 'node:fs/promises';
import path from 'node:path';

import { messageOf, MooringError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Native } from '../../native/native.ts';
import type { ContainerNetworks } from '../network/container-networks.ts';
import type { ContainerRecords } from '../store/container-records.ts';
import type { DataDir } from '../store/data-dir.ts';
import { writeBundle } from './bundle-files.ts';
import { removeCgroup, removeCgroupIfEmpty } from './cgroup-folders.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import type { ConfigFolders } from './config-folders.ts';
import type { ContainerFiles } from './container-files.ts';
import type { ContainerObserver } from './container-observer.ts';
import type { ManagedContainer } from './managed-container.ts';

export interface ContainerRemoverOptions {
  readonly native: Native;
  readonly dataDir: DataDir;
  readonly logger: Logger;
  readonly layout: CgroupLayout;
  /** The cgroup that all containers' cgroups are in. */
  readonly cgroupParent: string;
  readonly records: ContainerRecords;
  readonly observer: ContainerObserver;
  readonly files: ContainerFiles;
  readonly networks: ContainerNetworks;
  readonly configs: ConfigFolders;
  /** Its record is gone: the engine knows it no more. */
  readonly forget: (managed: ManagedContainer) => void;
  /** Whether no container is left that has its cgroup in the parent. */
  readonly isParentUnused: () => boolean;
}

/** Takes away what containers have on disk and in the kernel: all of it, or what they have written. */
export class ContainerRemover {
  readonly #options: ContainerRemoverOptions;
  /** Deletions under way of what has left its place already. */
  readonly #disposals = new Set<Promise<void>>();
  #parentRemoval: Promise<void> = Promise.resolve();

  constructor(options: ContainerRemoverOptions) {
    this.#options = options;
  }

  /** Settles with the removal under way of the cgroup that all others are in; a start waits for it, so that it can't fall into its middle. */
  get parentRemoval(): Promise<void> {
    return this.#parentRemoval;
  }

  /** Throws away what it has written. Throws `Conflict` while its process runs. */
  async reset(managed: ManagedContainer): Promise<void> {
    using _ = await this.#options.files.exclude(managed.record.id);
    const { paths } = managed;
    const { snapshot, process } = await this.#options.observer.look(managed);
    requireEnded(managed, process.state, 'reset');
    for (const folder of [paths.upper, paths.work]) this.#dispose((await this.#options.dataDir.discard(folder)).discarded);
    // A damaged bundle is written with the next start.
    if (snapshot.configText !== undefined) await writeBundle(paths, snapshot.configText);
  }

  /** Throws `Conflict` while its process runs. */
  async remove(managed: ManagedContainer): Promise<void> {
    const { native, dataDir, layout, records, observer, files, networks, configs, forget } = this.#options;
    const { record, paths } = managed;
    using _ = await files.exclude(record.id);
    requireEnded(managed, (await observer.look(managed)).process.state, 'removed');
    observer.unfollow(managed);
    managed.sandbox?.dismiss();
    const [grave] = await Promise.all([dataDir.discard(paths.bundle), removeCgroup(native, layout, paths.cgroup), rm(paths.stateDir, { recursive: true, force: true }), rm(paths.shm, { recursive: true, force: true }), ...(record.config === undefined ? [] : [configs.remove(record.id)])]);
    this.#dispose(grave.discarded);
    // The record goes last: wherever a crash comes before this line, the next daemon sees a container to be removed.
    records.delete(record.id);
    forget(managed);
    await networks.removed(record.id);
    await this.removeParentIfUnused();
  }

  /** The cgroups of sandboxes that nothing was started in. */
  async removeSandboxes(ids: readonly string[]): Promise<void> {
    const { native, layout, cgroupParent } = this.#options;
    await Promise.all(ids.map((id) => removeCgroup(native, layout, path.join(cgroupParent, id))));
    if (ids.length > 0) await this.removeParentIfUnused();
  }

  /** The cgroup that all others are in goes with the last of them. */
  async removeParentIfUnused(): Promise<void> {
    const { layout, cgroupParent, isParentUnused } = this.#options;
    if (!isParentUnused()) return;
    this.#parentRemoval = removeCgroupIfEmpty(layout, cgroupParent);
    await this.#parentRemoval;
  }

  /** Settles once all that has left its place is deleted. */
  async close(): Promise<void> {
    await Promise.all(this.#disposals);
  }

  #dispose(discarded: Promise<void>): void {
    const disposal = discarded
      .catch((error: unknown) => this.#options.logger.warn({ error: messageOf(error) }, 'delete a removed container: the rest goes when the daemon starts again'))
      .finally(() => this.#disposals.delete(disposal));
    this.#disposals.add(disposal);
  }
}

function requireEnded({ record }: ManagedContainer, state: string, doing: string): void {
  if (state === 'Running' || state === 'Creating') throw new MooringError('Conflict', `container ${record.name} can't be ${doing} while its process runs`, { fix: 'stop or kill it first' });
}
