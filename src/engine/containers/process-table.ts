import type { FileContent, ProcessIdentity } from '../../native/native.ts';

/** States of proc_pid_stat(5) in which a process has ended already: zombie, and the moment before it is gone. */
const ENDED = new Set(['Z', 'X', 'x']);

/** Whether `stat`, just read from `/proc/<pid>/stat`, is that of the very process that is meant, alive. */
export function isAlive(process: ProcessIdentity, stat: FileContent | undefined): boolean {
  if (!stat || 'errno' in stat) return false;
  const { state, startTime } = parseStat(stat.text);
  return startTime === process.startTime && !ENDED.has(state);
}

/** Whether a signal has stopped it; a debugger's hold is another state. */
export function isStopped(stat: FileContent | undefined): boolean {
  return stat !== undefined && 'text' in stat && parseStat(stat.text).state === 'T';
}

/** Fields 3, 4 and 22 of `/proc/<pid>/stat`. The command's name, field 2, may hold spaces and parentheses of its own. */
export function parseStat(text: string): { readonly state: string; readonly parent: number; readonly startTime: number } {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', parent: Number(fields[1]), startTime: Number(fields[19]) };
}

export function statPath(process: ProcessIdentity): string {
  return `/proc/${process.pid}/stat`;
}
