import { MooringError } from '../../lib/errors.ts';
import { exists } from '../../lib/exists.ts';
import type { ContainerId, ObservedProcess } from '../engine.ts';
import type { ContainerFileSystem } from '../files/container-file-system.ts';
import { type FileUse, FileUses } from '../files/file-uses.ts';
import { nameFilePaths } from '../network/name-files.ts';
import type { ContainerPaths } from './container-paths.ts';
import type { ContainerSnapshot } from './container-snapshot.ts';
import type { Freezes } from './freezes.ts';
import type { ManagedContainer } from './managed-container.ts';
import { partOf } from './own-mounts.ts';
import { OVERLAY_ANNOTATION, type RootOverlay, type RuntimeConfig } from './runtime-spec.ts';

export interface ContainerFilesOptions {
  readonly freezes: Freezes;
  readonly look: (id: ContainerId) => Promise<{ readonly managed: ManagedContainer; readonly snapshot: ContainerSnapshot; readonly process: ObservedProcess }>;
}

/** Where containers' files are, for those who work on them, and who may do so when. */
export class ContainerFiles {
  readonly #options: ContainerFilesOptions;
  readonly #uses = new FileUses();

  constructor(options: ContainerFilesOptions) {
    this.#options = options;
  }

  /** Nothing starts or removes the container until the use is disposed of, or has been aborted for that. */
  begin(id: ContainerId, signal?: AbortSignal): Promise<FileUse> {
    return this.#uses.begin(id, signal);
  }

  /** For a start or a removal: ends the uses, and lets none begin until the result is disposed of. */
  exclude(id: ContainerId): Promise<Disposable> {
    return this.#uses.exclude(id);
  }

  /** Throws `Conflict` while the container is being started, `Unavailable` while its bundle is damaged. */
  async locate(id: ContainerId): Promise<ContainerFileSystem> {
    const { managed, snapshot, process } = await this.#options.look(id);
    const { record, paths } = managed;
    if (process.state === 'Creating') throw new MooringError('Conflict', `container ${record.name} is being started or is just ending`, { fix: 'try again in a moment' });
    if (snapshot.configText === undefined) throw new MooringError('Unavailable', `the bundle of container ${record.name} is damaged`, { fix: `it is written anew with the next start; see "mooring explain ${record.name}"` });
    const config = JSON.parse(snapshot.configText) as RuntimeConfig;
    const { lower, upper, work } = JSON.parse(config.annotations[OVERLAY_ANNOTATION]) as RootOverlay;
    const init = process.state === 'Running' ? process.init : undefined;
    const binds = config.mounts.filter(({ type }) => type === 'bind').map(({ source, destination, options }) => ({ source, part: partOf(options), place: destination, readOnly: options.includes('ro') || options.includes('rro') }));
    const absent = init === undefined ? await notMadeYet(paths) : [];
    return {
      name: record.name,
      container: record.container,
      imageId: record.imageId,
      init,
      cgroup: paths.cgroup,
      lower,
      upper,
      work,
      readOnly: config.root.readonly,
      mountPoints: [...config.mounts.map(({ destination }) => destination), config.process.cwd],
      binds: binds.filter(({ source }) => !absent.includes(source)),
    };
  }

  /** Does `work` while every process of the container stands still. They run on afterwards, however it ends, unless it is paused. */
  whileFrozen<T>({ cgroup }: ContainerFileSystem, work: () => Promise<T>): Promise<T> {
    return this.#options.freezes.hold(cgroup, work);
  }
}

/** What is bound into a container of its own, and comes to be with its first start. */
async function notMadeYet({ bundle, shm }: ContainerPaths): Promise<string[]> {
  const own = [...Object.values(nameFilePaths(bundle)), shm];
  const made = await Promise.all(own.map((source) => exists(source)));
  return own.filter((_, index) => made[index] === false);
}
