import { stat } from 'node:fs/promises';
import path from 'node:path';

import { errnoOf, MooringError } from '../../lib/errors.ts';
import { DEFAULT_REGISTRY, formatImageReference, type ImageReference, parseImageReference } from '../../spec/image-reference.ts';
import type { DataDir } from '../store/data-dir.ts';
import type { Database } from '../store/database.ts';
import { type ImageRecord, ImageRecords } from '../store/image-records.ts';
import { BlobStore } from './blob-store.ts';
import { chainIds, type Digest, hexOf, parseDigest } from './digest.ts';
import { type LayerEntry, tarOf, unpackTo } from './layer-entries.ts';
import { CONFIG_TYPE, type ImageConfig, type ImageManifest, type ImageRuntimeConfig, MANIFEST_TYPE, TAR_LAYER_TYPE } from './oci-image.ts';

/** An image that containers can be made from now. */
export interface Image {
  /** Normalised reference. */
  readonly name: string;
  /** Digest of the config blob. */
  readonly id: string;
  readonly config: ImageRuntimeConfig;
  /** Absolute folders of the unpacked layers, top first, as overlayfs takes them. */
  readonly layers: readonly string[];
}

export interface NewImage {
  readonly name: string;
  /** As GOARCH says it: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly config: ImageRuntimeConfig;
  readonly createdBy: string;
  readonly layer: readonly LayerEntry[];
}

/** The images of this node: blobs, unpacked layers, and the names that stand for them. */
export class ImageStore {
  readonly blobs: BlobStore;
  readonly #dataDir: DataDir;
  readonly #records: ImageRecords;
  /** By normalised name. An image never changes; a name that comes to mean another image leaves the cache. */
  readonly #resolved = new Map<string, Promise<Image>>();

  readonly #defaultRegistry: string;

  constructor(dataDir: DataDir, database: Database, defaultRegistry: string = DEFAULT_REGISTRY) {
    this.#defaultRegistry = defaultRegistry;
    this.blobs = new BlobStore(dataDir);
    this.#dataDir = dataDir;
    this.#records = new ImageRecords(database);
  }

  /** What a name means here: `redis` is `docker.io/library/redis:latest`, unless the node has another default registry. Throws `Invalid`. */
  referenceOf(text: string): ImageReference {
    return parseImageReference(text, this.#defaultRegistry);
  }

  /** The one text of what a name means. */
  nameOf(text: string): string {
    return formatImageReference(this.referenceOf(text));
  }

  /** The image that `reference` names, by Docker's rules for short names. `NotFound` when it isn't in the store. */
  async resolve(reference: string): Promise<Image> {
    const name = this.nameOf(reference);
    const known = this.#resolved.get(name);
    if (known) return known;
    const resolving = this.#load(name, reference);
    this.#resolved.set(name, resolving);
    resolving.catch(() => this.#resolved.delete(name));
    return resolving;
  }

  /** Whether everything that containers need of the image of that normalised name is there. */
  async isWhole(name: string): Promise<boolean> {
    try {
      await this.#load(name, name);
      return true;
    } catch (error) {
      if (error instanceof MooringError) return false;
      throw error;
    }
  }

  list(): ImageRecord[] {
    return this.#records.list();
  }

  /** Keeps an image of one layer. Blobs and layer come first and the name last, so that a name never stands for half an image. */
  async add(image: NewImage): Promise<ImageRecord> {
    const tar = await tarOf(image.layer);
    const diffId = await this.blobs.putDurably(tar);
    const [chainId = diffId] = chainIds([diffId]);
    await this.#unpack(chainId, image.layer);

    const epoch = new Date(0).toISOString();
    const config: ImageConfig = {
      created: epoch,
      architecture: image.architecture,
      os: 'linux',
      config: image.config,
      rootfs: { type: 'layers', diff_ids: [diffId] },
      history: [{ created: epoch, created_by: image.createdBy }],
    };
    const configText = JSON.stringify(config);
    const imageId = await this.blobs.putDurably(configText);
    const manifest: ImageManifest = {
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: { mediaType: CONFIG_TYPE, digest: imageId, size: Buffer.byteLength(configText) },
      layers: [{ mediaType: TAR_LAYER_TYPE, digest: diffId, size: tar.length }],
    };
    const manifestDigest = await this.blobs.putDurably(JSON.stringify(manifest));
    const record: ImageRecord = { name: image.name, imageId, manifestDigest, repoDigest: null, chainIds: [chainId], createdAt: Date.now() };
    this.put(record);
    return record;
  }

  /** What a normalised name stands for now. */
  standing(name: string): ImageRecord | undefined {
    return this.#records.get(name);
  }

  /** Has a name stand for an image whose blobs and layers are there. */
  put(record: ImageRecord): void {
    this.#records.put(record);
    this.#resolved.delete(record.name);
  }

  /** Takes a name away; what it stood for stays until it is collected. */
  delete(name: string): void {
    this.#records.delete(name);
    this.#resolved.delete(name);
  }

  /**
   * The names and image that `text` means: a name by Docker's rules, or an image ID, whole or at least its first six digits.
   * `NotFound` when there is none, `Conflict` when the digits begin several.
   */
  find(text: string): { readonly imageId: string; readonly records: readonly ImageRecord[]; readonly named?: ImageRecord } {
    const id = /^(?:sha256:)?([0-9a-f]{6,64})$/.exec(text)?.[1];
    const name = id?.length === 64 || text.startsWith('sha256:') ? undefined : this.nameOf(text);
    const all = this.#records.list();
    const named = all.find((record) => record.name === name);
    const matching = named ? [named] : all.filter((record) => id !== undefined && record.imageId.startsWith(`sha256:${id}`));
    const [first] = matching;
    if (!first) throw this.#notFound(text, name ?? text);
    if (matching.some(({ imageId }) => imageId !== first.imageId)) throw new MooringError('Conflict', `several images begin with "${text}"`, { fix: 'give more of its digits' });
    return { imageId: first.imageId, records: all.filter(({ imageId }) => imageId === first.imageId), ...(named && { named }) };
  }

  async #unpack(chainId: Digest, entries: readonly LayerEntry[]): Promise<void> {
    if (await isFolder(this.#layerFolder(chainId))) return;
    const half = this.#dataDir.temporaryPath();
    await unpackTo(half, entries);
    await this.#dataDir.publish(half, this.#layerFolder(chainId));
  }

  async #load(name: string, reference: string): Promise<Image> {
    const record = this.#records.get(name);
    if (!record) throw this.#notFound(reference, name);
    const id = parseDigest(record.imageId);
    const config = JSON.parse((await this.blobs.read(id)).toString()) as ImageConfig;
    const chain = chainIds(config.rootfs.diff_ids.map(parseDigest));
    const layers = chain.map((chainId) => this.#layerFolder(chainId)).reverse();
    for (const layer of layers) {
      if (await isFolder(layer)) continue;
      throw new MooringError('Unavailable', `image "${name}" is damaged: its layer ${layer} is gone`, {
        fix: `pull or load it again; the daemon's own images are made again when it starts`,
      });
    }
    return { name, id, config: config.config ?? {}, layers };
  }

  #notFound(reference: string, name: string): MooringError {
    const names = this.#records.list().map((record) => record.name);
    const meaning = reference === name ? '' : ` (it means ${name})`;
    return new MooringError('NotFound', `image "${reference}" is not in the store${meaning}`, {
      fix: names.length === 0 ? 'pull it; the store is empty' : `pull it, or use one that is there: ${names.join(', ')}`,
    });
  }

  #layerFolder(chainId: Digest): string {
    return path.join(this.#dataDir.layers, hexOf(chainId));
  }
}

async function isFolder(folder: string): Promise<boolean> {
  try {
    return (await stat(folder)).isDirectory();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
