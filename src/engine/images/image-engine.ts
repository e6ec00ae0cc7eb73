import { type Credentials, firstCredentials } from '../../lib/credentials.ts';
import { messageOf, MooringError } from '../../lib/errors.ts';
import { formatImageReference, parseImageReference } from '../../spec/image-reference.ts';
import type { BootstrapOptions, ImageDetails, ImageDiskUsage, ImageEngine, ImageHistoryEntry, ImageSummary, ImportOptions, LoadedImage, LostImage, PruneOptions, PruneResult, RegistryHit, RemoteImage, SaveFormat, StoreProblem, TransferOptions } from '../images.ts';
import type { DataDir } from '../store/data-dir.ts';
import type { ImageRecord } from '../store/image-records.ts';
import { bootstrapDebian } from './bootstrap.ts';
import { checkStore } from './check-store.ts';
import { commitImage, type CommitRequest } from './commit.ts';
import { imageDiskUsage, prune } from './collect-images.ts';
import type { ImageStore } from './image-store.ts';
import { FlushLedger } from './flush-ledger.ts';
import { flushToDisk } from './flush-to-disk.ts';
import { importImage } from './import.ts';
import { insertFile, type InsertRequest } from './insert.ts';
import { LayerStore } from './layer-store.ts';
import { loadImages } from './load.ts';
import { giveName, takeNames } from './naming.ts';
import type { Platform } from './oci-image.ts';
import { Pins } from './pins.ts';
import { hostPlatform } from './platform.ts';
import type { RegistrySettings } from './registry/registry-settings.ts';
import type { ImageRoom } from './room.ts';
import { saveImages } from './save.ts';
import { readStoredImage } from './stored-image.ts';
import { recoverStore } from './recover-store.ts';
import { DEFAULT_LAYER_BOUNDS, type LayerBounds } from './unpack-layer.ts';

export interface ImageEngineOptions {
  readonly dataDir: DataDir;
  readonly images: ImageStore;
  /** The static `mooring-archive` binary. */
  readonly archiver: string;
  readonly registries: RegistrySettings;
  readonly containers: ImageRoom['containers'];
  readonly bounds?: LayerBounds;
  /** Digests of blobs and layers that the cache of builds holds. */
  readonly cached?: ImageRoom['cached'];
  /** Told of what has come in and could not be flushed to disk. */
  readonly onFlushFailed: (error: unknown) => void;
}

/** The engine with what builds share with it. */
export interface OwnedImageEngine extends ImageEngine {
  readonly room: ImageRoom;
  /** Where the machine went down before all was on disk: verifies what is in doubt, and unpacks it again. To be awaited before anything is made of images. */
  recover(): Promise<readonly LostImage[]>;
  close(): Promise<void>;
}

export function createImageEngine(options: ImageEngineOptions): OwnedImageEngine {
  return new LocalImageEngine(options);
}

class LocalImageEngine implements OwnedImageEngine {
  readonly #room: ImageRoom;
  readonly #registries: RegistrySettings;
  readonly #ledger: FlushLedger;
  #lost: readonly LostImage[] = [];

  constructor({ dataDir, images, archiver, registries, containers, bounds = DEFAULT_LAYER_BOUNDS, cached = () => [], onFlushFailed }: ImageEngineOptions) {
    this.#ledger = new FlushLedger({
      dataDir,
      flush: () => flushToDisk(archiver, dataDir.layers),
      recover: async (suspects) => void (this.#lost = await recoverStore(this.#room, suspects)),
      onFailure: onFlushFailed,
    });
    this.#room = { dataDir, images, layers: new LayerStore(dataDir, archiver, bounds), pins: new Pins(this.#ledger), containers, cached, incoming: new Map() };
    this.#registries = registries;
  }

  get room(): ImageRoom {
    return this.#room;
  }

  async recover(): Promise<readonly LostImage[]> {
    await this.#ledger.open();
    return this.#lost;
  }

  close(): Promise<void> {
    return this.#ledger.close();
  }

  async list(): Promise<ImageSummary[]> {
    const byId = Map.groupBy(this.#room.images.list(), ({ imageId }) => imageId);
    return Promise.all(
      [...byId.values()].map((records) =>
        this.#summary(records).catch((error: unknown) => {
          // One damaged image must not hide the others.
          if (error instanceof MooringError) return this.#damaged(records, messageOf(error));
          throw error;
        }),
      ),
    );
  }

  resolves(reference: string): Promise<boolean> {
    return this.#room.images.isWhole(this.#room.images.nameOf(reference));
  }

  async inspect(image: string): Promise<ImageDetails> {
    const { records } = this.#room.images.find(image);
    const { config, layers, record } = await readStoredImage(this.#room, firstOf(records));
    return {
      ...(await this.#summary(records)),
      manifestDigest: record.manifestDigest,
      config,
      layerDigests: layers.map(({ descriptor: { digest, size, mediaType }, diffId, chainId }) => ({ digest, size, mediaType, diffId, chainId })),
    };
  }

  async history(image: string): Promise<ImageHistoryEntry[]> {
    const { config, layers } = await readStoredImage(this.#room, firstOf(this.#room.images.find(image).records));
    const pending = [...layers];
    const entries = (config.history ?? []).map(({ created, created_by, comment, empty_layer }) => {
      const layer = empty_layer === true ? undefined : pending.shift()?.descriptor;
      return { created: created ?? null, createdBy: created_by ?? '', comment: comment ?? '', layer: layer ? { digest: layer.digest, size: layer.size } : null };
    });
    // A config need not tell of all its layers.
    for (const { descriptor } of pending) entries.push({ created: null, createdBy: '', comment: '', layer: { digest: descriptor.digest, size: descriptor.size } });
    return entries.reverse();
  }

  async pull(reference: string, { platform = hostPlatform(), ...options }: TransferOptions & { readonly platform?: Platform } = {}): Promise<ImageSummary> {
    // Loaded when it is first needed: the HTTP client is a sixth of the daemon's start.
    const { pullImage } = await import('./pull.ts');
    const record = await pullImage(this.#room, reference, platform, this.#registriesFor(options), options);
    return this.#summaryOf(record);
  }

  async push(reference: string, options: TransferOptions = {}): Promise<{ readonly digest: string; readonly size: number }> {
    const { pushImage } = await import('./push.ts');
    return pushImage(this.#room, reference, this.#registriesFor(options), options);
  }

  registryOf(reference?: string): string {
    return reference === undefined ? this.#registries.defaultRegistry : this.#room.images.referenceOf(reference).registry;
  }

  async login(registry: string, credentials: Credentials, signal?: AbortSignal): Promise<{ readonly identityToken?: string }> {
    const { login } = await import('./registry/login.ts');
    return login(registry, credentials, this.#registries, signal);
  }

  async search(registry: string, term: string, options: Pick<TransferOptions, 'signal' | 'credentials'> & { readonly limit: number }): Promise<RegistryHit[]> {
    const { searchRegistry } = await import('./registry/search.ts');
    return searchRegistry(registry, term, { limit: options.limit, settings: this.#registriesFor(options), signal: options.signal });
  }

  async describe(reference: string, options: Pick<TransferOptions, 'signal' | 'credentials'> = {}): Promise<RemoteImage> {
    const [{ fromEndpoints }, { describeRemote }] = await Promise.all([import('./registry/from-endpoints.ts'), import('./remote-image.ts')]);
    return fromEndpoints(this.#room.images.referenceOf(reference), { settings: this.#registriesFor(options), signal: options.signal }, (repository) => describeRemote(repository, reference));
  }

  async latestDigest(reference: string, options: Pick<TransferOptions, 'signal' | 'credentials'> = {}): Promise<string> {
    const { fromEndpoints } = await import('./registry/from-endpoints.ts');
    return fromEndpoints(this.#room.images.referenceOf(reference), { settings: this.#registriesFor(options), signal: options.signal }, (repository) => repository.digest());
  }

  standing(reference: string): { readonly imageId: string; readonly repoDigest: string | null } | undefined {
    return this.#room.images.standing(this.#room.images.nameOf(reference));
  }

  async tag(image: string, name: string): Promise<void> {
    const { named, records } = this.#room.images.find(image);
    const reference = this.#room.images.referenceOf(name);
    if (reference.digest !== undefined) throw new MooringError('Invalid', `"${name}" has a digest, which only a registry gives`, { fix: 'write repository:tag' });
    await giveName(this.#room, { ...(named ?? firstOf(records)), name: formatImageReference(reference), repoDigest: null });
  }

  async remove(image: string, { force }: { readonly force: boolean }): Promise<{ readonly names: readonly string[] }> {
    const { named, records, imageId } = this.#room.images.find(image);
    const leaving = named ? [named] : records;
    const users = this.#usersOf(imageId);
    if (users.length > 0 && leaving.length === records.length && !force) {
      throw new MooringError('Conflict', `image ${leaving.map(({ name }) => name).join(', ')} is in use by ${users.join(', ')}`, {
        fix: 'delete these containers first, or take only the name away with --force; the layers stay as long as they run',
      });
    }
    await takeNames(this.#room, leaving);
    return { names: leaving.map(({ name }) => name) };
  }

  save(images: readonly string[], format: SaveFormat): Promise<AsyncIterable<Buffer>> {
    return saveImages(this.#room, images, format);
  }

  async load(archive: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<LoadedImage[]> {
    const records = await loadImages(this.#room, archive, signal);
    return Promise.all(records.map(async (record) => ({ ...(await this.#summaryOf(record)), loadedName: record.name })));
  }

  async bootstrap(name: string, options: BootstrapOptions, onLine: (line: string) => void, signal?: AbortSignal): Promise<ImageSummary> {
    const { sourceDateEpoch: epoch, suite, variant = 'minbase', include = [] } = options;
    return this.import(bootstrapDebian(options, onLine, signal), name, {
      changes: ['CMD ["bash"]'],
      message: 'made from Debian packages',
      createdBy: `mooring image bootstrap debian --suite ${suite} --variant ${variant}${include.length === 0 ? '' : ` --include ${include.join(',')}`}`,
      ...(epoch !== undefined && { created: new Date(epoch * 1000) }),
      ...(signal && { signal }),
    });
  }

  async import(archive: AsyncIterable<Buffer>, name: string, options: ImportOptions = {}): Promise<ImageSummary> {
    return this.#summaryOf(await importImage(this.#room, archive, name, options));
  }

  async insert(request: InsertRequest): Promise<ImageSummary> {
    return this.#summaryOf(await insertFile(this.#room, request));
  }

  async commit(request: CommitRequest): Promise<ImageSummary> {
    return this.#summaryOf(await commitImage(this.#room, request));
  }

  prune(options: PruneOptions): Promise<PruneResult> {
    return prune(this.#room, options);
  }

  diskUsage(): Promise<ImageDiskUsage> {
    return imageDiskUsage(this.#room);
  }

  check(): Promise<StoreProblem[]> {
    return checkStore(this.#room);
  }

  /** A request's own login comes before those that the node has. */
  #registriesFor({ credentials }: Pick<TransferOptions, 'credentials'>): RegistrySettings {
    return credentials ? { ...this.#registries, credentials: firstCredentials(credentials, this.#registries.credentials) } : this.#registries;
  }

  #summaryOf({ imageId }: ImageRecord): Promise<ImageSummary> {
    return this.#summary(this.#room.images.list().filter((record) => record.imageId === imageId));
  }

  #damaged(records: readonly ImageRecord[], damage: string): ImageSummary {
    const { imageId, chainIds, createdAt } = firstOf(records);
    const platform = { os: 'unknown', architecture: 'unknown' };
    return { id: imageId, names: records.map(({ name }) => name), repoDigests: [], platform, created: null, storedAt: createdAt, size: 0, layers: chainIds.length, containers: this.#usersOf(imageId), damage };
  }

  #usersOf(id: string): string[] {
    return this.#room.containers().filter(({ imageId }) => imageId === id).map(({ name }) => name);
  }

  async #summary(records: readonly ImageRecord[]): Promise<ImageSummary> {
    const record = firstOf(records);
    const { config, manifest, layers } = await readStoredImage(this.#room, record);
    return {
      id: record.imageId,
      names: records.map(({ name }) => name),
      repoDigests: records.flatMap(({ name, repoDigest }) => {
        const { registry, repository } = parseImageReference(name);
        return repoDigest === null ? [] : [`${registry}/${repository}@${repoDigest}`];
      }),
      platform: { os: config.os, architecture: config.architecture, ...(config.variant !== undefined && { variant: config.variant }) },
      created: config.created ?? null,
      storedAt: record.createdAt,
      size: manifest.config.size + layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0),
      layers: layers.length,
      containers: this.#usersOf(record.imageId),
    };
  }
}

function firstOf(records: readonly ImageRecord[]): ImageRecord {
  const [first] = records;
  if (!first) throw new MooringError('Internal', 'an image without a name was looked at');
  return first;
}
