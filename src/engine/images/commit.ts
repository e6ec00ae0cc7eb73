import { MooringError } from '../../lib/errors.ts';
import type { ImageRecord } from '../store/image-records.ts';
import { addLayer, newName } from './add-layer.ts';
import { keepChanges } from './keep-changes.ts';
import type { ImageRuntimeConfig } from './oci-image.ts';
import type { Upper } from './pack-upper.ts';
import type { ImageRoom } from './room.ts';
import { readStoredImage } from './stored-image.ts';

export interface CommitRequest {
  /** The new image's name. */
  readonly name: string;
  /** Digest of the config of the image that the changes are to. */
  readonly imageId: string;
  readonly upper: Upper;
  /** What the new image says of its processes, given what the old one says. */
  readonly config: (base: ImageRuntimeConfig) => ImageRuntimeConfig;
  readonly author?: string;
  readonly message?: string;
  /** The command that made the changes, for the history. */
  readonly createdBy: string;
  /** Around the reading of `upper` alone. */
  readonly whilePacking: <T>(pack: () => Promise<T>) => Promise<T>;
  readonly signal?: AbortSignal;
}

/** Makes an image of another and the changes to it. Writes only these, the config and the manifest. */
export async function commitImage(room: ImageRoom, request: CommitRequest): Promise<ImageRecord> {
  const { images, pins } = room;
  const name = newName(room, request.name);
  const record = images.list().find(({ imageId }) => imageId === request.imageId);
  if (!record) throw new MooringError('Conflict', `the image that the container was made from (${request.imageId}) has no name any more, and its layers may be gone`, { fix: 'pull or load it again' });
  const base = await readStoredImage(room, record);
  // Before anything is packed: what is wrong with the config should not cost that.
  const runtime = request.config(base.config.config ?? {});

  using held = pins.open();
  await held.add(base.layers.flatMap(({ descriptor, chainId }) => [descriptor.digest, chainId]));
  const parent = base.layers.at(-1)?.chainId;
  const { author, message, createdBy, signal } = request;
  const layer = await keepChanges(room, { upper: request.upper, parent, consume: false, whilePacking: request.whilePacking, ...(signal && { signal }) }, held);
  signal?.throwIfAborted();
  return await addLayer(room, base, { name, layer, config: runtime, createdBy, held, ...(author !== undefined && { author }), ...(message !== undefined && { message }) });
}
