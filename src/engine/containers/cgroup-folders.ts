import { readdir, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { errnoOf, MooringError } from '../../lib/errors.ts';
import type { Native } from '../../native/native.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import { parseStat } from './process-table.ts';

/** How long a cgroup's killed processes may take to leave it. */
const PATIENCE_MS = 5_000;

/**
 * Ends every process in a cgroup or below it, in any hierarchy. They may take a moment to be gone.
 * Gives the pids of their parents, of which those outside of the cgroup are left alone.
 */
export async function killCgroup(native: Native, layout: CgroupLayout, cgroupPath: string): Promise<number[]> {
  const folders = (await Promise.all(layout.foldersOf(cgroupPath).map(foldersBelow))).flat();
  return (await Promise.all(folders.map((folder) => killMembers(native, folder)))).flat();
}

/** Removes a cgroup and what is below it from every hierarchy, ending its processes first. `Unavailable` when they won't go. */
export async function removeCgroup(native: Native, layout: CgroupLayout, cgroupPath: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  await Promise.all(layout.foldersOf(cgroupPath).map((folder) => removeFolder(native, folder, deadline)));
}

/** Removes a cgroup from every hierarchy where it is empty. */
export async function removeCgroupIfEmpty(layout: CgroupLayout, cgroupPath: string): Promise<void> {
  await Promise.all(layout.foldersOf(cgroupPath).map(tryRmdir));
}

/** The processes in a cgroup or below it, in the order of their pids. Every hierarchy has them all: one is asked. */
export async function cgroupPids(native: Native, layout: CgroupLayout, cgroupPath: string): Promise<number[]> {
  const hierarchy = layout.hierarchyOf('pids') ?? layout.hierarchyOf('memory');
  const folders = hierarchy === undefined ? layout.foldersOf(cgroupPath) : [path.join(hierarchy.mountPoint, cgroupPath)];
  const found = await Promise.all((await Promise.all(folders.map(foldersBelow))).flat().map((folder) => members(native, folder)));
  return [...new Set(found.flat())].sort((a, b) => a - b);
}

/** The names of the cgroups right below one, in any hierarchy. */
export async function cgroupChildren(layout: CgroupLayout, cgroupPath: string): Promise<string[]> {
  return [...new Set((await Promise.all(layout.foldersOf(cgroupPath).map(subfolders))).flat())];
}

async function removeFolder(native: Native, folder: string, deadline: number): Promise<void> {
  for (let pause = 1; !(await tryRmdir(folder)); pause = Math.min(pause * 2, 50)) {
    await killMembers(native, folder);
    await Promise.all((await subfolders(folder)).map((name) => removeFolder(native, path.join(folder, name), deadline)));
    if (await tryRmdir(folder)) return;
    if (Date.now() > deadline)
      throw new MooringError('Unavailable', `remove cgroup ${folder}: it still has processes after ${PATIENCE_MS / 1000} s of killing them`, {
        fix: `look for processes in uninterruptible sleep: ps -o pid,stat,wchan:32 -p $(tr '\\n' , <${folder}/cgroup.procs)`,
      });
    await sleep(pause); // the kernel lets go of a cgroup a little after its last process has become a zombie
  }
}

/** Whether the folder is gone now. */
async function tryRmdir(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return true;
    if (errnoOf(error) === 'EBUSY' || errnoOf(error) === 'ENOTEMPTY') return false;
    throw error;
  }
}

/** Gives the pids of those processes' parents. */
async function killMembers(native: Native, folder: string): Promise<number[]> {
  const pids = await members(native, folder);
  const stats = await native.readFiles(pids.map((pid) => `/proc/${pid}/stat`));
  // A pid read before its start time may have changed hands in between; one that is still listed after has not.
  const still = new Set(await members(native, folder));
  const parents: number[] = [];
  for (const [index, pid] of pids.entries()) {
    const stat = stats[index];
    if (!stat || 'errno' in stat || !still.has(pid)) continue;
    const { startTime, parent } = parseStat(stat.text);
    const watch = native.watchProcess({ pid, startTime }, () => {});
    watch?.signal(9);
    watch?.close();
    parents.push(parent);
  }
  return parents;
}

async function members(native: Native, folder: string): Promise<number[]> {
  const [list] = await native.readFiles([path.join(folder, 'cgroup.procs')]);
  return list && 'text' in list ? list.text.split('\n').filter(Boolean).map(Number) : [];
}

async function foldersBelow(folder: string): Promise<string[]> {
  const below = (await subfolders(folder)).map((name) => foldersBelow(path.join(folder, name)));
  return [folder, ...(await Promise.all(below)).flat()];
}

async function subfolders(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
