import { chmod, mkdir, rm } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type { BlobFile } from './blob-file.ts';
import { type Digest, digestOf } from './digest.ts';
import { type Descriptor, TAR_LAYER_TYPE } from './oci-image.ts';
import type { Upper } from './pack-upper.ts';
import type { Hold } from './pins.ts';
import type { ImageRoom } from './room.ts';

export interface ChangesToKeep {
  readonly upper: Upper;
  /** Chain ID of the layers below; undefined where there are none. */
  readonly parent: Digest | undefined;
  /** The folder is not needed any more: it becomes the layer, or stays for the caller to remove where the store has that layer already. */
  readonly consume: boolean;
  /** Around the reading of a folder that stays in use. */
  readonly whilePacking?: <T>(pack: () => Promise<T>) => Promise<T>;
  readonly signal?: AbortSignal;
}

/** A layer that is in the store, packed and unpacked. */
export interface KeptLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly chainId: Digest;
}

/** Makes a layer of what a container changed. It costs what was changed, however large the image below is. The caller's `held` keeps it until an image names it. */
export async function keepChanges(room: ImageRoom, changes: ChangesToKeep, held: Hold): Promise<KeptLayer> {
  await using blob = await room.images.blobs.newFile();
  return await (changes.consume ? consume(room, changes, blob, held) : copy(room, changes, blob, held));
}

/** The archive is written, and the folder itself becomes the layer. */
async function consume(room: ImageRoom, { upper, parent, signal }: ChangesToKeep, blob: BlobFile, held: Hold): Promise<KeptLayer> {
  await room.layers.clean(upper, signal);
  const diffId = await room.layers.packInto(blob, { ...upper, omitEmpty: [] }, signal);
  const layer = await keepArchive(room, { blob, diffId, parent }, held);
  await room.layers.adopt(upper.folder, layer.chainId, held);
  return layer;
}

/** The folder stays in use: the archive is unpacked, and by that hashed, while it is written. */
async function copy(room: ImageRoom, { upper, parent, whilePacking = (pack) => pack(), signal }: ChangesToKeep, blob: BlobFile, held: Hold): Promise<KeptLayer> {
  const folder = room.dataDir.temporaryPath();
  const growth = new PassThrough();
  const packed = whilePacking(() => pipeline(room.layers.growInto(blob, upper, signal), growth));
  packed.catch((error: Error) => growth.destroy(error));
  try {
    await mkdir(folder);
    await chmod(folder, 0o755); // mkdir's mode is narrowed by the umask
    const { diffId } = await room.layers.unpackInto(folder, { open: () => blob.open(), growth }, signal);
    await packed;
    const layer = await keepArchive(room, { blob, diffId, parent }, held);
    await room.layers.adopt(folder, layer.chainId, held);
    return layer;
  } finally {
    growth.destroy();
    await packed.catch(() => {}); // told already, or a consequence of what is
    await rm(folder, { recursive: true, force: true });
  }
}

async function keepArchive(room: ImageRoom, { blob, diffId, parent }: { readonly blob: BlobFile; readonly diffId: Digest; readonly parent: Digest | undefined }, held: Hold): Promise<KeptLayer> {
  const chainId = parent === undefined ? diffId : digestOf(`${parent} ${diffId}`);
  await held.expect({ blobs: [diffId], layers: await room.layers.missing([chainId], held) });
  // The archive is kept as it is, so its digest is that of its content.
  const size = await blob.place(diffId, held);
  return { descriptor: { mediaType: TAR_LAYER_TYPE, digest: diffId, size }, diffId, chainId };
}
