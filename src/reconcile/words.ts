import { constants } from 'node:os';
import type { ExitRecord } from '../engine/engine.ts';

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** `exit code 0`, `exit code 137 (SIGKILL, out of memory)`. */
export function describeExit(exit: ExitRecord): string {
  const notes = [
    ...(exit.signal === null ? [] : [signalNames.get(exit.signal) ?? `signal ${exit.signal}`]),
    ...(exit.oomKilled ? ['out of memory'] : []),
  ];
  return `exit code ${exit.exitCode}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`;
}

/** `0 s`, `250 ms`, `1.5 s`, `5 min`, `2 h`. */
export function describeSpan(milliseconds: number): string {
  if (milliseconds > 0 && milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = Math.round(milliseconds / 100) / 10;
  if (seconds >= 3600 && seconds % 3600 === 0) return `${seconds / 3600} h`;
  if (seconds >= 60 && seconds % 60 === 0) return `${seconds / 60} min`;
  return `${seconds} s`;
}

/** RFC 3339 in UTC. */
export function instant(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
