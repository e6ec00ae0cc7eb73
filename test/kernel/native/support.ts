import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { errnoOf } from '../../../src/lib/errors.ts';
import type { ProcessIdentity } from '../../../src/native/native.ts';
import { PATIENCE } from '../../support/patience.ts';

/** Asks again until `probe` gives something other than undefined; fails with `what` after 10 s (times the machine's patience). */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const seconds = 10 * PATIENCE;
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await delay(5);
  }
}

/** State letter, parent, session and start time of a process from /proc/<pid>/stat; undefined when there is no such process. */
export async function processStat(pid: number): Promise<{ state: string; parent: number; session: number; startTime: number } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', parent: Number(fields[1]), session: Number(fields[3]), startTime: Number(fields[19]) };
}

/** Settles when the process is dead. It may still be a zombie: when it is reaped is its parent's affair. */
export async function untilDead(pid: number): Promise<void> {
  await eventually(`process ${pid} is dead`, async () => ((await processStat(pid))?.state ?? 'Z') === 'Z' || undefined);
}

export async function identityOf(pid: number): Promise<ProcessIdentity> {
  const stat = await processStat(pid);
  if (stat === undefined) throw new Error(`no process ${pid}`);
  return { pid, startTime: stat.startTime };
}

/** What each descriptor of a process refers to. One that was closed while we looked is left out. */
export async function openFiles(pid: number): Promise<Record<string, string>> {
  const open: Record<string, string> = {};
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
    });
    if (target !== undefined) open[fd] = target;
  }
  return open;
}
