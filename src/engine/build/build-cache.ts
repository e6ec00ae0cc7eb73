import { createHash } from 'node:crypto';

import { type Digest, parseDigest } from '../images/digest.ts';
import { diskBytes } from '../images/disk.ts';
import { TAR_LAYER_TYPE } from '../images/oci-image.ts';
import type { Hold } from '../images/pins.ts';
import type { ImageRoom } from '../images/room.ts';
import type { StoredLayer } from '../images/stored-image.ts';
import type { BuildCacheRecord, BuildCacheRecords } from '../store/build-cache-records.ts';
import type { CacheFolders } from './cache-folders.ts';

export interface BuildCacheUsage {
  /** Steps that are remembered, and folders of `RUN --mount=type=cache`. */
  readonly count: number;
  /** Bytes of disk of these folders and of the layers that no image has. */
  readonly bytes: number;
  readonly reclaimable: number;
}

export interface BuildCachePruneOptions {
  /** Only what was not used for so long, in milliseconds. */
  readonly unusedFor?: number;
  readonly dryRun: boolean;
}

/** A step's result as the cache has it. */
export interface CachedStep {
  readonly layer: StoredLayer;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** Part of every key: a change of what a step makes, or of what its key is made of, is a new number. */
const VERSION = 1;

/** What build steps have made, by all that they depend on. Their layers stay in the store until they are pruned here. */
export class BuildCache {
  readonly #records: BuildCacheRecords;
  readonly #room: ImageRoom;
  readonly #folders: CacheFolders;

  constructor(records: BuildCacheRecords, room: ImageRoom, folders: CacheFolders) {
    this.#records = records;
    this.#room = room;
    this.#folders = folders;
  }

  /** Everything that a step depends on, as a key. */
  static key(parts: readonly unknown[]): string {
    return createHash('sha256').update(JSON.stringify([VERSION, ...parts])).digest('hex');
  }

  /** What the step has made before, held; undefined where it is not known, or not in the store any more. */
  async take(key: string, held: Hold): Promise<CachedStep | undefined> {
    const record = this.#records.get(key);
    if (!record) return undefined;
    const diffId = parseDigest(record.diffId);
    const chainId = parseDigest(record.chainId);
    await held.add([diffId, chainId]);
    const { layers, images } = this.#room;
    const isThere = (await layers.has(chainId)) && (await images.blobs.sizeOf(diffId)) === record.size;
    if (!isThere) {
      this.#records.delete(key);
      return undefined;
    }
    this.#records.use(key, Date.now());
    return { layer: { descriptor: { mediaType: TAR_LAYER_TYPE, digest: diffId, size: record.size }, diffId, chainId }, createdAt: record.createdAt };
  }

  put(key: string, { descriptor, diffId, chainId }: StoredLayer, description: string, createdAt: number): void {
    this.#records.put({ key, diffId, chainId, size: descriptor.size, description, createdAt, usedAt: Date.now() });
  }

  async usage(): Promise<BuildCacheUsage> {
    const [records, folders, free] = [this.#records.list(), await this.#folders.list(), await this.prune({ dryRun: true })];
    return { count: records.length + folders.length, bytes: free.bytes, reclaimable: free.bytes };
  }

  /** Forgets steps, and removes cache folders that no build uses. The layers go with the next prune of images. Gives the bytes that then are, or would be, free. */
  async prune({ unusedFor = 0, dryRun }: BuildCachePruneOptions): Promise<{ readonly steps: number; readonly bytes: number }> {
    const latest = Date.now() - unusedFor;
    const leaving = this.#records.list().filter(({ usedAt }) => usedAt <= latest);
    const bytes = await this.#onlyCached(leaving);
    if (!dryRun) for (const { key } of leaving) this.#records.delete(key);
    return { steps: leaving.length, bytes: bytes + (await this.#folders.prune(latest, dryRun)) };
  }

  /** Bytes of what no image's name holds beside the cache. */
  async #onlyCached(records: readonly BuildCacheRecord[]): Promise<number> {
    const named = new Set(this.#room.images.list().flatMap(({ chainIds }) => chainIds));
    const alone = new Map(records.filter(({ chainId }) => !named.has(chainId)).map((record) => [record.chainId, record]));
    const seen = new Set<bigint>();
    let bytes = 0;
    for (const { chainId, diffId } of alone.values()) {
      bytes += await diskBytes(this.#room.layers.folder(chainId as Digest), seen);
      bytes += await diskBytes(this.#room.images.blobs.file(diffId as Digest), seen);
    }
    return bytes;
  }
}
