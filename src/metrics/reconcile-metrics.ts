import { Counter, Histogram, type Registry } from 'prom-client';
import type { DriftKind } from '../engine/engine.ts';
import type { ReconcileObserver, ReconcileResult } from '../reconcile/observer.ts';
import type { ContainerView } from '../reconcile/view.ts';
import { MirroredCounter, MirroredGauge } from './mirrored.ts';
import { registerQueueMetrics, type QueueMetricsOptions } from './queue-metrics.ts';

export interface ReconcileMetricsOptions extends QueueMetricsOptions {
  readonly views: () => readonly ContainerView[];
}

const CONTROLLER = 'container';
const RESULTS: readonly ReconcileResult[] = ['success', 'requeue_after', 'error'];
const DRIFT_KINDS: readonly DriftKind[] = ['Process', 'Frozen', 'Limits', 'Mounts', 'Rootfs', 'Bundle', 'Network', 'NetworkNamespace', 'Namespaces', 'Image', 'Files', 'Exec'];
/** controller-runtime's, pkg/internal/controller/metrics. */
const RECONCILE_BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
/** From a hot start of a few milliseconds to a slow image pull. */
const START_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** Registers what the reconciler does under controller-runtime's names, and under Mooring's where there are none. Returns the observer that feeds it. */
export function registerReconcileMetrics(registry: Registry, options: ReconcileMetricsOptions): ReconcileObserver {
  const registers = [registry];
  const queue = registerQueueMetrics(registry, CONTROLLER, options);
  const reconciles = new Counter({ name: 'controller_runtime_reconcile_total', help: 'Total number of reconciliations per controller.', labelNames: ['controller', 'result'], registers });
  const errors = new Counter({ name: 'controller_runtime_reconcile_errors_total', help: 'Total number of reconciliation errors per controller.', labelNames: ['controller'], registers });
  const duration = new Histogram({ name: 'controller_runtime_reconcile_time_seconds', help: 'Length of time per reconciliation per controller.', buckets: RECONCILE_BUCKETS, labelNames: ['controller'], registers });
  const detected = new Counter({ name: 'mooring_drift_detected_total', help: 'Differences found between what is desired and what the kernel has, by kind.', labelNames: ['kind'], registers });
  const repaired = new Counter({ name: 'mooring_drift_repaired_total', help: 'Differences undone, by kind.', labelNames: ['kind'], registers });
  const toRunning = new Histogram({ name: 'mooring_desired_to_running_seconds', help: 'Time from a change of what is desired to its process running.', buckets: START_BUCKETS, registers });
  registerViewMetrics(registry, options.views);

  // Rates need a line before the first occurrence.
  for (const result of RESULTS) reconciles.inc({ controller: CONTROLLER, result }, 0);
  errors.inc({ controller: CONTROLLER }, 0);
  for (const kind of DRIFT_KINDS) for (const counter of [detected, repaired]) counter.inc({ kind }, 0);

  return {
    queue,
    driftDetected: (kind) => detected.inc({ kind }),
    driftRepaired: (kind) => repaired.inc({ kind }),
    // Read from the views, whose count outlives the daemon.
    restarted: () => {},
    desiredToRunning: (seconds) => toRunning.observe(seconds),
    reconciled(result, seconds) {
      reconciles.inc({ controller: CONTROLLER, result });
      if (result === 'error') errors.inc({ controller: CONTROLLER });
      duration.observe({ controller: CONTROLLER }, seconds);
    },
  };
}

/** What the containers' views tell; a container's lines go with it. */
function registerViewMetrics(registry: Registry, views: () => readonly ContainerView[]): void {
  registry.registerMetric(
    new MirroredCounter({ name: 'mooring_container_restarts_total', help: 'Restarts of the container since its name was first desired.', labelNames: ['namespace', 'container'] }, () =>
      views().map(({ container: { metadata }, status }) => ({ labels: { namespace: metadata.namespace, container: metadata.name }, value: status.restartCount })),
    ),
  );
  registry.registerMetric(
    new MirroredGauge({ name: 'mooring_containers', help: 'Containers by phase.', labelNames: ['phase'] }, () =>
      [...Map.groupBy(views(), ({ phase }) => phase)].map(([phase, those]) => ({ labels: { phase }, value: those.length })),
    ),
  );
}
