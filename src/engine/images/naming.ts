import type { ImageRecord } from '../store/image-records.ts';
import type { Digest } from './digest.ts';
import type { ImageRoom } from './room.ts';

type NamingRoom = Pick<ImageRoom, 'containers' | 'pins'> & { readonly images: Pick<ImageRoom['images'], 'standing' | 'put' | 'delete'> };

/** Has a name stand for an image that is in the store, and no longer for what it stood for. Waits where `takeNames` does. */
export async function giveName(room: NamingRoom, record: ImageRecord): Promise<void> {
  const before = room.images.standing(record.name);
  if (before && before.imageId !== record.imageId) await settle(room, [before]);
  room.images.put(record);
}

/**
 * Takes names away. After a power failure an image is had back by its name, from its blobs or from where they came; without one nothing could bring back what containers
 * stand on, so that this is on disk before the name goes.
 */
export async function takeNames(room: NamingRoom, records: readonly ImageRecord[]): Promise<void> {
  await settle(room, records);
  for (const { name } of records) room.images.delete(name);
}

async function settle({ containers, pins }: NamingRoom, leaving: readonly ImageRecord[]): Promise<void> {
  const used = new Set(containers().map(({ imageId }) => imageId));
  const lost = leaving.filter(({ imageId }) => used.has(imageId));
  await pins.settle({ blobs: lost.map(({ imageId }) => imageId as Digest), layers: lost.flatMap(({ chainIds }) => chainIds as readonly Digest[]) });
}
