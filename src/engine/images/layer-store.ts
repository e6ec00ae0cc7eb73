import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { errnoOf, MooringError } from '../../lib/errors.ts';
import { Semaphore } from '../../lib/semaphore.ts';
import type { DataDir } from '../store/data-dir.ts';
import { type Digest, hexOf, parseDigest } from './digest.ts';
import { ArchiverProcess } from './archiver-process.ts';
import type { BlobFile } from './blob-file.ts';
import { cleanUpper, growUpperInto, packUpperInto, type Upper } from './pack-upper.ts';
import type { Hold } from './pins.ts';
import { type LayerBlob, type LayerBounds, type Unpacked, unpackLayer } from './unpack-layer.ts';

export interface LayerSource {
  readonly chainId: Digest;
  /** What its uncompressed archive must hash to. */
  readonly diffId: Digest;
  readonly blob: LayerBlob;
  /** Settles once the archive has proven right. The layer gets its place after that. */
  readonly verified?: Promise<unknown>;
}

/** Layers unpacked at once: as many as a pull downloads, since each is unpacked as it comes. */
const CONCURRENCY = 3;

/** Unpacked layers, a folder each under the hexadecimal half of its chain ID. A folder that is there is whole. */
export class LayerStore {
  readonly #dataDir: DataDir;
  readonly #archiver: string;
  readonly #bounds: LayerBounds;
  readonly #underWay = new Map<Digest, Promise<void>>();
  readonly #slots = new Semaphore(CONCURRENCY);

  constructor(dataDir: DataDir, archiver: string, bounds: LayerBounds) {
    this.#dataDir = dataDir;
    this.#archiver = archiver;
    this.#bounds = bounds;
  }

  folder(chainId: Digest): string {
    return path.join(this.#dataDir.layers, hexOf(chainId));
  }

  async has(chainId: Digest): Promise<boolean> {
    try {
      return (await stat(this.folder(chainId))).isDirectory();
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  async list(): Promise<Digest[]> {
    return (await readdir(this.#dataDir.layers)).map((hex) => parseDigest(`sha256:${hex}`));
  }

  async remove(chainId: Digest): Promise<void> {
    await (await this.#dataDir.discard(this.folder(chainId))).discarded;
  }

  /** Holds these layers, and gives those that are not there. What is there must not be named in the ledger again: it would come into doubt, and with it the containers that stand on it. */
  async missing(chainIds: readonly Digest[], held: Hold): Promise<Digest[]> {
    await held.add(chainIds);
    const there = await Promise.all(chainIds.map((chainId) => this.has(chainId)));
    return chainIds.filter((_, index) => !there[index]);
  }

  /** Has the layer unpacked, unless it is: once, however many ask for it at a time. */
  async ensure(layer: LayerSource, held: Hold): Promise<void> {
    await held.expect({ layers: await this.missing([layer.chainId], held) });
    return this.restore(layer);
  }

  /** The same for a layer that the ledger of flushes names already. */
  async restore(layer: LayerSource): Promise<void> {
    const underWay = this.#underWay.get(layer.chainId);
    // What came for another may end with that.
    if (underWay) return underWay.catch(() => this.restore(layer));
    const work = this.#slots.run(() => this.#unpack(layer)).finally(() => this.#underWay.delete(layer.chainId));
    this.#underWay.set(layer.chainId, work);
    return work;
  }

  /** Makes an unpacked folder the layer, unless that is there: then the folder stays for the caller to remove. */
  async adopt(folder: string, chainId: Digest, held: Hold): Promise<void> {
    const missing = await this.missing([chainId], held);
    await held.expect({ layers: missing });
    if (missing.length > 0) await this.#dataDir.place(folder, this.folder(chainId));
  }

  /** Unpacks any archive, within a layer's bounds and confinement, into an empty folder. */
  unpackInto(folder: string, blob: LayerBlob, signal?: AbortSignal): Promise<Unpacked> {
    return unpackLayer({ archiver: this.#archiver, blob, folder, bounds: this.#bounds, ...(signal && { signal }) });
  }

  /** Writes the changes in a container's writable folder, as the archive of a layer, to a blob. Gives its digest. */
  packInto(blob: BlobFile, upper: Upper, signal?: AbortSignal): Promise<Digest> {
    return packUpperInto(this.#archiver, upper, blob.fd, signal);
  }

  /** The same for who reads the blob meanwhile, and hashes it: a byte for each time that it has grown. */
  growInto(blob: BlobFile, upper: Upper, signal?: AbortSignal): AsyncGenerator<Buffer, void, void> {
    return growUpperInto(this.#archiver, upper, blob.fd, signal);
  }

  /** Makes a writable folder that nobody uses any more what unpacking its archive would make. */
  clean(upper: Upper, signal?: AbortSignal): Promise<void> {
    return cleanUpper(this.#archiver, upper, signal);
  }

  /** Puts the entries of an archive (everything becomes root's) into a folder of the image that `lower` (top first) holds, over an empty `upper` and `work`. */
  async putInto({ lower, upper, work }: { readonly lower: readonly string[]; readonly upper: string; readonly work: string }, folder: string, archive: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<void> {
    using process = new ArchiverProcess(this.#archiver, ['put', folder, ...lower.flatMap((layer) => ['--lower', layer]), '--upper', upper, '--work', work], { signal });
    await process.feed(archive, 'put a file into an image');
  }

  async #unpack({ chainId, diffId, blob, verified }: LayerSource): Promise<void> {
    if (await this.has(chainId)) return;
    const half = this.#dataDir.temporaryPath();
    await mkdir(half);
    try {
      await chmod(half, 0o755); // mkdir's mode is narrowed by the umask; an archive may say another
      const unpacked = await this.unpackInto(half, blob);
      if (unpacked.diffId !== diffId) throw new MooringError('Invalid', `unpack layer: its content is ${unpacked.diffId}, and the image's config says ${diffId}`);
      await verified;
      await this.#dataDir.place(half, this.folder(chainId));
    } catch (error) {
      await rm(half, { recursive: true, force: true });
      throw error;
    }
  }
}
