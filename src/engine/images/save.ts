import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

import { pack, type Pack } from 'tar-stream';

import { formatImageReference, parseImageReference } from '../../spec/image-reference.ts';
import type { SaveFormat } from '../images.ts';
import { type Digest, digestOf, hexOf, parseDigest } from './digest.ts';
import { INDEX_TYPE } from './oci-image.ts';
import type { ImageRoom } from './room.ts';
import { digestsOf, readStoredImage, type StoredImage } from './stored-image.ts';

const EPOCH = new Date(0);
const blobName = (digest: Digest): string => `blobs/sha256/${hexOf(digest)}`;

/**
 * A tar archive of images with all their blobs: an OCI layout, and for `docker` beside it the two files that `docker load` reads.
 * The same images give the same bytes. Everything that can be refused is refused before the first byte.
 */
export async function saveImages(room: ImageRoom, texts: readonly string[], format: SaveFormat): Promise<AsyncIterable<Buffer>> {
  const chosen = texts.map((text) => {
    const { named, records } = room.images.find(text);
    return named ? [named] : records;
  });
  const images = await Promise.all(chosen.flat().map((record) => readStoredImage(room, record)));
  const archive = pack();
  const held = images.flatMap(({ record, manifest, layers }) => digestsOf(parseDigest(record.manifestDigest), manifest, layers));
  const pins = room.pins.open();
  await pins.add(held);
  void writeArchive(archive, room, images, format).then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))),
  ).finally(() => pins[Symbol.dispose]());
  return archive as unknown as AsyncIterable<Buffer>;
}

async function writeArchive(archive: Pack, room: ImageRoom, images: readonly StoredImage[], format: SaveFormat): Promise<void> {
  await writeText(archive, 'oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const written = new Set<Digest>();
  for (const { record, manifest, layers } of images) {
    for (const digest of [parseDigest(record.manifestDigest), manifest.config.digest, ...layers.map(({ descriptor }) => descriptor.digest)]) {
      if (written.has(digest)) continue;
      written.add(digest);
      await writeBlob(archive, room, digest);
    }
  }
  await writeText(archive, 'index.json', JSON.stringify(indexOf(images)));
  if (format === 'oci') return;
  await writeText(archive, 'manifest.json', JSON.stringify(dockerManifest(images)));
  await writeText(archive, 'repositories', JSON.stringify(repositories(images)));
}

function indexOf(images: readonly StoredImage[]): unknown {
  return {
    schemaVersion: 2,
    mediaType: INDEX_TYPE,
    manifests: images.map(({ record, mediaType, manifestContent }) => ({
      mediaType,
      digest: digestOf(manifestContent),
      size: manifestContent.length,
      annotations: { 'io.containerd.image.name': record.name, 'org.opencontainers.image.ref.name': parseImageReference(record.name).tag ?? 'latest' },
    })),
  };
}

/** One line for each image; all its names in it. */
function dockerManifest(images: readonly StoredImage[]): unknown {
  const byId = Map.groupBy(images, ({ record }) => record.imageId);
  return [...byId.values()].flatMap((same) => {
    const [first] = same;
    if (!first) return [];
    return [{ Config: blobName(first.manifest.config.digest), RepoTags: same.flatMap(({ record }) => tagOf(record.name) ?? []), Layers: first.layers.map(({ descriptor }) => blobName(descriptor.digest)) }];
  });
}

function repositories(images: readonly StoredImage[]): Record<string, Record<string, string>> {
  const found: Record<string, Record<string, string>> = {};
  for (const { record, layers } of images) {
    const { tag, ...rest } = parseImageReference(record.name);
    const top = layers.at(-1);
    if (tag === undefined || !top) continue;
    (found[familiar(formatImageReference({ registry: rest.registry, repository: rest.repository }))] ??= {})[tag] = hexOf(top.chainId);
  }
  return found;
}

function tagOf(name: string): string | undefined {
  const { registry, repository, tag } = parseImageReference(name);
  return tag === undefined ? undefined : familiar(formatImageReference({ registry, repository, tag }));
}

/** Docker writes its own registry's names short. */
function familiar(name: string): string {
  return name.replace(/^docker\.io\/(library\/)?/, '');
}

function writeText(archive: Pack, name: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    archive.entry({ name, mode: 0o644, mtime: EPOCH }, text, (error) => (error ? reject(error) : resolve()));
  });
}

async function writeBlob(archive: Pack, { images: { blobs } }: ImageRoom, digest: Digest): Promise<void> {
  const size = await blobs.sizeOf(digest);
  const source = createReadStream(blobs.file(digest));
  await pipeline(source, archive.entry({ name: blobName(digest), mode: 0o644, mtime: EPOCH, size: size ?? 0 }));
}
