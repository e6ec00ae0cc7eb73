import { MooringError } from '../../lib/errors.ts';
import { formatImageReference, type ImageReference, parseImageReference } from '../../spec/image-reference.ts';
import type { ImageProgress, LayerState, TransferOptions } from '../images.ts';
import type { ImageRecord } from '../store/image-records.ts';
import type { Digest } from './digest.ts';
import { giveName } from './naming.ts';
import { type ImageManifest, parseConfig, parseManifest, type Platform } from './oci-image.ts';
import type { Hold } from './pins.ts';
import { choosePlatform } from './platform.ts';
import { fromEndpoints } from './registry/from-endpoints.ts';
import type { RegistrySettings } from './registry/registry-settings.ts';
import type { FetchedManifest, Repository } from './registry/repository.ts';
import type { ImageRoom } from './room.ts';
import { digestsOf, expectImage, layersOf, type StoredLayer } from './stored-image.ts';

const MAX_CONFIG_BYTES = 8 * 2 ** 20;
/** Downloads of one pull at a time, as Docker has it. */
const DOWNLOADS = 3;
const TELL_EVERY_MS = 100;

/** Fetches an image from a mirror of its registry or from that: what is there already is not fetched, and the name comes last. */
export function pullImage(room: ImageRoom, text: string, platform: Platform, settings: RegistrySettings, options: TransferOptions): Promise<ImageRecord> {
  const reference = parseImageReference(text, settings.defaultRegistry);
  return fromEndpoints(reference, { settings, signal: options.signal }, (repository) => pullFrom(room, repository, reference, platform, options));
}

async function pullFrom(room: ImageRoom, repository: Repository, reference: ImageReference, platform: Platform, options: TransferOptions): Promise<ImageRecord> {
  const name = formatImageReference(reference);
  const { signal, onProgress = () => {} } = options;
  const top = await repository.manifest();
  const { fetched, manifest } = await forPlatform(repository, top, platform, name);
  const { blobs } = room.images;
  using held = room.pins.open();
  await held.add([manifest.config.digest]);
  const storedConfig = await blobs.find(manifest.config.digest);
  const configContent = storedConfig ?? (await repository.blob(manifest.config, MAX_CONFIG_BYTES));
  const config = parseConfig(configContent, `the config of ${name}`, manifest.layers.length);
  if (config.os !== 'linux') throw new MooringError('Unsupported', `${name} is made for ${config.os}`);
  const layers = layersOf(manifest, config);
  await held.add(digestsOf(fetched.digest, manifest, layers));
  onProgress({ type: 'RESOLVED', name, digest: top.digest, layers: layers.map(({ descriptor: { digest, size } }) => ({ digest, size })) });
  const isWhole = storedConfig !== undefined && (await blobs.find(fetched.digest)) !== undefined && (await areThere(room, layers));
  if (isWhole) for (const { descriptor } of layers) onProgress(layerProgress(descriptor, 'Exists', descriptor.size));
  else {
    await expectImage(room, fetched.digest, manifest, layers, held);
    await fetchLayers(room, repository, layers, held, options);
    await blobs.put([configContent, fetched.content], held);
  }
  const record: ImageRecord = {
    name,
    imageId: manifest.config.digest,
    manifestDigest: fetched.digest,
    repoDigest: top.digest,
    chainIds: layers.map(({ chainId }) => chainId),
    createdAt: Date.now(),
  };
  signal?.throwIfAborted();
  await giveName(room, record);
  return record;
}

async function areThere(room: ImageRoom, layers: readonly StoredLayer[]): Promise<boolean> {
  const found = await Promise.all(layers.map((layer) => isThere(room, layer)));
  return found.every(Boolean);
}

async function isThere({ layers, images }: ImageRoom, { chainId, descriptor }: StoredLayer): Promise<boolean> {
  return (await layers.has(chainId)) && (await images.blobs.sizeOf(descriptor.digest)) === descriptor.size;
}

async function forPlatform(repository: Repository, top: FetchedManifest, platform: Platform, name: string): Promise<{ fetched: FetchedManifest; manifest: ImageManifest }> {
  const parsed = parseManifest(top.content, `the manifest of ${name}`);
  if ('manifest' in parsed) return { fetched: top, manifest: parsed.manifest };
  const chosen = choosePlatform(parsed.index, platform, name);
  const fetched = await repository.manifest(chosen);
  const below = parseManifest(fetched.content, `the manifest of ${name}`);
  if (!('manifest' in below)) throw new MooringError('Unsupported', `${name} is an index of indexes`);
  return { fetched, manifest: below.manifest };
}

/** All layers, several at a time. The first failure ends the others, and is thrown once they have ended. */
async function fetchLayers(room: ImageRoom, repository: Repository, layers: readonly StoredLayer[], held: Hold, { signal, onProgress = () => {} }: TransferOptions): Promise<void> {
  const pending = [...layers];
  const failures: unknown[] = [];
  for (const { descriptor } of layers) onProgress(layerProgress(descriptor, 'Waiting', 0));
  const unpacking: Promise<void>[] = [];
  const worker = async (): Promise<void> => {
    for (let layer = pending.shift(); layer !== undefined && failures.length === 0; layer = pending.shift()) {
      const { descriptor, chainId, diffId } = layer;
      signal?.throwIfAborted();
      if (await isThere(room, layer)) {
        onProgress(layerProgress(descriptor, 'Exists', descriptor.size));
        continue;
      }
      const streamed = await fetchBlob(room, repository, layer, held, onProgress);
      onProgress(layerProgress(descriptor, 'Unpacking', descriptor.size));
      const fromFile = (): Promise<void> => room.layers.ensure({ chainId, diffId, blob: room.images.blobs.file(descriptor.digest) }, held);
      // The next download begins meanwhile.
      const unpacked = (streamed?.unpacked.catch((error: unknown) => (isPassing(error) ? fromFile() : Promise.reject(error))) ?? fromFile()).then(() => onProgress(layerProgress(descriptor, 'Done', descriptor.size)));
      unpacking.push(unpacked.catch((error: unknown) => void failures.push(error)));
    }
  };
  const workers = Array.from({ length: DOWNLOADS }, () => worker().catch((error: unknown) => void failures.push(error)));
  await Promise.all(workers);
  await Promise.all(unpacking);
  if (failures.length > 0) throw failures[0];
}

/** Whether another attempt, from the blob that is whole now, may succeed: the transfer may have begun anew in the middle. */
function isPassing(error: unknown): boolean {
  return error instanceof MooringError && error.code === 'Unavailable';
}

/**
 * Brings a layer's blob into the store, unless it is there or comes already for another pull, whose end is then waited for. A layer that is
 * not there is unpacked as its blob comes: gives the end of that.
 */
async function fetchBlob(room: ImageRoom, repository: Repository, layer: StoredLayer, held: Hold, onProgress: (progress: ImageProgress) => void): Promise<{ readonly unpacked: Promise<void> } | undefined> {
  const { digest, size } = layer.descriptor;
  for (let other = room.incoming.get(digest); other !== undefined; other = room.incoming.get(digest)) await other;
  const { promise, resolve } = Promise.withResolvers<void>();
  room.incoming.set(digest, promise);
  try {
    if ((await room.images.blobs.sizeOf(digest)) === size) return undefined;
    return await download(room, repository, layer, held, onProgress);
  } finally {
    room.incoming.delete(digest);
    resolve(); // whoever waited looks for itself whether the blob is there
  }
}

async function download(room: ImageRoom, repository: Repository, { descriptor, chainId, diffId }: StoredLayer, held: Hold, onProgress: (progress: ImageProgress) => void): Promise<{ readonly unpacked: Promise<void> }> {
  const writer = await room.images.blobs.writer(descriptor);
  const verified = Promise.withResolvers<void>();
  verified.promise.catch(() => {}); // who waits for it is told
  const unpacked = room.layers.ensure({ chainId, diffId, blob: writer.follow(), verified: verified.promise }, held);
  unpacked.catch(() => {}); // a failed download ends it, and is what is told
  let toldAt = 0;
  try {
    await repository.download(descriptor, writer, (bytes) => {
      const now = Date.now();
      if (now - toldAt < TELL_EVERY_MS) return;
      toldAt = now;
      onProgress(layerProgress(descriptor, 'Downloading', bytes));
    });
    await writer.commit(held);
  } catch (error) {
    verified.reject(error);
    await writer[Symbol.asyncDispose]();
    await unpacked.catch(() => {}); // so that nothing of it is left when the failure is told
    throw error;
  }
  verified.resolve();
  // The unpacking may still read the file by its handle.
  return { unpacked: closing(unpacked, writer) };
}

async function closing(work: Promise<void>, writer: AsyncDisposable): Promise<void> {
  try {
    await work;
  } finally {
    await writer[Symbol.asyncDispose]();
  }
}

export function layerProgress({ digest, size }: { readonly digest: Digest; readonly size: number }, state: LayerState, bytes: number): ImageProgress {
  return { type: 'LAYER', digest, state, bytes, size };
}
