import { readdir } from 'node:fs/promises';
import path from 'node:path';

import type { BuildEngine } from './builds.ts';
import { diskBytes } from './images/disk.ts';
import type { ImageEngine } from './images.ts';
import type { DataDir } from './store/data-dir.ts';
import type { VolumeEngine } from './volumes.ts';

/** What one kind of thing takes of the node's disk. Bytes are the file system's own (`st_blocks`); the rows don't overlap. */
export interface UsageRow {
  readonly kind: 'Blobs' | 'Layers' | 'Containers' | 'Logs' | 'Volumes' | 'BuildFolders';
  readonly count: number;
  readonly bytes: number;
}

export interface SystemUsage {
  readonly rows: readonly UsageRow[];
  /** What pruning would give back: `images` without a container's or a name's hold, `builds` what only the cache of builds holds, `volumes` that nobody wants. */
  readonly reclaimable: { readonly images: number; readonly builds: number; readonly volumes: number };
}

export interface UsageRooms {
  readonly folders: DataDir;
  readonly images: Pick<ImageEngine, 'diskUsage'>;
  readonly builds: Pick<BuildEngine, 'cacheUsage'>;
  readonly volumes: Pick<VolumeEngine, 'list' | 'inspect' | 'usage'>;
}

/** A container's log and what was rotated away from it. */
const LOG = /^log/;

export async function systemUsage({ folders, images, builds, volumes }: UsageRooms): Promise<SystemUsage> {
  const [stored, cache, containers, kept] = await Promise.all([images.diskUsage(), builds.cacheUsage(), containerUsage(folders.containers), volumeUsage(volumes)]);
  const buildFolders = (await readdir(folders.buildCaches)).length;
  return {
    rows: [
      { kind: 'Blobs', ...stored.blobs },
      { kind: 'Layers', ...stored.layers },
      ...containers,
      { kind: 'Volumes', count: kept.count, bytes: kept.bytes },
      { kind: 'BuildFolders', count: buildFolders, bytes: await bytesIn(folders.buildCaches) },
    ],
    reclaimable: { images: stored.reclaimable, builds: cache.reclaimable, volumes: kept.released },
  };
}

async function containerUsage(folder: string): Promise<UsageRow[]> {
  const ids = await readdir(folder);
  let bytes = 0;
  let logs = 0;
  let logBytes = 0;
  for (const id of ids) {
    for (const name of await readdir(path.join(folder, id)).catch(() => [])) { // gone meanwhile
      const size = await diskBytes(path.join(folder, id, name));
      if (LOG.test(name)) {
        logs++;
        logBytes += size;
      } else bytes += size;
    }
  }
  return [
    { kind: 'Containers', count: ids.length, bytes },
    { kind: 'Logs', count: logs, bytes: logBytes },
  ];
}

async function volumeUsage(volumes: UsageRooms['volumes']): Promise<{ count: number; bytes: number; released: number }> {
  const names = volumes.list();
  let bytes = 0;
  let released = 0;
  for (const name of names) {
    const size = await volumes.usage(name);
    bytes += size;
    if ((await volumes.inspect(name))?.released === true) released += size;
  }
  return { count: names.length, bytes, released };
}

/** Of everything in a folder, without the folder itself. */
async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) bytes += await diskBytes(path.join(folder, name));
  return bytes;
}
