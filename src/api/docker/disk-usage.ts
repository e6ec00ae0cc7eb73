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
  const layers = layersOf(stored);
  const used = await Promise.all(found.map(async (volume) => ({ ...volumeObject(volume), UsageData: { RefCount: volumeUsers(services, volume).length, Size: await volumes.usage(volume.key) } })));
  return {
    LayersSize: [...layers.values()].reduce((sum, { size }) => sum + size, 0),
    Images: stored.map((image) => ({ ...imageEntry(image), Containers: image.containers.length, SharedSize: sharedSize(image, layers) })),
    Containers: containers,
    Volumes: used,
    BuildCache: cache.count === 0 ? [] : [cacheEntry(cache)],
    BuilderSize: cache.bytes,
  };
}

type Layers = ReadonlyMap<string, { readonly size: number; readonly users: number }>;

function layersOf(images: readonly ImageDetails[]): Layers {
  const layers = new Map<string, { size: number; users: number }>();
  for (const { layerDigests } of images) {
    for (const { digest, size } of layerDigests) layers.set(digest, { size, users: (layers.get(digest)?.users ?? 0) + 1 });
  }
  return layers;
}

/** Bytes of what other images have, too. */
function sharedSize({ layerDigests }: ImageDetails, layers: Layers): number {
  return layerDigests.reduce((sum, { digest, size }) => sum + ((layers.get(digest)?.users ?? 0) > 1 ? size : 0), 0);
}

/** Mooring's cache of builds is one thing: its steps and folders share their layers. */
function cacheEntry({ count, bytes }: Awaited<ReturnType<DockerServices['builds']['cacheUsage']>>): Record<string, unknown> {
  return { ID: 'mooring', Parent: '', Type: 'regular', Description: `${count} remembered steps and cache folders`, InUse: false, Shared: false, Size: bytes, CreatedAt: new Date().toISOString(), LastUsedAt: null, UsageCount: count };
}
