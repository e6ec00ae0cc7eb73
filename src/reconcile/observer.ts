import type { DriftKind } from '../engine/engine.ts';
import type { ContainerName } from '../spec/name.ts';
import { noQueueObserver, type QueueObserver } from './queue.ts';

/** How a pass over one container ended, in controller-runtime's words for `controller_runtime_reconcile_total{result}`. */
export type ReconcileResult = 'success' | 'requeue_after' | 'error';

/** Told what the reconciler does, so that metrics can be kept without it knowing of them. Must not throw. */
export interface ReconcileObserver {
  readonly queue: QueueObserver;
  driftDetected(kind: DriftKind): void;
  driftRepaired(kind: DriftKind): void;
  restarted(name: ContainerName): void;
  /** Seconds from a change of what is desired to its process running. */
  desiredToRunning(seconds: number): void;
  reconciled(result: ReconcileResult, seconds: number): void;
}

export const noObserver: ReconcileObserver = {
  queue: noQueueObserver,
  driftDetected: () => {},
  driftRepaired: () => {},
  restarted: () => {},
  desiredToRunning: () => {},
  reconciled: () => {},
};
