import type { ContainerName, VolumeName } from '../spec/name.ts';
import type { Volume } from '../spec/volume.ts';

/** What there is of a volume on the node. */
export interface VolumeState {
  readonly name: VolumeName;
  /** The document that it was made from. */
  readonly volume: Volume;
  /** Folder of its data; undefined where it is a mount of something else. */
  readonly path: string | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Containers that have it, running or not. */
  readonly containers: readonly ContainerName[];
  /** The container whose own it is, and where it has it; undefined for a volume with a resource of its own. */
  readonly owner: { readonly container: ContainerName; readonly mountPath: string } | undefined;
  /** Whether nobody wants it any more, and its data was kept (`reclaimPolicy: Retain`). */
  readonly released: boolean;
  /** What of it is not as it should be, for people; empty when all is well. */
  readonly faults: readonly string[];
}

/** The volumes of the node. Each operation is safe to repeat and to be killed in. */
export interface VolumeEngine {
  /**
   * Has the volume as its document says; one whose data was kept is taken up again. `Conflict` where an immutable field (`VOLUME_IMMUTABLE`) is not as
   * recorded, `Unsupported` for a size where the file system has no quotas, `NotFound` for a folder of the node that is to be bound and is not there.
   * Gives back what had to be mended, for people.
   */
  ensure(volume: Volume): Promise<readonly string[]>;
  /** Everything on record. */
  list(): readonly VolumeName[];
  /** Undefined when there is no such volume. */
  inspect(name: VolumeName): Promise<VolumeState | undefined>;
  /** Bytes of disk that its data takes, as the file system counts them. */
  usage(name: VolumeName): Promise<number>;
  /**
   * Nobody wants it any more: `Delete` takes it away with its data, `Retain` keeps its data on record. `Conflict`, naming them, while containers have it.
   * Nothing happens where there is none.
   */
  remove(name: VolumeName, policy: 'Retain' | 'Delete'): Promise<void>;
  /** Takes away the volumes that are a container's own, once that is wanted no more and gone. */
  removeOwned(container: ContainerName): Promise<void>;
  /** Hints that the folder of a volume went. Returns the function that unsubscribes. */
  subscribe(listener: (name: VolumeName) => void): () => void;
}
