import path from 'node:path';

import { createContainerEngine } from '../../../src/engine/containers/container-engine.ts';
import type { OwnedContainerEngine } from '../../../src/engine/containers/owned-container-engine.ts';
import { ensureBusyboxImage } from '../../../src/engine/images/busybox-image.ts';
import { ImageStore } from '../../../src/engine/images/image-store.ts';
import { DataDir } from '../../../src/engine/store/data-dir.ts';
import { Database } from '../../../src/engine/store/database.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import { loadNative } from '../../../src/native/addon.ts';

/** The built native part, seen from here. */
export const NATIVE = path.resolve(import.meta.dirname, '../../../native/build');

/** An engine as a daemon has it, with what was there before taken up. Its folders can be taken over by another process's once this one has ended. */
export async function runningEngine(root: string, instance: string, native = NATIVE): Promise<{ readonly engine: OwnedContainerEngine; readonly database: Database }> {
  const dataDir = await DataDir.open(path.join(root, 'data'));
  const database = await Database.open(path.join(root, 'data'));
  const images = new ImageStore(dataDir, database);
  await ensureBusyboxImage(images);
  const engine = await createContainerEngine({ dataDir, runDir: path.join(root, 'run'), instance, native: loadNative(path.join(native, 'mooring.node')), database, images, logger: createLogger('silent'), runtimePath: path.join(native, 'mooring-runtime') });
  await engine.adopt();
  await engine.collect();
  return { engine, database };
}
