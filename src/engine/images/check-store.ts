import { messageOf, MooringError } from '../../lib/errors.ts';
import type { StoreProblem } from '../images.ts';
import type { Digest } from './digest.ts';
import type { ImageRoom } from './room.ts';
import { readStoredImage } from './stored-image.ts';

/** Reads every blob and follows every reference. Finding nothing wrong means that every image can be run, pushed and saved. */
export async function checkStore(room: ImageRoom): Promise<StoreProblem[]> {
  const problems: StoreProblem[] = [];
  for (const digest of await room.images.blobs.list()) {
    const found = await room.images.blobs.actualDigest(digest);
    if (found !== digest) problems.push({ object: digest, message: `the blob's content is ${found}` });
  }
  for (const record of room.images.list()) {
    try {
      const { config, manifest, layers } = await readStoredImage(room, record);
      if (manifest.config.digest !== record.imageId) problems.push({ object: record.name, message: `its manifest names config ${manifest.config.digest}, its record ${record.imageId}` });
      if (layers.length !== config.rootfs.diff_ids.length || layers.some(({ chainId }, index) => chainId !== record.chainIds[index])) problems.push({ object: record.name, message: 'its record names other layers than its config' });
      for (const { descriptor, chainId } of layers) {
        const size = await room.images.blobs.sizeOf(descriptor.digest);
        if (size !== descriptor.size) problems.push({ object: record.name, message: `the blob ${descriptor.digest} of a layer ${size === undefined ? 'is gone' : `has ${size} bytes and should have ${descriptor.size}`}` });
        if (!(await room.layers.has(chainId))) problems.push({ object: record.name, message: `the unpacked layer ${chainId} is gone` });
      }
    } catch (error) {
      if (!(error instanceof MooringError)) throw error;
      problems.push({ object: record.name, message: messageOf(error) });
    }
  }
  for (const { name, imageId } of room.containers()) {
    const size = await room.images.blobs.sizeOf(imageId as Digest);
    if (size === undefined) problems.push({ object: `container ${name}`, message: `its image ${imageId} is gone` });
  }
  return problems;
}
