import { MooringError } from '../../lib/errors.ts';
import type { ImageRecord } from '../store/image-records.ts';
import { digestOf } from './digest.ts';
import type { KeptLayer } from './keep-changes.ts';
import { giveName } from './naming.ts';
import { CONFIG_TYPE, type Descriptor, type ImageConfig, type ImageManifest, type ImageRuntimeConfig, MANIFEST_TYPE } from './oci-image.ts';
import type { Hold } from './pins.ts';
import type { ImageRoom } from './room.ts';
import type { StoredImage } from './stored-image.ts';

export interface LayerToAdd {
  /** Normalised name of the new image. */
  readonly name: string;
  readonly layer: KeptLayer;
  /** In place of the old image's. */
  readonly config?: ImageRuntimeConfig;
  readonly author?: string;
  readonly message?: string;
  /** For the history. */
  readonly createdBy: string;
  readonly held: Hold;
}

/** Digest of a tar archive of nothing. A layer of it would say nothing, and Docker does not know how to take it in. */
const EMPTY_ARCHIVE = digestOf(Buffer.alloc(1024));

/** Names an image of another's layers and one more, which is in the store. Only config and manifest are written. */
export async function addLayer(room: ImageRoom, base: StoredImage, { name, layer, config: runtime = base.config.config ?? {}, author, message, createdBy, held }: LayerToAdd): Promise<ImageRecord> {
  const added = layer.diffId === EMPTY_ARCHIVE ? [] : [layer];
  const now = new Date();
  const created = now.toISOString();
  const config: ImageConfig = {
    ...withoutContainer(base.config),
    created,
    ...(author !== undefined && { author }),
    config: runtime,
    rootfs: { type: 'layers', diff_ids: [...base.config.rootfs.diff_ids, ...added.map(({ diffId }) => diffId)] },
    history: [
      ...(base.config.history ?? []),
      { created, created_by: createdBy, ...(author !== undefined && { author }), ...(message !== undefined && { comment: message }), ...(added.length === 0 && { empty_layer: true }) },
    ],
  };
  const configText = JSON.stringify(config);
  const imageId = digestOf(configText);
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, digest: imageId, size: Buffer.byteLength(configText) },
    layers: [...base.layers.map(({ descriptor }) => inOci(descriptor)), ...added.map(({ descriptor }) => descriptor)],
  };
  const manifestText = JSON.stringify(manifest);
  const manifestDigest = digestOf(manifestText);
  await room.images.blobs.put([configText, manifestText], held);
  const record: ImageRecord = { name, imageId, manifestDigest, repoDigest: null, chainIds: [...base.layers, ...added].map(({ chainId }) => chainId), createdAt: now.getTime() };
  await giveName(room, record);
  return record;
}

/** The one text of a name that is given here. Throws `Invalid` for one that only a registry gives. */
export function newName({ images }: ImageRoom, text: string): string {
  if (images.referenceOf(text).digest !== undefined) throw new MooringError('Invalid', `"${text}" has a digest, which only a registry gives`, { fix: 'write repository:tag' });
  return images.nameOf(text);
}

/** Docker's notes in a config of the container that made the image are not true of this one. */
function withoutContainer(config: ImageConfig): ImageConfig {
  const { container: _, container_config: __, docker_version: ___, ...rest } = config as ImageConfig & Record<string, unknown>;
  return rest;
}

/** One manifest has one family of types. */
function inOci({ mediaType, digest, size }: Descriptor): Descriptor {
  const [, foreign = '', compression = ''] = /^application\/vnd\.docker\.image\.rootfs\.(foreign\.)?diff\.tar(?:\.(gzip|zstd))?$/.exec(mediaType) ?? [];
  if (!mediaType.startsWith('application/vnd.docker.')) return { mediaType, digest, size };
  return { mediaType: `application/vnd.oci.image.layer.${foreign === '' ? '' : 'nondistributable.'}v1.tar${compression === '' ? '' : `+${compression}`}`, digest, size };
}
