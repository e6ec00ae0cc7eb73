import { chmod, mkdir, rm } from 'node:fs/promises';

import type { BlobWriter } from './blob-store.ts';
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
  await using writer = await room.images.blobs.writer();
  return await (changes.consume ? consume(room, changes, writer, held) : copy(room, changes, writer, held));
}

/** The archive is written, and the folder itself becomes the layer. */
async function consume(room: ImageRoom, { upper, parent, signal }: ChangesToKeep, writer: BlobWriter, held: Hold): Promise<KeptLayer> {
  await room.layers.clean(upper, signal);
  for await (const piece of room.layers.pack({ ...upper, omitEmpty: [] }, signal)) await writer.write(piece);
  const layer = await keepArchive(writer, parent, held);
  await room.layers.adopt(upper.folder, layer.chainId, held);
  return layer;
}

/** The folder stays in use: what is written to the archive is unpacked at the same time. */
async function copy(room: ImageRoom, { upper, parent, signal }: ChangesToKeep, writer: BlobWriter, held: Hold): Promise<KeptLayer> {
  const folder = room.dataDir.temporaryPath();
  await mkdir(folder);
  try {
    await chmod(folder, 0o755); // mkdir's mode is narrowed by the umask
    await room.layers.unpackInto(folder, written(room.layers.pack(upper, signal), writer), signal);
    const layer = await keepArchive(writer, parent, held);
    await room.layers.adopt(folder, layer.chainId, held);
    return layer;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What passes through is written, too. */
async function* written(pieces: AsyncIterable<Buffer>, writer: BlobWriter): AsyncGenerator<Buffer, void, void> {
  for await (const piece of pieces) {
    await writer.write(piece);
    yield piece;
  }
}

async function keepArchive(writer: BlobWriter, parent: Digest | undefined, held: Hold): Promise<KeptLayer> {
  const { digest, size } = await writer.finish();
  // The archive is kept as it is, so its digest is that of its content.
  const chainId = parent === undefined ? digest : digestOf(`${parent} ${digest}`);
  await held.expect([digest, chainId]);
  await writer.commit(held);
  return { descriptor: { mediaType: TAR_LAYER_TYPE, digest, size }, diffId: digest, chainId };
}
