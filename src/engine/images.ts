import type { CredentialFinder, Credentials } from '../lib/credentials.ts';
import type { CommitRequest } from './images/commit.ts';
import type { InsertRequest } from './images/insert.ts';
import type { ImageConfig, Platform } from './images/oci-image.ts';

/** An image, with all its names. Digests are `sha256:<hex>`, times milliseconds since the epoch. */
export interface ImageSummary {
  /** Digest of the config. */
  readonly id: string;
  readonly names: readonly string[];
  /** `repository@digest`, as registries know it. */
  readonly repoDigests: readonly string[];
  readonly platform: Platform;
  /** When it was made, as its config says; null when it doesn't. */
  readonly created: string | null;
  /** When this node got it. */
  readonly storedAt: number;
  /** Bytes of its blobs: what a pull of all of it transfers. */
  readonly size: number;
  readonly layers: number;
  /** `namespace/name` of the containers made from it. */
  readonly containers: readonly string[];
  /** Why it can't be read, where it is damaged: then platform, times and sizes are not known. */
  readonly damage?: string;
}

export interface ImageDetails extends ImageSummary {
  readonly manifestDigest: string;
  readonly config: ImageConfig;
  readonly layerDigests: readonly { readonly digest: string; readonly size: number; readonly mediaType: string; readonly diffId: string; readonly chainId: string }[];
}

export interface ImageHistoryEntry {
  readonly created: string | null;
  readonly createdBy: string;
  readonly comment: string;
  /** The layer that it made, and the bytes of its blob; null where it made none. */
  readonly layer: { readonly digest: string; readonly size: number } | null;
}

/** What a transfer tells as it goes: RESOLVED first, then LAYER at every change of a state and now and then as bytes come. */
export type ImageProgress =
  | { readonly type: 'RESOLVED'; readonly name: string; readonly digest: string; readonly layers: readonly { readonly digest: string; readonly size: number }[] }
  | { readonly type: 'LAYER'; readonly digest: string; readonly state: LayerState; readonly bytes: number; readonly size: number };

export type LayerState = 'Waiting' | 'Downloading' | 'Unpacking' | 'Uploading' | 'Mounted' | 'Exists' | 'Done';

export interface TransferOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ImageProgress) => void;
  /** Asked for a login before those that the node itself has. */
  readonly credentials?: CredentialFinder;
}

export interface ImportOptions {
  /** Dockerfile instructions that say something of the config: `CMD ["sh"]`. */
  readonly changes?: readonly string[];
  /** For the history. */
  readonly message?: string;
  readonly createdBy?: string;
  /** When it was made; without it, now. */
  readonly created?: Date;
  readonly signal?: AbortSignal;
}

/** A root file system of Debian, made from packages. */
export interface BootstrapOptions {
  /** `bookworm`, `stable`, `sid`. */
  readonly suite: string;
  /** As mmdebstrap has it: `minbase` (the default), `essential`, `apt`, `important`, `standard`. */
  readonly variant?: string;
  /** An archive's address; without it, the sources of the node's own apt. */
  readonly mirror?: string;
  /** More packages. */
  readonly include?: readonly string[];
  /** Seconds since the epoch (reproducible-builds.org, SOURCE_DATE_EPOCH): with it, the same packages give the same image. */
  readonly sourceDateEpoch?: number;
}

export interface PruneOptions {
  /** Also the images that no container is made from. */
  readonly all: boolean;
  /** Say only what would go. */
  readonly dryRun: boolean;
  /** Of images that no container is made from, only those made (as their config says, else stored) before that instant. Milliseconds since the epoch. */
  readonly until?: number;
  /** Of these, only those with all of these labels: `key` or `key=value`. */
  readonly labels?: readonly string[];
}

export interface PruneResult {
  readonly names: readonly string[];
  readonly blobs: readonly string[];
  readonly layers: readonly string[];
  /** Bytes of disk given back, or that would be. */
  readonly bytes: number;
}

/** Bytes of disk, as the file system counts them (`st_blocks`); what is shared is counted once. */
export interface ImageDiskUsage {
  readonly blobs: { readonly count: number; readonly bytes: number };
  readonly layers: { readonly count: number; readonly bytes: number };
  /** Of both, what a prune would give back. */
  readonly reclaimable: number;
}

/** A repository that a registry's search found. */
export interface RegistryHit {
  /** As a pull takes it. */
  readonly name: string;
  readonly description: string;
  /** Null where the registry counts none. */
  readonly stars: number | null;
  readonly official: boolean;
}

/** An image of which something had not reached the disk when the machine went down, and which could not be had back from what had. */
export interface LostImage {
  readonly name: string;
  readonly message: string;
}

/** An image of an archive, once for each of its names there. */
export interface LoadedImage extends ImageSummary {
  readonly loadedName: string;
}

/** What a registry keeps under a reference: an index, or a single image. */
export interface RemoteImage {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes of the manifest or the index itself. */
  readonly size: number;
  readonly platforms: readonly Platform[];
}

/** Something in the store that is not as it must be. */
export interface StoreProblem {
  /** An image's name, or a digest. */
  readonly object: string;
  readonly message: string;
}

export type SaveFormat = 'docker' | 'oci';

/** The images of this node. An image is named by any form of reference, or by its ID (six digits or more). */
export interface ImageEngine {
  list(): Promise<ImageSummary[]>;
  inspect(image: string): Promise<ImageDetails>;
  history(image: string): Promise<ImageHistoryEntry[]>;
  /** Whether containers can be made from it now: its name is known, and everything that it stands for is there. */
  resolves(reference: string): Promise<boolean>;
  /** Fetches what is missing, verified, and lets the name stand for it. */
  pull(reference: string, options?: TransferOptions & { readonly platform?: Platform }): Promise<ImageSummary>;
  /** Gives the digest and the bytes of the manifest. */
  push(reference: string, options?: TransferOptions): Promise<{ readonly digest: string; readonly size: number }>;
  /** The registry that a reference means; without one, that of names that name none. */
  registryOf(reference?: string): string;
  /** Tries a login at a registry. Gives the token to keep in place of the password, where the registry's token server gives one. `Conflict` when it is refused. */
  login(registry: string, credentials: Credentials, signal?: AbortSignal): Promise<{ readonly identityToken?: string }>;
  /** `Unsupported` where the registry offers neither a search nor a catalog. */
  search(registry: string, term: string, options: Pick<TransferOptions, 'signal' | 'credentials'> & { readonly limit: number }): Promise<RegistryHit[]>;
  /** What the registry, or a mirror of it, keeps under a reference. Fetches no layer. */
  describe(reference: string, options?: Pick<TransferOptions, 'signal' | 'credentials'>): Promise<RemoteImage>;
  /** The digest that the registry, or a mirror of it, keeps under a tag now. Fetches nothing. */
  latestDigest(reference: string, options?: Pick<TransferOptions, 'signal' | 'credentials'>): Promise<string>;
  /** What a name stands for in the store, whether or not all of it is there; `repoDigest` as `latestDigest` gives it. */
  standing(reference: string): { readonly imageId: string; readonly repoDigest: string | null } | undefined;
  tag(image: string, name: string): Promise<void>;
  /** Takes a name away, or by ID every name, once what containers stand on is on disk. `Conflict` while containers are made from it, unless another name stays, or `force`. */
  remove(image: string, options: { readonly force: boolean }): Promise<{ readonly names: readonly string[] }>;
  /** A tar archive. `docker`: what both `docker load` and readers of OCI layouts take; `oci`: an OCI layout alone. */
  save(images: readonly string[], format: SaveFormat): Promise<AsyncIterable<Buffer>>;
  /** Takes in a docker-archive or oci-archive, plain or compressed. */
  load(archive: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<LoadedImage[]>;
  /** Makes an image of Debian's packages. `onLine` is told what the program says that does it. `Unsupported` where that is not installed. */
  bootstrap(name: string, options: BootstrapOptions, onLine: (line: string) => void, signal?: AbortSignal): Promise<ImageSummary>;
  /** Makes an image of one layer from a tar archive, plain or compressed. */
  import(archive: AsyncIterable<Buffer>, name: string, options?: ImportOptions): Promise<ImageSummary>;
  /** Makes an image of another and one file of the web, in a layer of its own. */
  insert(request: InsertRequest): Promise<ImageSummary>;
  /** Makes an image of another and the changes in a container's writable folder. */
  commit(request: CommitRequest): Promise<ImageSummary>;
  prune(options: PruneOptions): Promise<PruneResult>;
  diskUsage(): Promise<ImageDiskUsage>;
  /** Reads everything and verifies every digest and reference. */
  check(): Promise<StoreProblem[]>;
}
