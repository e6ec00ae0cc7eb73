import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { errnoOf, MooringError } from '../../lib/errors.ts';
import type { CgroupLayout } from './cgroup-layout.ts';

/** How long a cgroup's processes may take to stand still. One in uninterruptible sleep (a dead network file system) never does. */
const PATIENCE_MS = 10_000;

/** The two interfaces of the kernel's freezer (cgroups(7); kernel, admin-guide/cgroup-v2, "cgroup.freeze"). */
interface Freezer {
  readonly file: string;
  readonly frozen: string;
  readonly thawed: string;
  /** Says when it has come about. */
  readonly isFrozen: () => Promise<boolean>;
}

/** Stops every process of a cgroup where it is; settles once all stand still. They notice nothing but the time. */
export async function freeze(layout: CgroupLayout, cgroupPath: string): Promise<void> {
  const freezer = freezerOf(layout, cgroupPath);
  if (!freezer) throw new MooringError('Unsupported', 'no cgroup hierarchy of this host has a freezer', { fix: 'go without the pause' });
  await writeFile(freezer.file, freezer.frozen);
  const deadline = Date.now() + PATIENCE_MS;
  for (let pause = 1; !(await freezer.isFrozen()); pause = Math.min(pause * 2, 50)) {
    if (Date.now() > deadline) {
      await writeFile(freezer.file, freezer.thawed);
      throw new MooringError('Unavailable', `freeze cgroup ${cgroupPath}: a process in it does not stand still after ${PATIENCE_MS / 1000} s`, {
        fix: 'look for processes in uninterruptible sleep (ps -o pid,stat,wchan), or go without the pause',
      });
    }
    await sleep(pause);
  }
}

/** Lets them run on. False where none was frozen, or the cgroup is gone. */
export async function thaw(layout: CgroupLayout, cgroupPath: string): Promise<boolean> {
  const freezer = freezerOf(layout, cgroupPath);
  if (!freezer || !(await isFrozen(layout, cgroupPath))) return false;
  try {
    await writeFile(freezer.file, freezer.thawed);
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** Whether they stand still, or are about to. False where the cgroup is gone. */
export async function isFrozen(layout: CgroupLayout, cgroupPath: string): Promise<boolean> {
  const freezer = freezerOf(layout, cgroupPath);
  if (!freezer) return false;
  try {
    return (await readFile(freezer.file, 'utf8')).trim() !== freezer.thawed;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** The file that says so, which tells of writes to it; undefined where this host has no freezer. */
export function freezerFile(layout: CgroupLayout, cgroupPath: string): string | undefined {
  return freezerOf(layout, cgroupPath)?.file;
}

function isGone(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENODEV';
}

function freezerOf(layout: CgroupLayout, cgroupPath: string): Freezer | undefined {
  const hierarchy = layout.hierarchyOf('freezer');
  if (!hierarchy) return undefined;
  const folder = path.join(hierarchy.mountPoint, cgroupPath);
  if (hierarchy.version === 1) {
    const file = path.join(folder, 'freezer.state');
    return { file, frozen: 'FROZEN', thawed: 'THAWED', isFrozen: async () => (await readFile(file, 'utf8')).trim() === 'FROZEN' };
  }
  return {
    file: path.join(folder, 'cgroup.freeze'),
    frozen: '1',
    thawed: '0',
    isFrozen: async () => /^frozen 1$/m.test(await readFile(path.join(folder, 'cgroup.events'), 'utf8')),
  };
}
