import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { createContainerEngine } from '../../../src/engine/containers/container-engine.ts';
import type { OwnedContainerEngine } from '../../../src/engine/containers/owned-container-engine.ts';
import type { EngineEvent } from '../../../src/engine/engine.ts';
import { ensureBusyboxImage } from '../../../src/engine/images/busybox-image.ts';
import { ImageStore } from '../../../src/engine/images/image-store.ts';
import { DataDir } from '../../../src/engine/store/data-dir.ts';
import { Database } from '../../../src/engine/store/database.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import { loadNative } from '../../../src/native/addon.ts';
import { type Container, containerSchema } from '../../../src/spec/container.ts';
import { until } from '../../support/until.ts';

const runtimePath = path.resolve(import.meta.dirname, '../../../native/build/mooring-runtime');

/** A node of our own: folders, database, cgroups, and engines over them, one after the other as daemons would be. */
export interface TestNode {
  readonly root: string;
  readonly instance: string;
  readonly runDir: string;
  readonly dataDir: DataDir;
  readonly images: ImageStore;
  readonly engine: OwnedContainerEngine;
  readonly events: EngineEvent[];
  /** Lets go of the engine as a stopped daemon would and gives a new one over the same folders. */
  restart(): Promise<OwnedContainerEngine>;
  /** Removes every container that a failed test has left, and the folders. */
  close(): Promise<void>;
}

export async function openNode(sandboxes = 0, place = tmpdir()): Promise<TestNode> {
  const root = await mkdtemp(path.join(place, 'mooring-engine-'));
  const instance = path.basename(root).slice('mooring-'.length);
  const runDir = path.join(root, 'run');
  const events: EngineEvent[] = [];
  const logger = createLogger('silent');
  let database: Database;

  async function open(): Promise<OwnedContainerEngine> {
    const dataDir = await DataDir.open(path.join(root, 'data'));
    database = await Database.open(path.join(root, 'data'));
    const images = new ImageStore(dataDir, database);
    await ensureBusyboxImage(images);
    const engine = await createContainerEngine({ dataDir, runDir, instance, native: loadNative(), database, images, logger, runtimePath, sandboxes });
    engine.subscribe((event) => events.push(event));
    node.dataDir = dataDir;
    node.images = images;
    return engine;
  }

  const node = {
    root,
    instance,
    runDir,
    events,
    dataDir: undefined as unknown as DataDir,
    images: undefined as unknown as ImageStore,
    engine: undefined as unknown as OwnedContainerEngine,
    async restart() {
      await node.engine.close();
      database.close();
      node.engine = await open();
      return node.engine;
    },
    async close() {
      for (const { id, name } of node.engine.list()) {
        await node.engine.kill(id);
        await until('it has ended', async () => !['Running', 'Creating'].includes((await node.engine.observe(name))?.process.state ?? ''));
        await node.engine.remove(id);
      }
      await node.engine.close();
      database.close();
      await rm(root, { recursive: true, force: true });
    },
  };
  node.engine = await open();
  return node;
}

export function containerOf(name: string, spec: Record<string, unknown> = {}): Container {
  return containerSchema.parse({
    apiVersion: 'mooring.dev/v1alpha1',
    kind: 'Container',
    metadata: { name },
    spec: { image: 'mooring.local/busybox', ...spec },
  });
}

/** Runs a command of the container's own in its mount namespace and waits for its end. */
export async function inMountNamespace(pid: number, ...command: readonly string[]): Promise<void> {
  await promisify(execFile)('nsenter', ['--target', String(pid), '--mount', '--pid', '--', ...command]);
}
