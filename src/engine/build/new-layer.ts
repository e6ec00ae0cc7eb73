import { chainIds, type Digest, digestOf } from '../images/digest.ts';
import { TAR_LAYER_TYPE } from '../images/oci-image.ts';
import type { Hold } from '../images/pins.ts';
import type { ImageRoom } from '../images/room.ts';
import type { StoredLayer } from '../images/stored-image.ts';
import { type ArchiveTimes, layerArchive } from './layer-archive.ts';
import type { LayerContent } from './layer-content.ts';

/** Brings files into the store as a layer on top of `parent`, held by `held` until a name or the cache does. */
export async function newLayer(room: ImageRoom, content: LayerContent, parent: Digest | undefined, times: ArchiveTimes, held: Hold, signal: AbortSignal): Promise<StoredLayer> {
  const { blobs } = room.images;
  await using writer = await blobs.writer();
  for await (const piece of layerArchive(content, times)) {
    signal.throwIfAborted();
    await writer.write(piece);
  }
  const { digest: diffId, size } = await writer.finish();
  const chainId = chainIdOn(parent, diffId);
  await held.expect({ blobs: [diffId], layers: await room.layers.missing([chainId], held) });
  await writer.commit(held);
  await room.layers.ensure({ chainId, diffId, blob: blobs.file(diffId) }, held);
  return { descriptor: { mediaType: TAR_LAYER_TYPE, digest: diffId, size }, diffId, chainId };
}

/** The chain ID of a layer on top of another (OCI image spec, config.md, "Layer ChainID"). */
function chainIdOn(parent: Digest | undefined, diffId: Digest): Digest {
  return parent === undefined ? (chainIds([diffId])[0] ?? diffId) : digestOf(`${parent} ${diffId}`);
}
