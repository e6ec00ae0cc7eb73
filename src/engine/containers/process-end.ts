import type { Native, ProcessIdentity, ProcessWatch } from '../../native/native.ts';
import type { ContainerId } from '../engine.ts';
import { killCgroup } from './cgroup-folders.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import { parseStat } from './process-table.ts';

/** How long a process that is bound to end may take to be gone. */
const PATIENCE_MS = 5_000;

/** Kills a process and settles when it is gone, or when it should have been. */
export function killAndWait(native: Native, process: ProcessIdentity): Promise<void> {
  return waitForEnd(native, process, (watch) => void watch.signal(9));
}

/**
 * Ends what runs in a container's cgroup though no state file tells of it, and waits until its monitor, which has the bundle locked,
 * has recorded that and is gone.
 */
export async function endStrays(native: Native, layout: CgroupLayout, cgroupPath: string, id: ContainerId): Promise<void> {
  const parents = [...new Set(await killCgroup(native, layout, cgroupPath))];
  const files = await native.readFiles(parents.flatMap((pid) => [`/proc/${pid}/stat`, `/proc/${pid}/cmdline`]));
  await Promise.all(
    parents.map(async (pid, index) => {
      const [stat, command] = files.slice(index * 2);
      if (!stat || 'errno' in stat || !command || 'errno' in command || !command.text.split('\0').includes(id)) return;
      await waitForEnd(native, { pid, startTime: parseStat(stat.text).startTime });
    }),
  );
}

async function waitForEnd(native: Native, process: ProcessIdentity, hasten?: (watch: ProcessWatch) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const watch = native.watchProcess(process, resolve);
  if (!watch) return;
  const timer = setTimeout(resolve, PATIENCE_MS);
  hasten?.(watch);
  await promise;
  clearTimeout(timer);
  watch.close();
}
