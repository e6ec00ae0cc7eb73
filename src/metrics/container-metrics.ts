import { Counter, type Registry } from 'prom-client';
import type { ContainerEngine, ContainerStats, InterfaceStats } from '../engine/engine.ts';
import type { Clock } from '../lib/clock.ts';
import { MooringError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { withDeadline } from '../reconcile/deadline.ts';
import { MirroredCounter, MirroredGauge, type Sample } from './mirrored.ts';

export interface ContainerMetricsOptions {
  readonly engine: Pick<ContainerEngine, 'stats'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface ContainerMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  /** Undefined where it does not apply to that container. */
  readonly value: (stats: ContainerStats) => number | undefined;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Prometheus gives a scrape 10 s by default; what the kernel has not told by half of that is left out. */
const STATS_DEADLINE_MS = 5_000;
/** The period in which the kernel counts CPU quotas, microseconds. */
const CPU_PERIOD = 100_000;
const LABELS = ['container', 'namespace', 'name', 'image', 'id'] as const;
type Labels = Readonly<Record<(typeof LABELS)[number], string>>;
const NO_LABELS = {};

/** cAdvisor's names and meanings (google/cadvisor, docs/storage/prometheus.md), so that dashboards made for it work. */
const METRICS: readonly ContainerMetric[] = [
  { name: 'container_cpu_usage_seconds_total', help: 'Cumulative CPU time consumed, in seconds.', type: 'counter', value: (s) => s.cpuUsageSeconds, labels: { cpu: 'total' } },
  { name: 'container_cpu_user_seconds_total', help: 'Cumulative user CPU time consumed, in seconds.', type: 'counter', value: (s) => s.cpuUserSeconds },
  { name: 'container_cpu_system_seconds_total', help: 'Cumulative system CPU time consumed, in seconds.', type: 'counter', value: (s) => s.cpuSystemSeconds },
  { name: 'container_cpu_cfs_throttled_seconds_total', help: 'Time for which the container was throttled by its CPU limit, in seconds.', type: 'counter', value: (s) => s.cpuThrottledSeconds },
  { name: 'container_memory_usage_bytes', help: 'Current memory usage including all memory whenever it was accessed, in bytes.', type: 'gauge', value: (s) => s.memoryUsageBytes },
  { name: 'container_memory_working_set_bytes', help: 'Current working set: usage less inactive file cache, in bytes.', type: 'gauge', value: (s) => s.memoryWorkingSetBytes },
  { name: 'container_memory_rss', help: 'Anonymous memory, in bytes.', type: 'gauge', value: (s) => s.memoryRssBytes },
  { name: 'container_memory_cache', help: 'Page cache, in bytes.', type: 'gauge', value: (s) => s.memoryCacheBytes },
  { name: 'container_oom_events_total', help: 'Processes that the kernel killed for want of memory.', type: 'counter', value: (s) => s.oomKills },
  { name: 'mooring_container_log_dropped_lines_total', help: 'Lines of the present run that the log has not taken: the disk was full, or spec.logging.mode is Drop.', type: 'counter', value: (s) => s.logDroppedLines },
  { name: 'mooring_container_log_dropped_bytes_total', help: 'Bytes of these lines.', type: 'counter', value: (s) => s.logDroppedBytes },
  // The kernel's pids controller counts tasks: what cAdvisor calls threads. Its processes are the same for programs of one thread.
  { name: 'container_processes', help: 'Tasks in the container, as its pids limit counts them.', type: 'gauge', value: (s) => s.pids },
  { name: 'container_threads', help: 'Tasks in the container, as its pids limit counts them.', type: 'gauge', value: (s) => s.pids },
  { name: 'container_threads_max', help: 'Tasks that the container may have; absent without a limit.', type: 'gauge', value: (s) => s.limits.pids },
  { name: 'container_start_time_seconds', help: 'Start time of the container since the Unix epoch, in seconds.', type: 'gauge', value: (s) => s.startedAt },
  { name: 'container_spec_memory_limit_bytes', help: 'Memory limit of the container, in bytes; 0 without a limit.', type: 'gauge', value: (s) => s.limits.memoryBytes ?? 0 },
  { name: 'container_spec_cpu_period', help: 'CPU period of the container, in microseconds.', type: 'gauge', value: () => CPU_PERIOD },
  {
    name: 'container_spec_cpu_quota',
    help: 'CPU time that the container may use in each period, in microseconds; absent without a limit.',
    type: 'gauge',
    value: ({ limits }) => (limits.cpuCores === undefined ? undefined : Math.round(limits.cpuCores * CPU_PERIOD)),
  },
];

/** One time series for each interface of a container's own network. */
const INTERFACE_METRICS: readonly { readonly name: string; readonly help: string; readonly value: (stats: InterfaceStats) => number }[] = [
  { name: 'container_network_receive_bytes_total', help: 'Cumulative count of bytes received.', value: (s) => s.receiveBytes },
  { name: 'container_network_receive_packets_total', help: 'Cumulative count of packets received.', value: (s) => s.receivePackets },
  { name: 'container_network_receive_errors_total', help: 'Cumulative count of errors encountered while receiving.', value: (s) => s.receiveErrors },
  { name: 'container_network_receive_packets_dropped_total', help: 'Cumulative count of packets dropped while receiving.', value: (s) => s.receiveDropped },
  { name: 'container_network_transmit_bytes_total', help: 'Cumulative count of bytes transmitted.', value: (s) => s.transmitBytes },
  { name: 'container_network_transmit_packets_total', help: 'Cumulative count of packets transmitted.', value: (s) => s.transmitPackets },
  { name: 'container_network_transmit_errors_total', help: 'Cumulative count of errors encountered while transmitting.', value: (s) => s.transmitErrors },
  { name: 'container_network_transmit_packets_dropped_total', help: 'Cumulative count of packets dropped while transmitting.', value: (s) => s.transmitDropped },
];

/** The kernel's counters of each running container. All of them come from one reading, which `refresh` makes. */
export class ContainerMetrics {
  readonly #options: ContainerMetricsOptions;
  readonly #failures: Counter;
  #seenAt = 0;
  #rows: readonly { readonly stats: ContainerStats; readonly labels: Labels }[] = [];

  constructor(registry: Registry, options: ContainerMetricsOptions) {
    this.#options = options;
    for (const metric of [...METRICS, this.#lastSeen()]) {
      const configuration = { name: metric.name, help: metric.help, labelNames: [...LABELS, ...Object.keys(metric.labels ?? {})] };
      const read = (): Sample<string>[] => this.#samples(metric);
      registry.registerMetric(metric.type === 'counter' ? new MirroredCounter(configuration, read) : new MirroredGauge(configuration, read));
    }
    for (const { name, help, value } of INTERFACE_METRICS) {
      registry.registerMetric(new MirroredCounter({ name, help, labelNames: [...LABELS, 'interface'] }, () => this.#interfaceSamples(value)));
    }
    this.#failures = new Counter({ name: 'mooring_container_stats_errors_total', help: "Scrapes that went without the containers' counters because reading them failed.", registers: [registry] });
  }

  /** Reads the counters of all containers. Where that fails, the scrape goes without them, and says so. */
  async refresh(): Promise<void> {
    const { engine, clock, logger } = this.#options;
    try {
      const all = await withDeadline(engine.stats(), STATS_DEADLINE_MS, clock, () => new MooringError('Unavailable', `reading the containers' counters took longer than ${STATS_DEADLINE_MS} ms`));
      this.#seenAt = Math.floor(clock.now() / 1000);
      const known = new Map(this.#rows.map(({ stats, labels }) => [stats.id, labels]));
      this.#rows = all.map((stats) => ({ stats, labels: known.get(stats.id) ?? labelsOf(stats) }));
    } catch (error) {
      this.#failures.inc();
      this.#rows = [];
      logger.warn({ err: error }, "metrics go without the containers' counters");
    }
  }

  #lastSeen(): ContainerMetric {
    return { name: 'container_last_seen', help: 'Last time the container was seen, since the Unix epoch, in seconds.', type: 'gauge', value: () => this.#seenAt };
  }

  #interfaceSamples(valueOf: (stats: InterfaceStats) => number): Sample<string>[] {
    return this.#rows.flatMap(({ stats, labels }) => stats.network.map((each) => ({ labels: { interface: each.interface }, sharedLabels: labels, value: valueOf(each) })));
  }

  #samples({ value: valueOf, labels: extra }: ContainerMetric): Sample<string>[] {
    return this.#rows.flatMap(({ stats, labels }) => {
      const value = valueOf(stats);
      return value === undefined ? [] : { labels: extra ?? NO_LABELS, sharedLabels: labels, value };
    });
  }
}

/** In the kubelet's manner, so far as there is a counterpart: `container` and `namespace` as in the spec, `name` unique on the node, `id` the cgroup. */
function labelsOf({ name, image, cgroupPath }: ContainerStats): Labels {
  const slash = name.indexOf('/');
  return { container: name.slice(slash + 1), namespace: name.slice(0, slash), name, image, id: cgroupPath };
}
