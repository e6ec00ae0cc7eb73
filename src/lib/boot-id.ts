import { readFile } from 'node:fs/promises';

/** What the kernel has called itself since it started: another name after each start, and on each machine (random(4)). */
export async function readBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}
