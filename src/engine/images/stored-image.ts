import { MooringError } from '../../lib/errors.ts';
import type { ImageRecord } from '../store/image-records.ts';
import { chainIds, type Digest, parseDigest } from './digest.ts';
import { type Descriptor, type ImageConfig, type ImageManifest, MANIFEST_TYPE, parseConfig, parseManifest } from './oci-image.ts';
import type { Hold } from './pins.ts';
import type { ImageRoom } from './room.ts';

/** An image's blobs, read and verified. */
export interface StoredImage {
  readonly record: ImageRecord;
  readonly manifest: ImageManifest;
  readonly manifestContent: Buffer;
  readonly mediaType: string;
  readonly config: ImageConfig;
  /** Bottom first, each with what it unpacks to. */
  readonly layers: readonly StoredLayer[];
}

export interface StoredLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly chainId: Digest;
}

export async function readStoredImage({ images }: Pick<ImageRoom, 'images'>, record: ImageRecord): Promise<StoredImage> {
  const manifestContent = await images.blobs.read(parseDigest(record.manifestDigest));
  const parsed = parseManifest(manifestContent, `the manifest of ${record.name}`);
  if (!('manifest' in parsed)) throw new MooringError('Internal', `image ${record.name} stands for an index`);
  const { manifest } = parsed;
  const config = parseConfig(await images.blobs.read(manifest.config.digest), `the config of ${record.name}`, manifest.layers.length);
  return { record, manifest, manifestContent, mediaType: manifest.mediaType ?? MANIFEST_TYPE, config, layers: layersOf(manifest, config) };
}

export function layersOf(manifest: ImageManifest, config: ImageConfig): StoredLayer[] {
  const diffIds = config.rootfs.diff_ids;
  const chain = chainIds(diffIds);
  return manifest.layers.flatMap((descriptor, index) => {
    const diffId = diffIds[index];
    const chainId = chain[index];
    return diffId === undefined || chainId === undefined ? [] : [{ descriptor, diffId, chainId }];
  });
}

/** Everything that an image keeps in the store. */
export function digestsOf(manifestDigest: Digest, manifest: ImageManifest, layers: readonly StoredLayer[]): Digest[] {
  return [manifestDigest, manifest.config.digest, ...layers.flatMap(({ descriptor, chainId }) => [descriptor.digest, chainId])];
}

/** Has the ledger name what an image brings into the store. */
export async function expectImage(room: Pick<ImageRoom, 'layers'>, manifestDigest: Digest, manifest: ImageManifest, layers: readonly StoredLayer[], held: Hold): Promise<void> {
  const blobs = [manifestDigest, manifest.config.digest, ...layers.map(({ descriptor }) => descriptor.digest)];
  await held.expect({ blobs, layers: await room.layers.missing(layers.map(({ chainId }) => chainId), held) });
}
