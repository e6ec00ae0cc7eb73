import { Counter, Gauge, Registry } from 'prom-client';
import { VERSION } from '../lib/version.ts';
import type { ReconcileObserver } from '../reconcile/observer.ts';
import type { SpecProblem } from '../spec/problem.ts';
import { ContainerMetrics, type ContainerMetricsOptions } from './container-metrics.ts';
import { MirroredGauge } from './mirrored.ts';
import { registerProcessMetrics } from './process-metrics.ts';
import { registerReconcileMetrics, type ReconcileMetricsOptions } from './reconcile-metrics.ts';

export interface MetricsOptions extends ContainerMetricsOptions, ReconcileMetricsOptions {
  /** What the sources can't accept now. */
  readonly problems: () => readonly SpecProblem[];
}

/** Everything that Mooring tells Prometheus. */
export interface Metrics {
  /** For the reconciler. */
  readonly observer: ReconcileObserver;
  /** A source met problems that were not there before. */
  specRejected(appeared: readonly SpecProblem[]): void;
  readonly contentType: string;
  /** The page that is scraped. Scrapes at the same time share one reading. */
  render(): Promise<string>;
}

/** Makes the registry. `views`, `queue` and `problems` are first asked when it is scraped, so the reconciler may come later. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  registerProcessMetrics(registry);
  const containers = new ContainerMetrics(registry, options);
  const observer = registerReconcileMetrics(registry, options);
  new Gauge({ name: 'mooring_build_info', help: 'The version that runs, as labels; always 1.', labelNames: ['version', 'node'], registers }).set({ version: VERSION, node: process.version }, 1);
  registry.registerMetric(
    new MirroredGauge({ name: 'mooring_spec_errors', help: 'Problems that keep a file from being accepted, by file.', labelNames: ['file'] }, () =>
      [...Map.groupBy(options.problems().filter(isError), ({ file }) => file)].map(([file, problems]) => ({ labels: { file }, value: problems.length })),
    ),
  );
  const rejected = new Counter({ name: 'mooring_spec_errors_total', help: 'Problems met in specs since the daemon started.', registers });

  async function read(): Promise<string> {
    await containers.refresh();
    return registry.metrics();
  }

  let rendering: Promise<string> | undefined;
  return {
    observer,
    specRejected: (appeared) => rejected.inc(appeared.filter(isError).length),
    contentType: registry.contentType,
    render() {
      rendering ??= read().finally(() => (rendering = undefined));
      return rendering;
    },
  };
}

/** A warning keeps no file from being accepted. */
function isError({ warning }: SpecProblem): boolean {
  return warning !== true;
}
