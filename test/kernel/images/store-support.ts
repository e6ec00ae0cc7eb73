import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { ensureBusyboxImage } from '../../../src/engine/images/busybox-image.ts';
import { createImageEngine, type OwnedImageEngine } from '../../../src/engine/images/image-engine.ts';
import { ImageStore } from '../../../src/engine/images/image-store.ts';
import { plainRegistries, type RegistrySettings } from '../../../src/engine/images/registry/registry-settings.ts';
import type { LayerBounds } from '../../../src/engine/images/unpack-layer.ts';
import { findCredentials } from '../../../src/lib/docker-config.ts';
import { DataDir } from '../../../src/engine/store/data-dir.ts';
import { Database } from '../../../src/engine/store/database.ts';

/** Given where the program that asks has been bundled elsewhere. */
export const archiver = process.env['MOORING_ARCHIVER'] ?? path.resolve(import.meta.dirname, '../../../native/build/mooring-archive');

export interface TestStore extends AsyncDisposable {
  readonly root: string;
  readonly engine: OwnedImageEngine;
  readonly images: ImageStore;
  readonly dataDir: DataDir;
  readonly database: Database;
}

export interface TestStoreOptions extends Partial<RegistrySettings> {
  readonly bounds?: LayerBounds;
  readonly containers?: () => { readonly name: string; readonly imageId: string }[];
  readonly busybox?: boolean;
  /** An existing place, which is then not removed. */
  readonly root?: string;
}

/** An image store of its own, without a daemon. Disposing of it removes it. */
export async function openStore({ bounds, containers = () => [], busybox = false, root: given, ...registries }: TestStoreOptions = {}): Promise<TestStore> {
  const root = given ?? (await mkdtemp(path.join(tmpdir(), 'mooring-images-')));
  const dataDir = await DataDir.open(path.join(root, 'data'));
  const database = await Database.open(path.join(root, 'data'));
  const images = new ImageStore(dataDir, database, registries.defaultRegistry);
  if (busybox) await ensureBusyboxImage(images);
  const engine = createImageEngine({
    dataDir,
    images,
    archiver,
    containers,
    registries: { ...plainRegistries, certsDir: path.join(root, 'certs.d'), credentials: (registry) => findCredentials(registry, path.join(root, 'config.json')), ...registries },
    onFlushFailed: (error) => console.error('flush', error),
    ...(bounds && { bounds }),
  });
  return {
    root,
    engine,
    images,
    dataDir,
    database,
    async [Symbol.asyncDispose]() {
      await engine.close();
      database.close();
      if (given === undefined) await rm(root, { recursive: true });
    },
  };
}

export async function* once(content: Buffer): AsyncGenerator<Buffer, void, void> {
  yield content;
}
