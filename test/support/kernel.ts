import { readdir, readFile, readlink, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './until.ts';

/** What the tests ask the kernel, past all of Mooring's own code. */

export async function pids(): Promise<number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}

/** A file of procfs or cgroupfs; undefined when what it is about has gone, or is not for us to see, as a process of the machine's own may be. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'ENODEV' || code === 'EACCES') return undefined;
    throw error;
  }
}

/** Live processes (no zombies) that were executed with this in their environment. */
export async function processesWithEnv(assignment: string): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await pids()) {
    const environ = await readIfThere(`/proc/${pid}/environ`);
    if (environ?.split('\0').includes(assignment) && (await stateOf(pid)) !== 'Z') found.push(pid);
  }
  return found;
}

/** The letter of a process's state, field 3 of /proc/<pid>/stat; undefined when it has gone. */
export async function stateOf(pid: number): Promise<string | undefined> {
  const text = await readIfThere(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[0];
}

/** Start time in clock ticks since boot: with the pid it names a process for good. */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  const text = await readIfThere(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}

/** The memory of a process that is its own or its share, in kB. */
export async function pssOf(pid: number): Promise<number> {
  const text = (await readIfThere(`/proc/${pid}/smaps_rollup`)) ?? '';
  return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
}

export async function netnsOf(pid: number): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/net`).catch(() => undefined);
}

/** Mount points of cgroup v1 and v2 hierarchies. */
async function cgroupMounts(): Promise<string[]> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  return mounts.split('\n').flatMap((line) => {
    const [, target = '', type = ''] = line.split(' ');
    return type === 'cgroup' || type === 'cgroup2' ? [target] : [];
  });
}

/** Every cgroup folder, in every hierarchy, of an instance. */
export async function cgroupsOf(instance: string): Promise<string[]> {
  const found: string[] = [];
  for (const mount of await cgroupMounts()) {
    const top = join(mount, `mooring-${instance}`);
    if (!(await isFolder(top))) continue;
    const below = await readdir(top, { recursive: true, withFileTypes: true });
    found.push(top, ...below.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name)));
  }
  return found;
}

/** Removes them, each as soon as the last process has left it. */
export async function removeCgroupsOf(instance: string): Promise<void> {
  for (const cgroup of (await cgroupsOf(instance)).toReversed()) {
    await until(`${cgroup} is gone`, async () => !(await isFolder(cgroup)) || rmdir(cgroup).then(() => true), 5);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Mounts of this mount namespace whose line mentions the text. */
export async function mountsMentioning(text: string): Promise<string[]> {
  return (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => line.includes(text));
}

/** Live processes whose command line mentions the text, this one excepted. */
export async function processesMentioning(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await pids()) {
    const command = (await readIfThere(`/proc/${pid}/cmdline`))?.replaceAll('\0', ' ');
    if (pid !== process.pid && command?.includes(text) && (await stateOf(pid)) !== 'Z') found.push(`${pid} ${command}`);
  }
  return found;
}
