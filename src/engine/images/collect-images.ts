import type { ImageDiskUsage, PruneOptions, PruneResult } from '../images.ts';
import type { ImageRecord } from '../store/image-records.ts';
import { BUSYBOX_IMAGE } from './busybox-image.ts';
import { chainIds, type Digest, parseDigest } from './digest.ts';
import { diskBytes } from './disk.ts';
import { takeNames } from './naming.ts';
import { parseConfig, parseManifest } from './oci-image.ts';
import type { ImageRoom } from './room.ts';

interface Unreferenced {
  readonly blobs: readonly Digest[];
  readonly layers: readonly Digest[];
}

/** Removes what neither a name nor a container nor an operation under way holds. */
export function prune(room: ImageRoom, { all, dryRun, ...filter }: PruneOptions): Promise<PruneResult> {
  return room.pins.sweep(async () => {
    const used = new Set(room.containers().map(({ imageId }) => imageId));
    const unused = all ? room.images.list().filter(({ name, imageId }) => name !== BUSYBOX_IMAGE && !used.has(imageId)) : [];
    const names = await matching(room, unused, filter);
    const gone = new Set(names.map(({ name }) => name));
    // The names first: killed from here on, the rest is litter that the next sweep finds.
    if (!dryRun) await takeNames(room, names);
    const { blobs, layers } = await unreferenced(room, gone);
    let bytes = 0;
    const seen = new Set<bigint>();
    for (const digest of blobs) bytes += await diskBytes(room.images.blobs.file(digest), seen);
    for (const chainId of layers) bytes += await diskBytes(room.layers.folder(chainId), seen);
    if (!dryRun) {
      // Layers first: a layer without its blob could be neither pushed nor saved.
      for (const chainId of layers) await room.layers.remove(chainId);
      for (const digest of blobs) await room.images.blobs.remove(digest);
    }
    return { names: [...gone].sort(), blobs, layers, bytes };
  });
}

/** The images that a filter means. One that is damaged has neither date nor labels. */
async function matching(room: ImageRoom, records: readonly ImageRecord[], { until, labels = [] }: Pick<PruneOptions, 'until' | 'labels'>): Promise<ImageRecord[]> {
  if (until === undefined && labels.length === 0) return [...records];
  const matches = await Promise.all(
    records.map(async (record) => {
      const config = await room.images.blobs.read(parseDigest(record.imageId)).then((content) => parseConfig(content, record.name), () => undefined);
      const madeAt = Date.parse(config?.created ?? '') || record.createdAt;
      const has = new Map(Object.entries(config?.config?.Labels ?? {}));
      const isMeant = labels.every((label) => {
        const equals = label.indexOf('=');
        return equals < 0 ? has.has(label) : has.get(label.slice(0, equals)) === label.slice(equals + 1);
      });
      return isMeant && (until === undefined || madeAt < until);
    }),
  );
  return records.filter((_, index) => matches[index]);
}

export async function imageDiskUsage(room: ImageRoom): Promise<ImageDiskUsage> {
  const [blobs, layers, free] = await Promise.all([room.images.blobs.list(), room.layers.list(), prune(room, { all: false, dryRun: true })]);
  const seen = new Set<bigint>();
  let blobBytes = 0;
  for (const digest of blobs) blobBytes += await diskBytes(room.images.blobs.file(digest), seen);
  let layerBytes = 0;
  for (const chainId of layers) layerBytes += await diskBytes(room.layers.folder(chainId), seen);
  return { blobs: { count: blobs.length, bytes: blobBytes }, layers: { count: layers.length, bytes: layerBytes }, reclaimable: free.bytes };
}

async function unreferenced(room: ImageRoom, without: ReadonlySet<string>): Promise<Unreferenced> {
  const held = await referenced(room, without);
  const isFree = (digest: Digest): boolean => !held.has(digest) && !room.pins.isHeld(digest);
  const [blobs, layers] = await Promise.all([room.images.blobs.list(), room.layers.list()]);
  return { blobs: blobs.filter(isFree), layers: layers.filter(isFree) };
}

/** Everything that names, containers and the cache of builds hold. Blobs and layers have digests of different things, so one set serves both. */
async function referenced(room: ImageRoom, without: ReadonlySet<string>): Promise<Set<Digest>> {
  const held = new Set<Digest>(room.cached().map(parseDigest));
  for (const record of room.images.list()) {
    if (without.has(record.name)) continue;
    const manifestDigest = parseDigest(record.manifestDigest);
    for (const digest of [manifestDigest, record.imageId, ...record.chainIds]) held.add(parseDigest(digest));
    const parsed = await room.images.blobs.read(manifestDigest).then((content) => parseManifest(content, record.name), () => undefined);
    // A damaged manifest holds what the record itself says, and "check" tells of it.
    if (parsed && 'manifest' in parsed) for (const { digest } of parsed.manifest.layers) held.add(digest);
  }
  for (const { imageId } of room.containers()) {
    const id = parseDigest(imageId);
    if (held.has(id)) continue;
    held.add(id);
    const config = await room.images.blobs.read(id).then((content) => parseConfig(content, imageId), () => undefined);
    for (const chainId of chainIds(config?.rootfs.diff_ids ?? [])) held.add(chainId);
  }
  return held;
}
