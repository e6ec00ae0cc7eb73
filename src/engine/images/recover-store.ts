import { messageOf, MooringError } from '../../lib/errors.ts';
import type { LostImage } from '../images.ts';
import { type Digest, parseDigest } from './digest.ts';
import type { Unflushed } from './flush-ledger.ts';
import type { ImageRoom } from './room.ts';
import { readStoredImage } from './stored-image.ts';

/**
 * Makes a store trustworthy of which `suspects` may not have reached the disk before the machine went down. A blob proves itself by its digest; of an
 * unpacked layer nothing does, so that it is unpacked again from its blob. Gives the images that can't be had back so: they stay, and say that they are damaged.
 */
export async function recoverStore(room: ImageRoom, suspects: ReadonlySet<Unflushed>): Promise<LostImage[]> {
  const { blobs } = room.images;
  for (const suspect of suspects) {
    if (isBlob(suspect)) {
      if ((await blobs.sizeOf(suspect)) !== undefined && (await blobs.actualDigest(suspect)) !== suspect) await blobs.remove(suspect);
      continue;
    }
    const chainId = parseDigest(suspect.slice('layer '.length));
    if (await room.layers.has(chainId)) await room.layers.remove(chainId);
  }
  const lost: LostImage[] = [];
  for (const record of room.images.list()) {
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

function isBlob(name: Unflushed): name is Digest {
  return !name.startsWith('layer ');
}
