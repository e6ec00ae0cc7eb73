import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, messageOf, MooringError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { API_VERSION } from '../../spec/container.ts';
import { volumeChanged } from '../../spec/hash.ts';
import type { Mount } from '../../spec/mount.ts';
import { containerName, type ContainerName, volumeName, type VolumeName } from '../../spec/name.ts';
import { isBindVolume, isMountVolume, type Volume, VOLUME_IMMUTABLE, volumeResourceSchema } from '../../spec/volume.ts';
import type { ContainerId } from '../engine.ts';
import { diskBytes } from '../images/disk.ts';
import type { DataDir } from '../store/data-dir.ts';
import type { Database } from '../store/database.ts';
import { type VolumeRecord, VolumeRecords } from '../store/volume-records.ts';
import type { VolumeEngine, VolumeState } from '../volumes.ts';
import { copyUp, makeFolder } from './copy-up.ts';
import { FolderWatches } from './folder-watches.ts';
import { VolumeLimits, type VolumeLimitsNative } from './volume-limits.ts';

export interface LocalVolumesOptions {
  readonly dataDir: DataDir;
  readonly database: Database;
  readonly logger: Logger;
  /** The static `mooring-archive` binary. */
  readonly archiver: string;
  readonly native: VolumeLimitsNative;
  /** The folder of a volume that this container has went. */
  readonly hint: (id: ContainerId) => void;
}

/** What of a container the volumes are about. */
export interface VolumeMember {
  readonly id: ContainerId;
  readonly container: { readonly metadata: { readonly namespace: string; readonly name: string } };
}

type VolumeMount = Mount & { readonly volume: NonNullable<Mount['volume']> };

/** Where a container's volume is found. */
export interface FoundVolume {
  readonly volume: Volume;
  /** Folder of its data; undefined where it is a mount of something else. */
  readonly folder: string | undefined;
  /** Whether what the image has there will be copied into it before its first use. */
  readonly willCopy: boolean;
}

/** The part of a volume's folder that containers see. Beside it lies what is being copied. */
const DATA = '_data';

/** Volumes as folders below the data directory, with their records; and the containers that have them. */
export class LocalVolumes implements VolumeEngine {
  readonly #options: LocalVolumesOptions;
  readonly #records: VolumeRecords;
  readonly #watches: FolderWatches;
  readonly #limits: VolumeLimits;
  readonly #listeners = new Set<(name: VolumeName) => void>();
  /** Per volume, the last thing that was begun on its folder. */
  readonly #last = new Map<VolumeName, Promise<unknown>>();

  constructor(options: LocalVolumesOptions) {
    this.#options = options;
    this.#records = new VolumeRecords(options.database);
    this.#limits = new VolumeLimits(options.native);
    this.#watches = new FolderWatches(options.logger, (name) => this.#gone(name));
  }

  async ensure(volume: Volume): Promise<readonly string[]> {
    const name = volumeName(volume.metadata);
    await this.#check(volume);
    return this.#inTurn(name, async () => {
      const before = this.#records.get(name);
      if (before === undefined) {
        await this.#make(name, volume, undefined);
        return [];
      }
      if (before.owner !== undefined) throw new MooringError('Conflict', `volume ${name} is container ${before.owner.container}'s own`, { fix: 'use another name' });
      refuseImmutable(before.volume, volume);
      await this.#limits.refuseLate(before.volume, volume, this.#dataFolder(before));
      const record = { ...before, volume, released: false };
      this.#records.put(record);
      return this.#mend(record);
    });
  }

  list(): readonly VolumeName[] {
    return this.#records.list().map(({ name }) => name);
  }

  async inspect(name: VolumeName): Promise<VolumeState | undefined> {
    const record = this.#records.get(name);
    if (record === undefined) return undefined;
    const { volume, owner, released, createdAt } = record;
    const folder = this.#dataFolder(record);
    const isThere = folder === undefined || (await isPresent(folder));
    return { name, volume, path: folder, createdAt, containers: this.#records.users(name).map((user) => user.name), owner, released, faults: isThere ? [] : [`${folder} is gone`] };
  }

  async usage(name: VolumeName): Promise<number> {
    const record = this.#records.get(name);
    const folder = record && this.#dataFolder(record);
    return folder === undefined ? 0 : diskBytes(folder);
  }

  async remove(name: VolumeName, policy: 'Retain' | 'Delete'): Promise<void> {
    await this.#inTurn(name, async () => {
      const record = this.#records.get(name);
      if (record === undefined) return;
      this.#refuseUsed(name);
      if (policy === 'Retain') this.#records.put({ ...record, released: true });
      else await this.#delete(record);
    });
  }

  async removeOwned(container: ContainerName): Promise<void> {
    for (const { name } of this.#records.ownedBy(container)) await this.remove(name, 'Delete');
  }

  subscribe(listener: (name: VolumeName) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Listens for the folders that a daemon before this one made. */
  async adopt(): Promise<void> {
    for (const record of this.#records.list()) {
      const folder = this.#dataFolder(record);
      if (folder !== undefined && (await isPresent(folder))) this.#watch(record);
    }
  }

  close(): void {
    this.#watches.close();
    this.#listeners.clear();
  }

  /** Where a container's mount finds its volume. `NotFound` for one that is not there. */
  find(member: VolumeMember, mount: VolumeMount): FoundVolume {
    const { name: given, noCopy } = mount.volume;
    const name = this.#nameOf(member, mount);
    const record = this.#records.get(name);
    if (given !== undefined && (record === undefined || record.released)) {
      throw new MooringError('NotFound', `container ${containerName(member.container.metadata)}: there is no volume ${name}, which ${mount.mountPath} is to show`, { fix: 'declare a Volume of that name' });
    }
    const volume = record?.volume ?? ownVolume(member, name);
    const folder = this.#dataFolder(record ?? { volume, folder: folderName(name) });
    const others = this.#records.users(name).filter(({ id }) => id !== member.id);
    return { volume, folder, willCopy: folder !== undefined && !noCopy && others.length === 0 };
  }

  /** The volumes that a container on record has, in the order of their places in it. */
  usedBy(id: ContainerId): { readonly mountPath: string; readonly volume: VolumeName; readonly source: string | undefined }[] {
    return this.#records.usesOf(id).map(({ mountPath, volume }) => {
      const record = this.#records.get(volume);
      return { mountPath, volume, source: record && this.#dataFolder(record) };
    });
  }

  /** Gives a container its volumes, and makes records of those of its own; in the transaction that makes its record. */
  reserve(member: VolumeMember, mounts: readonly Mount[]): void {
    const owner = containerName(member.container.metadata);
    for (const mount of mounts.filter(isVolumeMount)) {
      const { willCopy, volume } = this.find(member, mount);
      const name = this.#nameOf(member, mount);
      if (this.#records.get(name) === undefined) {
        this.#records.put({ name, volume, folder: folderName(name), owner: { container: owner, mountPath: mount.mountPath }, released: false, createdAt: Date.now() });
      }
      this.#records.use({ containerId: member.id, mountPath: mount.mountPath, volume: name, copies: willCopy });
    }
  }

  /** Has the folders of a container's volumes ready for it to start, the image's content copied into those that it is the first to have. */
  async prepare({ id }: VolumeMember, layers: () => Promise<readonly string[]>): Promise<void> {
    for (const { volume: name, mountPath, fresh, copies } of this.#records.usesOf(id)) {
      await this.#inTurn(name, async () => {
        const record = this.#records.get(name);
        const folder = record && this.#dataFolder(record);
        if (record === undefined || folder === undefined) return;
        const mended = await this.#mend(record);
        if (!fresh) return mended.forEach((message) => this.#options.logger.warn({ volume: name }, message));
        if (copies) {
          await using scratch = await this.#options.dataDir.temporaryFolder();
          await copyUp({ archiver: this.#options.archiver, layers: await layers(), mountPath, folder, scratch: scratch.path, own: (copy) => this.#limits.share(record.volume, path.dirname(folder), copy) });
          this.#watch(record);
        }
        this.#records.prepared(id, mountPath);
      });
    }
  }

  /** Everything that can be refused about a volume, before anything of it is made. */
  async #check({ metadata, spec }: Volume): Promise<void> {
    const name = volumeName(metadata);
    if (spec.size !== undefined) await this.#limits.require(name, this.#options.dataDir.volumes);
    const { device } = spec.options;
    if (device === undefined || !device.startsWith('/')) return;
    const found = await statOf(device);
    // The device rules of the container's cgroup, in which the mount is made, forbid to open it; to allow that would give the container the raw device.
    if (found?.isBlockDevice()) {
      throw new MooringError('Unsupported', `volume ${name}: ${device} is a block device, which can't be mounted from within a container`, { fix: 'mount it on the node, and bind that folder: options {o: bind, device: /its/folder}' });
    }
    if (isBindVolume(spec) && found === undefined) {
      throw new MooringError('NotFound', `volume ${name}: ${device}, which it is to show, does not exist`, { fix: `make it on this node: mkdir -p ${device}` });
    }
  }

  async #make(name: VolumeName, volume: Volume, owner: VolumeRecord['owner']): Promise<void> {
    const record: VolumeRecord = { name, volume, folder: folderName(name), owner, released: false, createdAt: Date.now() };
    this.#records.put(record);
    await this.#mend(record);
  }

  /** Makes the folder where it is missing, and tells so, which is of interest where it had been made before. */
  async #mend(record: VolumeRecord): Promise<string[]> {
    const folder = this.#dataFolder(record);
    if (folder === undefined) return [];
    if (await isPresent(folder)) {
      await this.#limits.set(record.volume, path.dirname(folder), folder);
      if (!this.#watches.has(record.name)) this.#watch(record);
      return [];
    }
    // Its limit is there before what it is for.
    await makeFolder(path.dirname(folder));
    await this.#limits.set(record.volume, path.dirname(folder));
    await makeFolder(folder);
    this.#watch(record);
    return [`${folder} was gone, with all that it held; it was made anew, empty`];
  }

  async #delete(record: VolumeRecord): Promise<void> {
    const { dataDir, logger } = this.#options;
    this.#watches.close(record.name);
    await this.#limits.lift(record.volume, path.join(dataDir.volumes, record.folder));
    const grave = await dataDir.discard(path.join(dataDir.volumes, record.folder));
    // The record goes last: wherever a crash comes before this line, there is a volume to be removed.
    this.#records.delete(record.name);
    grave.discarded.catch((error: unknown) => logger.warn({ error: messageOf(error) }, 'delete a removed volume: the rest goes when the daemon starts again'));
  }

  #refuseUsed(name: VolumeName): void {
    const users = this.#records.users(name).map((user) => user.name);
    if (users.length > 0) throw new MooringError('Conflict', `volume ${name} is used by ${users.length === 1 ? 'container' : 'containers'} ${users.join(', ')}`, { fix: 'remove what uses it first' });
  }

  #nameOf({ container: { metadata } }: VolumeMember, { mountPath, volume }: VolumeMount): VolumeName {
    const { namespace } = metadata;
    if (volume.name !== undefined) return volumeName({ namespace, name: volume.name });
    // The same for the container's next making, so that it finds its data again.
    return volumeName({ namespace, name: createHash('sha256').update(`${containerName(metadata)} ${mountPath}`).digest('hex') });
  }

  #dataFolder({ volume, folder }: Pick<VolumeRecord, 'volume' | 'folder'>): string | undefined {
    return isMountVolume(volume.spec) ? undefined : path.join(this.#options.dataDir.volumes, folder, DATA);
  }

  #watch(record: VolumeRecord): void {
    const folder = this.#dataFolder(record);
    if (folder !== undefined) this.#watches.watch(record.name, path.dirname(folder), DATA);
  }

  #gone(name: VolumeName): void {
    for (const listener of this.#listeners) listener(name);
    for (const { id } of this.#records.users(name)) this.#options.hint(id);
  }

  #inTurn<T>(name: VolumeName, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(name) ?? Promise.resolve()).then(work);
    // Whoever asked for it hears of its failure.
    const ended = turn.catch(() => {}).finally(() => {
      if (this.#last.get(name) === ended) this.#last.delete(name);
    });
    this.#last.set(name, ended);
    return turn;
  }
}

export function isVolumeMount(mount: Mount): mount is VolumeMount {
  return mount.volume !== undefined;
}

/** A volume of a container's own, as if it had been declared. */
function ownVolume({ container: { metadata } }: VolumeMember, name: VolumeName): Volume {
  return volumeResourceSchema.parse({
    apiVersion: API_VERSION,
    kind: 'Volume',
    metadata: { namespace: metadata.namespace, name: name.slice(metadata.namespace.length + 1) },
    spec: { reclaimPolicy: 'Delete' },
  });
}

function refuseImmutable(before: Volume, after: Volume): void {
  const changed = volumeChanged(before, after).filter(({ field }) => VOLUME_IMMUTABLE.some((name) => field === `spec.${name}` || field.startsWith(`spec.${name}.`)));
  const [first] = changed;
  if (first === undefined) return;
  throw new MooringError('Conflict', `volume ${volumeName(after.metadata)}: ${first.field} can't be changed from ${first.from} to ${first.to} while its data is there; what is there stays`, {
    fix: 'take the change back, or remove the volume and declare it anew',
  });
}

/** NAME_MAX is less than what a namespace and a name may have together. */
function folderName(name: VolumeName): string {
  const plain = name.replace('/', '_');
  return plain.length <= 200 ? plain : `${plain.slice(0, 100)}_${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
}

async function isPresent(target: string): Promise<boolean> {
  return (await statOf(target)) !== undefined;
}

async function statOf(target: string): Promise<Stats | undefined> {
  try {
    return await stat(target);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
