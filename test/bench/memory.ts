import { readFile } from 'node:fs/promises';

export interface ProcessMemory {
  readonly rssKiB: number;
  /** Proportional set size: shared pages are split among those who share them. */
  readonly pssKiB: number;
}

/** A process's memory, from its smaps_rollup (proc(5)). */
export async function processMemory(pid: number): Promise<ProcessMemory> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]);
  return { rssKiB: field('Rss'), pssKiB: field('Pss') };
}

/** MemAvailable of the machine in KiB: what starting something costs it in all, kernel memory included. */
export async function availableKiB(): Promise<number> {
  return Number(/^MemAvailable:\s+(\d+) kB/m.exec(await readFile('/proc/meminfo', 'utf8'))?.[1]);
}
