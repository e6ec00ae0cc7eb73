import type { ContainerEngine } from '../engine/engine.ts';
import type { FileWatcher } from '../engine/file-watcher.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { DesiredStore } from './desired.ts';
import type { EventLog } from './events.ts';
import type { FactsStore } from './facts.ts';
import type { ImageSource } from './image-source.ts';
import type { ReconcileObserver } from './observer.ts';
import type { Prober } from './prober.ts';
import type { SupplyFace } from './supplies.ts';

/** What a reconciler stands on. */
export interface ReconcilerOptions {
  readonly engine: ContainerEngine;
  /** Without it, every image counts as there. */
  readonly images?: ImageSource;
  /** Without it, no container is probed. */
  readonly prober?: Prober;
  /** Without it, nobody looks after files. */
  readonly files?: FileWatcher;
  /** Without them, there are no networks and volumes that containers could name. */
  readonly supplies?: SupplyFace;
  readonly desired: DesiredStore;
  readonly facts: FactsStore;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer?: ReconcileObserver;
  /** Between two looks at everything, give or take a tenth; milliseconds. */
  readonly resyncIntervalMs?: number;
  /** Containers looked at, at once. */
  readonly concurrency?: number;
  /** Starts in flight at once. */
  readonly startConcurrency?: number;
  /** An engine operation that takes longer counts as failed for now; milliseconds. */
  readonly operationTimeoutMs?: number;
  /** Uniform in [0, 1), for the jitter. */
  readonly random?: () => number;
}
