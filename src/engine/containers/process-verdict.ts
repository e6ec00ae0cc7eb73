import { mkdir, writeFile } from 'node:fs/promises';

import { errnoOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Native } from '../../native/native.ts';
import type { ExitRecord, ObservedProcess } from '../engine.ts';
import type { DataDir } from '../store/data-dir.ts';
import type { ContainerSnapshot } from './container-snapshot.ts';
import type { ManagedContainer } from './managed-container.ts';
import { formatExit, type MonitorState } from './monitor-files.ts';
import { killAndWait } from './process-end.ts';

type RunningState = Extract<MonitorState, { status: 'running' }>;

/** A run of whose end nobody made a record: its monitor was killed, and its first process lives on (orphaned) or not. */
export interface Unrecorded {
  readonly state: 'Unrecorded';
  readonly run: RunningState;
  readonly orphaned: boolean;
}

/** What became of a container's process. */
export function judgeProcess({ state, exit, monitorAlive, initAlive }: ContainerSnapshot): ObservedProcess | Unrecorded {
  const ended: ObservedProcess = exit ? { state: 'Exited', exit } : { state: 'None' };
  if (!state) return ended;
  if (state.status === 'creating') return monitorAlive ? { state: 'Creating', monitor: state.monitor } : ended;
  const { init, monitor, startedAt } = state;
  if (monitorAlive && initAlive) return { state: 'Running', init, monitor, startedAt };
  // The process has just ended and the monitor is writing that down.
  if (monitorAlive) return { state: 'Creating', monitor };
  if (initAlive || !exit) return { state: 'Unrecorded', run: state, orphaned: initAlive };
  return ended;
}

/**
 * Puts on record an end that no monitor saw. An orphan is killed: nobody takes its output, and nobody would learn how it ends.
 * Its record says what it then died of, signal 9. Of a process that ended unseen the exit code can't be known any more; 255 stands
 * for that, so that neither restart policy takes it for a success.
 */
export async function settleUnrecorded(
  { run, orphaned }: Unrecorded,
  { paths, record }: ManagedContainer,
  { native, dataDir, logger }: { readonly native: Native; readonly dataDir: DataDir; readonly logger: Logger },
): Promise<void> {
  if (orphaned) await killAndWait(native, run.init);
  const message = orphaned ? 'its monitor was killed, so it was ended too' : 'its monitor was killed before it could record the end';
  logger.warn({ container: record.name, id: record.id, pid: run.init.pid }, `container process ended unrecorded: ${message}`);
  const exit: ExitRecord = {
    exitCode: orphaned ? 137 : 255,
    signal: orphaned ? 9 : null,
    oomKilled: false,
    startedAt: run.startedAt,
    finishedAt: Date.now(),
  };
  try {
    await dataDir.writeDurably(paths.exit, formatExit(exit, message));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    // The bundle has vanished; the monitor would have gone the same way round.
    await mkdir(paths.stateDir, { recursive: true, mode: 0o700 });
    await writeFile(paths.fallbackExit, formatExit(exit, message));
  }
}
