import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, readlink, rm } from 'node:fs/promises';
import path from 'node:path';

import { z } from 'zod';

import { errnoOf, MooringError } from '../../lib/errors.ts';
import { formatImageReference, parseImageReference } from '../../spec/image-reference.ts';
import type { ImageRecord } from '../store/image-records.ts';
import type { BlobStore } from './blob-store.ts';
import { type Compression, peek } from './compression.ts';
import { type Digest, digestOf, parseDigest } from './digest.ts';
import { giveName } from './naming.ts';
import { CONFIG_TYPE, type Descriptor, GZIP_LAYER_TYPE, type ImageManifest, MANIFEST_TYPE, parseConfig, parseManifest, TAR_LAYER_TYPE, ZSTD_LAYER_TYPE } from './oci-image.ts';
import type { Hold } from './pins.ts';
import { choosePlatform, hostPlatform } from './platform.ts';
import type { ImageRoom } from './room.ts';
import { expectImage, layersOf } from './stored-image.ts';

const MAX_JSON_BYTES = 8 * 2 ** 20;
const MAX_LINKS = 8;

const dockerSchema = z.array(z.object({ Config: z.string(), RepoTags: z.array(z.string()).nullish(), Layers: z.array(z.string()) }));

/** What an archive says of one image, wherever in it that stands. */
interface Found {
  readonly manifest: ImageManifest;
  readonly manifestContent: Buffer;
  readonly config: Buffer;
  /** Files of the layers' blobs in the folder, in the manifest's order. */
  readonly layerFiles: readonly string[];
  readonly names: readonly string[];
}

/**
 * Takes in the images of a docker-archive or an OCI layout. The archive is unpacked like a layer, in a process shut in with a temporary
 * folder, and then read from there: it is a stranger's no less.
 */
export async function loadImages(room: ImageRoom, archive: AsyncIterable<Buffer>, signal: AbortSignal | undefined): Promise<ImageRecord[]> {
  const folder = room.dataDir.temporaryPath();
  await mkdir(folder);
  try {
    await room.layers.unpackInto(folder, archive, signal);
    const files = new ArchiveFiles(folder);
    using held = room.pins.open();
    const found = await findImages(room, files, held);
    const records: ImageRecord[] = [];
    for (const image of found) records.push(...(await takeIn(room, image, files, held)));
    return records;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** manifest.json has the names; where an archive has both, as current Docker writes it, index.json keeps the original manifests. */
async function findImages(room: ImageRoom, files: ArchiveFiles, held: Hold): Promise<Found[]> {
  const docker = await files.json('manifest.json');
  const index = await files.json('index.json');
  if (docker === undefined && index === undefined) throw new MooringError('Invalid', 'the archive holds no images: it has neither manifest.json nor index.json', { fix: 'to make an image of a file system\'s archive, use "mooring image import"' });
  const layouts = index === undefined ? [] : await fromLayout(index, files);
  if (docker === undefined) return layouts;
  const listed = await fromDocker(room, docker, files, held);
  return listed.map((image) => {
    const original = layouts.find(({ manifest }) => manifest.config.digest === image.manifest.config.digest);
    return original ? { ...original, names: [...new Set([...image.names, ...original.names])] } : image;
  });
}

async function fromLayout(index: Buffer, files: ArchiveFiles): Promise<Found[]> {
  const parsed = parseManifest(index, 'index.json');
  if (!('index' in parsed)) throw new MooringError('Invalid', 'index.json of the archive is no index');
  const found: Found[] = [];
  for (const entry of parsed.index.manifests) {
    let content = await files.blob(entry.digest);
    let below = parseManifest(content, `manifest ${entry.digest}`);
    if ('index' in below) {
      content = await files.blob(choosePlatform(below.index, hostPlatform(), `index ${entry.digest}`).digest);
      below = parseManifest(content, `manifest ${entry.digest}`);
    }
    if (!('manifest' in below)) throw new MooringError('Invalid', `index ${entry.digest} of the archive is an index of indexes`);
    const name = entry.annotations?.['io.containerd.image.name'] ?? nameLike(entry.annotations?.['org.opencontainers.image.ref.name']);
    const { manifest } = below;
    found.push({
      manifest,
      manifestContent: content,
      config: await files.blob(manifest.config.digest),
      layerFiles: manifest.layers.map(({ digest }) => blobPath(digest)),
      names: name === undefined ? [] : [name],
    });
  }
  return found;
}

/** A layout's reference may be a bare tag, which names nothing without a repository. */
function nameLike(reference: string | undefined): string | undefined {
  return reference !== undefined && /[/:]/.test(reference) ? reference : undefined;
}

/** Old archives have no manifests of ours: one is made, of the config as it is and the layers as they lie there. */
async function fromDocker({ images }: ImageRoom, docker: Buffer, files: ArchiveFiles, held: Hold): Promise<Found[]> {
  const { success, data } = dockerSchema.safeParse(JSON.parse(docker.toString()));
  if (!success) throw new MooringError('Invalid', 'manifest.json of the archive is malformed');
  const found: Found[] = [];
  for (const { Config, RepoTags, Layers } of data) {
    const config = await files.content(Config);
    const layers: Descriptor[] = [];
    for (const layer of Layers) layers.push(await describe(images.blobs, files, layer, held));
    const manifest: ImageManifest = { schemaVersion: 2, mediaType: MANIFEST_TYPE, config: { mediaType: CONFIG_TYPE, digest: digestOf(config), size: config.length }, layers };
    found.push({ manifest, manifestContent: Buffer.from(JSON.stringify(manifest)), config, layerFiles: Layers, names: RepoTags ?? [] });
  }
  return found;
}

/** Copies a layer into the store and says what it is. */
async function describe(blobs: BlobStore, files: ArchiveFiles, file: string, held: Hold): Promise<Descriptor> {
  await using writer = await blobs.writer();
  const { compression, content } = await peek(await files.stream(file));
  for await (const piece of content) await writer.write(piece);
  const { digest, size } = await writer.commit(held);
  return { mediaType: layerType(compression), digest, size };
}

export function layerType(compression: Compression): string {
  return { none: TAR_LAYER_TYPE, gzip: GZIP_LAYER_TYPE, zstd: ZSTD_LAYER_TYPE }[compression];
}

async function takeIn(room: ImageRoom, { manifest, manifestContent, config: configContent, layerFiles, names }: Found, files: ArchiveFiles, held: Hold): Promise<ImageRecord[]> {
  const { blobs } = room.images;
  const config = parseConfig(configContent, 'the config of an image in the archive', manifest.layers.length);
  const layers = layersOf(manifest, config);
  const manifestDigest = digestOf(manifestContent);
  await expectImage(room, manifestDigest, manifest, layers, held);
  for (const [index, { descriptor, chainId, diffId }] of layers.entries()) {
    if ((await blobs.sizeOf(descriptor.digest)) !== descriptor.size) {
      await using writer = await blobs.writer(descriptor);
      for await (const piece of await files.stream(layerFiles[index] ?? '')) await writer.write(piece);
      await writer.commit(held);
    }
    await room.layers.ensure({ chainId, diffId, blob: blobs.file(descriptor.digest) }, held);
  }
  await blobs.put([configContent, manifestContent], held);
  // Without a name nothing would hold it: it gets the one that its ID gives.
  const given = names.length === 0 ? [`mooring.local/loaded:${manifest.config.digest.slice('sha256:'.length, 'sha256:'.length + 12)}`] : names;
  const records = given.map((name): ImageRecord => ({
    name: formatImageReference(parseImageReference(name)),
    imageId: manifest.config.digest,
    manifestDigest,
    repoDigest: null,
    chainIds: layers.map(({ chainId }) => chainId),
    createdAt: Date.now(),
  }));
  for (const record of records) await giveName(room, record);
  return records;
}

function blobPath(digest: Digest): string {
  return `blobs/${parseDigest(digest).replace(':', '/')}`;
}

/** Files of an unpacked archive. Links are followed within it only, as old Docker made them for layers that images share. */
class ArchiveFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Undefined where there is no such file. */
  async json(name: string): Promise<Buffer | undefined> {
    return (await readdir(this.#folder)).includes(name) ? this.content(name) : undefined;
  }

  async blob(digest: Digest): Promise<Buffer> {
    const content = await this.content(blobPath(digest));
    if (digestOf(content) !== digest) throw new MooringError('Invalid', `blob ${digest} of the archive has other content`);
    return content;
  }

  async content(name: string): Promise<Buffer> {
    await using handle = await this.#open(name);
    if ((await handle.stat()).size > MAX_JSON_BYTES) throw new MooringError('Invalid', `"${name}" of the archive is larger than ${MAX_JSON_BYTES} bytes`);
    return await handle.readFile();
  }

  async stream(name: string): Promise<AsyncIterable<Buffer>> {
    return (await this.#open(name)).createReadStream({ highWaterMark: 256 * 1024 });
  }

  async #open(name: string) {
    let parts = inside(name);
    for (let links = 0; links <= MAX_LINKS; links++) {
      const link = await this.#firstLink(parts, name);
      if (link === undefined) return open(path.join(this.#folder, ...parts), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      parts = inside(link);
    }
    throw new MooringError('Invalid', `"${name}" of the archive is a loop of links`);
  }

  /** The path with its first symbolic link replaced by what that says; undefined when there is none. Anything but a regular file is refused. */
  async #firstLink(parts: readonly string[], name: string): Promise<string | undefined> {
    for (let count = 1; count <= parts.length; count++) {
      const here = parts.slice(0, count);
      const found = await lstat(path.join(this.#folder, ...here)).catch((cause: unknown) => {
        if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') throw new MooringError('Invalid', `the archive lacks "${name}"`, { cause });
        throw cause;
      });
      if (found.isSymbolicLink()) return path.posix.join(here.slice(0, -1).join('/'), await readlink(path.join(this.#folder, ...here)), ...parts.slice(count));
      if (count === parts.length && !found.isFile()) throw new MooringError('Invalid', `"${name}" of the archive is not a file`);
    }
    return undefined;
  }
}

/** The components of a path that stays inside. */
function inside(name: string): string[] {
  const clean = path.posix.normalize(name);
  if (clean === '.' || clean.startsWith('/') || clean === '..' || clean.startsWith('../')) throw new MooringError('Invalid', `"${name}" leads out of the archive`);
  return clean.split('/').filter((part) => part !== '');
}
