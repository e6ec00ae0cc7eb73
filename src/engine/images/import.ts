import { mkdir, rm } from 'node:fs/promises';

import { changedConfig } from '../files/commit-config.ts';
import type { ImportOptions } from '../images.ts';
import type { ImageRecord } from '../store/image-records.ts';
import { peek } from './compression.ts';
import { digestOf } from './digest.ts';
import { layerType } from './load.ts';
import { giveName } from './naming.ts';
import { CONFIG_TYPE, type ImageConfig, type ImageManifest, MANIFEST_TYPE } from './oci-image.ts';
import { hostPlatform } from './platform.ts';
import type { ImageRoom } from './room.ts';

/** Makes an image of one layer of an archive, which is kept as it came. */
export async function importImage(room: ImageRoom, archive: AsyncIterable<Buffer>, name: string, { changes = [], message = 'made from an archive', createdBy = 'mooring image import', created: when, signal }: ImportOptions): Promise<ImageRecord> {
  const normalized = room.images.nameOf(name);
  const runtime = changedConfig({}, changes);
  const { blobs } = room.images;
  const { compression, content } = await peek(archive);
  await using writer = await blobs.writer();
  for await (const piece of content) {
    signal?.throwIfAborted();
    await writer.write(piece);
  }
  using held = room.pins.open();
  const { digest, size } = await writer.commit(held);
  const folder = room.dataDir.temporaryPath();
  await mkdir(folder, { mode: 0o755 });
  try {
    const { diffId } = await room.layers.unpackInto(folder, blobs.file(digest), signal);
    // The chain ID of a bottom layer is its diff ID.
    await room.layers.adopt(folder, diffId, held);
    const { os, architecture, variant } = hostPlatform();
    const now = new Date();
    const created = (when ?? now).toISOString();
    const config: ImageConfig = {
      created,
      architecture,
      ...(variant !== undefined && { variant }),
      os,
      config: runtime,
      rootfs: { type: 'layers', diff_ids: [diffId] },
      history: [{ created, created_by: createdBy, comment: message }],
    };
    const configText = JSON.stringify(config);
    const imageId = digestOf(configText);
    const manifest: ImageManifest = {
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: { mediaType: CONFIG_TYPE, digest: imageId, size: Buffer.byteLength(configText) },
      layers: [{ mediaType: layerType(compression), digest, size }],
    };
    const manifestText = JSON.stringify(manifest);
    const manifestDigest = digestOf(manifestText);
    await blobs.put([configText, manifestText], held);
    const record: ImageRecord = { name: normalized, imageId, manifestDigest, repoDigest: null, chainIds: [diffId], createdAt: now.getTime() };
    await giveName(room, record);
    return record;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
