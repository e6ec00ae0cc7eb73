import { lstat, opendir } from 'node:fs/promises';
import path from 'node:path';

import { errnoOf } from '../../lib/errors.ts';

const STAT_BLOCK = 512;

/** Bytes of disk that a file, or a folder with all in it, takes: what the file system counts. A file with several names counts once. */
export async function diskBytes(target: string, seen: Set<bigint> = new Set()): Promise<number> {
  try {
    const found = await lstat(target, { bigint: true });
    if (found.nlink > 1n && !found.isDirectory()) {
      if (seen.has(found.ino)) return 0;
      seen.add(found.ino);
    }
    let bytes = Number(found.blocks) * STAT_BLOCK;
    if (found.isDirectory()) for await (const { name } of await opendir(target)) bytes += await diskBytes(path.join(target, name), seen);
    return bytes;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0; // gone meanwhile
    throw error;
  }
}
