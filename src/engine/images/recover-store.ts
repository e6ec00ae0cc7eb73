import { messageOf, MooringError } from '../../lib/errors.ts';
import type { LostImage } from '../images.ts';
import type { Digest } from './digest.ts';
import type { ImageRoom } from './room.ts';
import { readStoredImage } from './stored-image.ts';

/**
 * Makes a store trustworthy of which `suspects` may not have reached the disk before the machine went down. A blob proves itself by its digest; of an
 * unpacked layer nothing does, so that it is unpacked again from its blob. Gives the images that can't be had back so: they stay, and say that they are damaged.
 */
export async function recoverStore(room: ImageRoom, suspects: ReadonlySet<Digest>): Promise<LostImage[]> {
  const { blobs } = room.images;
  for (const digest of suspects) {
    if (await room.layers.has(digest)) await room.layers.remove(digest);
    if ((await blobs.sizeOf(digest)) !== undefined && (await blobs.actualDigest(digest)) !== digest) await blobs.remove(digest);
  }
  const lost: LostImage[] = [];
  for (const record of room.images.list()) {
    if (![record.manifestDigest, record.imageId, ...record.chainIds].some((digest) => suspects.has(digest as Digest))) continue;
    try {
      const { layers } = await readStoredImage(room, record);
      for (const { chainId, diffId, descriptor } of layers) {
        if ((await blobs.sizeOf(descriptor.digest)) !== descriptor.size) throw new MooringError('NotFound', `blob ${descriptor.digest} did not reach the disk`);
        await room.layers.restore({ chainId, diffId, blob: blobs.file(descriptor.digest) });
      }
    } catch (error) {
      if (!(error instanceof MooringError)) throw error;
      lost.push({ name: record.name, message: messageOf(error) });
    }
  }
  return lost;
}
