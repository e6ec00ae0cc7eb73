import type { DriftKind, ExitRecord } from '../engine/engine.ts';
import type { ContainerName } from '../spec/name.ts';

/**
 * What the reconciler remembers of a container beyond what the kernel can tell. Persisted as facts, never as machine snapshots.
 * Times are milliseconds since the epoch.
 */
export interface Facts {
  /** Restarts since the container's name was first desired. */
  readonly restartCount: number;
  /** Ends in a row without a stable run between them; what the backoff grows with. */
  readonly crashes: number;
  /** No start before this instant. */
  readonly backoffUntil?: number;
  /** The end that `crashes` and `restartCount` already count, by its finishing time, so that none is counted twice. */
  readonly countedExit?: number;
  readonly lastExit?: ExitRecord;
  readonly lastDrift?: { readonly kind: DriftKind; readonly message: string; readonly time: number };
  /** Generation whose spec the present container was made from. */
  readonly observedGeneration?: number;
}

export interface FactsStore {
  get(name: ContainerName): Facts | undefined;
  set(name: ContainerName, facts: Facts): void;
  delete(name: ContainerName): void;
}
