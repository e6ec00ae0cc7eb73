import { collectDefaultMetrics, type Registry } from 'prom-client';

/** Gauges that prom-client names as counters, which `promtool check metrics` refuses. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];
/** Sampled by a timer that would wake an idle daemon up a hundred times a second; `nodejs_eventloop_lag_seconds` is measured at the scrape. */
const SAMPLED = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map((statistic) => `nodejs_eventloop_lag_${statistic}_seconds`);
const NEVER_MS = 0x7fff_ffff;

/** Registers the daemon's own CPU, memory, file descriptors, heap and garbage collection. */
export function registerProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS });
  for (const name of [...MISNAMED, ...SAMPLED]) registry.removeSingleMetric(name);
}
