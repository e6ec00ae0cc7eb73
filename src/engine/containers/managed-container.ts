import type { PreparedMonitor, ProcessIdentity } from '../../native/native.ts';
import type { ContainerRecord } from '../store/container-records.ts';
import type { ContainerPaths } from './container-paths.ts';
import type { ContainerWatches } from './container-watches.ts';
import type { WantedMount } from './wanted-mounts.ts';

/** One run of a container: both of its processes. */
export interface Run {
  readonly monitor: ProcessIdentity;
  readonly init: ProcessIdentity;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** What the engine has in memory of one container. All but the record can be read from kernel and disk again. */
export interface ManagedContainer {
  record: ContainerRecord;
  readonly paths: ContainerPaths;
  /** Made by this daemon and never started: nothing of it needs to be looked at before its first start. */
  fresh: boolean;
  /** Its first start finds much of its work done in it. */
  sandbox?: PreparedMonitor | undefined;
  /** The run that was last seen alive. */
  run: Run | undefined;
  watches: ContainerWatches | undefined;
  /** What the mount table of the present run is to hold. */
  wantedMounts: readonly WantedMount[] | undefined;
  /** Set while an end that no monitor recorded is being put on record. */
  settling: Promise<unknown> | undefined;
}

export function sameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.startTime === b.startTime;
}

/** Whether its processes are in a pid namespace with others: then the end of its first one is not the end of all. */
export function sharesProcesses({ record }: Pick<ManagedContainer, 'record'>): boolean {
  return record.container.spec.namespaces.pid !== 'Private';
}
