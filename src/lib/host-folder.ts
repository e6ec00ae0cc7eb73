import { stat } from 'node:fs/promises';

import { readBootId } from './boot-id.ts';

/** A folder as one process sees it, said so that another knows whether it sees the same: it may be on another machine, or have another root. */
export interface HostFolder {
  /** Absolute. */
  readonly path: string;
  /** `DEVICE:INODE` (stat(2)). */
  readonly identity: string;
  readonly bootId: string;
}

export async function hostFolder(path: string): Promise<HostFolder> {
  const [{ dev, ino }, bootId] = await Promise.all([stat(path, { bigint: true }), readBootId()]);
  return { path, identity: `${dev}:${ino}`, bootId };
}
