import type { ImageDetails } from '../../engine/images.ts';
import { listContainers } from './container-list.ts';
import type { DockerServices } from './docker-services.ts';
import { Filters } from './filters.ts';
import { listImages } from './image-lookup.ts';
import { imageEntry } from './image-object.ts';
import { listVolumes } from './volume-lookup.ts';
import { volumeObject, volumeUsers } from './volume-routes.ts';

/** `SystemDataUsageResponse`. */
export async function diskUsage(services: DockerServices): Promise<Record<string, unknown>> {
  const { images, volumes, builds } = services;
  const all = { all: true, size: true, limit: undefined, before: undefined, since: undefined, filters: new Filters(new Map()) };
  const [stored, containers, found, cache] = await Promise.all([listImages(images), listContainers(services, all), listVolumes(services), builds.cacheUsage()]);
  const shares = sharesOf(stored);
  const used = await Promise.all(found.map(async (volume) => ({ ...volumeObject(volume), UsageData: { RefCount: volumeUsers(services, volume).length, Size: await volumes.usage(volume.key) } })));
  return {
    LayersSize: sumOf(shares.values()),
    Images: stored.map((image) => ({ ...imageEntry(image), Containers: image.containers.length, ...sizesOf(image, shares) })),
    Containers: containers,
    Volumes: used,
    BuildCache: cache.count === 0 ? [] : [cacheEntry(cache)],
    BuilderSize: cache.bytes,
  };
}

/** A blob, and how many images have it. */
interface Share {
  readonly size: number;
  readonly images: number;
}

export function sharesOf(images: readonly BlobsOf[]): ReadonlyMap<string, Share> {
  const shares = new Map<string, Share>();
  for (const image of images) for (const [digest, size] of blobsOf(image)) shares.set(digest, { size, images: (shares.get(digest)?.images ?? 0) + 1 });
  return shares;
}

/**
 * What clients work out from these is the sum of all blobs without what images in use have for themselves alone, so that config and layers must count there as they do in the
 * sum: each once, however often an image has it.
 */
export function sizesOf(image: BlobsOf, shares: ReadonlyMap<string, Share>): { readonly Size: number; readonly VirtualSize: number; readonly SharedSize: number } {
  const own = [...blobsOf(image).keys()].flatMap((digest) => shares.get(digest) ?? []);
  const size = sumOf(own);
  return { Size: size, VirtualSize: size, SharedSize: sumOf(own.filter(({ images }) => images > 1)) };
}

type BlobsOf = Pick<ImageDetails, 'id' | 'size' | 'layerDigests'>;

/** Sizes by digest. The config's is what an image has beside its layers. */
function blobsOf({ id, size, layerDigests }: BlobsOf): Map<string, number> {
  return new Map([[id, size - sumOf(layerDigests)], ...layerDigests.map((layer) => [layer.digest, layer.size] as const)]);
}

export function sumOf(parts: Iterable<{ readonly size: number }>): number {
  return [...parts].reduce((sum, { size }) => sum + size, 0);
}

/** Mooring's cache of builds is one thing: its steps and folders share their layers. */
function cacheEntry({ count, bytes }: Awaited<ReturnType<DockerServices['builds']['cacheUsage']>>): Record<string, unknown> {
  return { ID: 'mooring', Parent: '', Type: 'regular', Description: `${count} remembered steps and cache folders`, InUse: false, Shared: false, Size: bytes, CreatedAt: new Date().toISOString(), LastUsedAt: null, UsageCount: count };
}
