import type { BuildRequest, BuildResult } from '../builds.ts';
import { digestOf, parseDigest } from '../images/digest.ts';
import { giveName } from '../images/naming.ts';
import { CONFIG_TYPE, type Descriptor, GZIP_LAYER_TYPE, type ImageConfig, type ImageManifest, MANIFEST_TYPE, TAR_LAYER_TYPE, ZSTD_LAYER_TYPE } from '../images/oci-image.ts';
import type { Hold } from '../images/pins.ts';
import type { ImageRoom } from '../images/room.ts';
import type { ImageRecord } from '../store/image-records.ts';
import type { BuiltStage } from './build-session.ts';

/** Makes an image of what the target stage has become, and gives it its names. The names come last, so that none ever stands for half an image. */
export async function keepImage(room: ImageRoom, built: BuiltStage, { tags, labels, outputs }: Pick<BuildRequest, 'tags' | 'labels' | 'outputs'>, held: Hold): Promise<BuildResult & { readonly records: readonly ImageRecord[] }> {
  const { blobs } = room.images;
  const config: ImageConfig = {
    created: new Date(built.createdAt).toISOString(),
    ...(built.author !== undefined && { author: built.author }),
    architecture: built.platform.architecture,
    ...(built.platform.variant !== undefined && { variant: built.platform.variant }),
    os: built.platform.os,
    config: { ...built.config, ...(labels.size > 0 && { Labels: { ...built.config.Labels, ...Object.fromEntries(labels) } }) },
    rootfs: { type: 'layers', diff_ids: built.layers.map(({ diffId }) => diffId) },
    history: built.history,
  };
  const configText = JSON.stringify(config);
  const imageId = digestOf(configText);
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, digest: imageId, size: Buffer.byteLength(configText) },
    layers: built.layers.map(({ descriptor }) => ({ ...descriptor, mediaType: ociType(descriptor) })),
  };
  const manifestText = JSON.stringify(manifest);
  const manifestDigest = digestOf(manifestText);
  await blobs.put([configText, manifestText], held);
  const names = tags.length > 0 ? tags.map((tag) => room.images.nameOf(tag)) : outputs.length > 0 ? [] : [`mooring.local/build:${imageId.slice('sha256:'.length, 'sha256:'.length + 12)}`];
  const records = names.map((name): ImageRecord => ({ name, imageId, manifestDigest, repoDigest: null, chainIds: built.layers.map(({ chainId }) => parseDigest(chainId)), createdAt: Date.now() }));
  for (const record of records) await giveName(room, record);
  return { imageId, manifestDigest, names, records };
}

/** The layers of a base image may bear Docker's names for the same things, which don't belong into an OCI manifest. */
function ociType({ mediaType }: Descriptor): string {
  if (mediaType.endsWith('gzip')) return GZIP_LAYER_TYPE;
  return mediaType.endsWith('zstd') ? ZSTD_LAYER_TYPE : TAR_LAYER_TYPE;
}
