import { Counter, exponentialBuckets, Gauge, Histogram, type Registry } from 'prom-client';
import type { QueueObserver, WorkQueue } from '../reconcile/queue.ts';
import { MirroredGauge } from './mirrored.ts';

export interface QueueMetricsOptions {
  readonly queue: () => Pick<WorkQueue<never>, 'depth' | 'unfinished'>;
  /** Keys worked on at once. */
  readonly concurrency: number;
}

/** controller-runtime's, pkg/metrics/workqueue.go. */
const BUCKETS = exponentialBuckets(10e-9, 10, 12);

/** Registers a controller's queue and workers under controller-runtime's names. Returns the observer that feeds them. */
export function registerQueueMetrics(registry: Registry, controller: string, { queue, concurrency }: QueueMetricsOptions): QueueObserver {
  const registers = [registry];
  const ofQueue = { labelNames: ['name', 'controller'] as const, registers };
  const ofWorkers = { labelNames: ['controller'] as const, registers };
  const labels = { name: controller, controller };

  const adds = new Counter({ name: 'workqueue_adds_total', help: 'Total number of adds handled by workqueue.', ...ofQueue });
  const retries = new Counter({ name: 'workqueue_retries_total', help: 'Total number of retries handled by workqueue.', ...ofQueue });
  const waited = new Histogram({ name: 'workqueue_queue_duration_seconds', help: 'How long in seconds an item stays in workqueue before being requested.', buckets: BUCKETS, ...ofQueue });
  const worked = new Histogram({ name: 'workqueue_work_duration_seconds', help: 'How long in seconds processing an item from workqueue takes.', buckets: BUCKETS, ...ofQueue });
  const active = new Gauge({ name: 'controller_runtime_active_workers', help: 'Number of currently used workers per controller.', ...ofWorkers });
  const maximum = new Gauge({ name: 'controller_runtime_max_concurrent_reconciles', help: 'Maximum number of concurrent reconciles per controller.', ...ofWorkers });
  const mirrored = [
    { name: 'workqueue_depth', help: 'Current depth of workqueue.', value: () => queue().depth },
    { name: 'workqueue_unfinished_work_seconds', help: 'Seconds of work in progress that workqueue_work_duration_seconds has not observed yet.', value: () => queue().unfinished().totalSeconds },
    { name: 'workqueue_longest_running_processor_seconds', help: 'How many seconds the longest running processor has been running.', value: () => queue().unfinished().longestSeconds },
  ];
  for (const { name, help, value } of mirrored)
    registry.registerMetric(new MirroredGauge({ name, help, labelNames: ofQueue.labelNames }, () => [{ labels, value: value() }]));

  // Rates need a line before the first occurrence.
  for (const counter of [adds, retries]) counter.inc(labels, 0);
  active.set({ controller }, 0);
  maximum.set({ controller }, concurrency);

  return {
    added: () => adds.inc(labels),
    taken(waitedSeconds) {
      active.inc({ controller });
      waited.observe(labels, waitedSeconds);
    },
    done(workedSeconds) {
      active.dec({ controller });
      worked.observe(labels, workedSeconds);
    },
    retried: () => retries.inc(labels),
  };
}
