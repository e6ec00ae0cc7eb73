import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ApiTokens } from '../api/tokens.ts';
import { LocalBuildEngine } from '../engine/build/build-engine.ts';
import type { BuildEngine } from '../engine/builds.ts';
import { createContainerEngine } from '../engine/containers/container-engine.ts';
import type { OwnedContainerEngine } from '../engine/containers/owned-container-engine.ts';
import type { FileEngine } from '../engine/files.ts';
import { createFileEngine } from '../engine/files/file-engine.ts';
import { FileWatch } from '../engine/files/file-watch.ts';
import type { FileWatcher } from '../engine/file-watcher.ts';
import { ensureBusyboxImage } from '../engine/images/busybox-image.ts';
import { createImageEngine } from '../engine/images/image-engine.ts';
import { ImageStore } from '../engine/images/image-store.ts';
import type { RegistrySettings } from '../engine/images/registry/registry-settings.ts';
import type { ImageEngine } from '../engine/images.ts';
import { BuildCacheRecords } from '../engine/store/build-cache-records.ts';
import { ContainerRecords } from '../engine/store/container-records.ts';
import { DataDir } from '../engine/store/data-dir.ts';
import { Database } from '../engine/store/database.ts';
import { DesiredRecords } from '../engine/store/desired-records.ts';
import { EventRecords } from '../engine/store/event-records.ts';
import { FactsRecords } from '../engine/store/facts-records.ts';
import { TokenRecords } from '../engine/store/token-records.ts';
import { systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { loadNative } from '../native/addon.ts';
import type { DesiredStore, SourceName } from '../reconcile/desired.ts';
import { openDesiredStore } from '../reconcile/desired-store.ts';
import { createEventLog } from '../reconcile/event-log.ts';
import type { EventLog } from '../reconcile/events.ts';
import type { Facts, FactsStore } from '../reconcile/facts.ts';
import { resourceHash } from '../spec/hash.ts';
import type { GroundSettings } from './settings.ts';

/** What a daemon and a take-down without one stand on: everything below the reconciler, with the containers of before taken up again. */
export interface Ground {
  readonly engine: OwnedContainerEngine;
  readonly images: ImageEngine;
  readonly folders: DataDir;
  readonly builds: BuildEngine;
  readonly files: FileEngine;
  readonly fileWatcher: FileWatcher;
  readonly desired: DesiredStore;
  readonly facts: FactsStore;
  readonly events: EventLog;
  readonly tokens: ApiTokens;
}

/** Where the build left the native part. The bundles lie in ROOT/dist, in a checkout as in an installed tree. */
const NATIVE = new URL('../native/build/', import.meta.url);

export const NATIVE_ADDON = fileURLToPath(new URL('mooring.node', NATIVE));

/** Opens everything in order; `opened` closes it in reverse. The folders and the instance are this process's alone until then. */
export async function openGround({ dataDir, runDir, instance, sandboxes = 0 }: GroundSettings & { readonly sandboxes?: number }, registries: RegistrySettings, logger: Logger, opened: AsyncDisposableStack): Promise<Ground> {
  await mkdir(runDir, { recursive: true, mode: 0o755 });
  const database = await Database.open(dataDir);
  opened.defer(() => database.close());
  const native = loadNative(NATIVE_ADDON);
  const folders = await DataDir.open(dataDir);
  const images = new ImageStore(folders, database, registries.defaultRegistry);
  const engine = await createContainerEngine({
    dataDir: folders,
    runDir,
    instance,
    native,
    database,
    images,
    logger,
    runtimePath: fileURLToPath(new URL('mooring-runtime', NATIVE)),
    sandboxes,
  });
  opened.defer(() => engine.close());
  await engine.adopt();
  await engine.collect();
  await ensureBusyboxImage(images);
  const records = new ContainerRecords(database);
  const archiver = fileURLToPath(new URL('mooring-archive', NATIVE));
  const steps = new BuildCacheRecords(database);
  const cached = (): string[] => steps.list().flatMap(({ diffId, chainId }) => [diffId, chainId]);
  const imageEngine = createImageEngine({ dataDir: folders, images, archiver, registries, containers: () => records.users(), cached, onFlushFailed: (error) => logger.error({ err: error }, 'images could not be flushed to disk') });
  opened.defer(() => imageEngine.close());
  for (const { name, message } of await imageEngine.recover()) logger.warn({ image: name, message }, 'an image had not reached the disk when the machine went down: pull, load or build it again');
  const builds = new LocalBuildEngine({ room: imageEngine.room, images: imageEngine, native, transients: engine.transients, database });
  opened.defer(() => builds.close());
  const fileWatcher = new FileWatch({ native, files: engine.files, containers: folders.containers, archiver, clock: systemClock, logger });
  opened.defer(() => fileWatcher.close());
  return {
    engine,
    folders,
    images: imageEngine,
    builds,
    files: createFileEngine({ files: engine.files, images: imageEngine, archiver }),
    fileWatcher,
    desired: openDesiredStore({ records: new DesiredRecords<SourceName>(database), hashOf: resourceHash, logger }),
    facts: new FactsRecords<Facts>(database),
    events: createEventLog(new EventRecords(database), systemClock, logger),
    tokens: new ApiTokens(new TokenRecords(database), systemClock),
  };
}
