import { formatBytes } from '../output/bytes.ts';
import type { ListFormat, Row } from '../template/list-format.ts';

interface CpuSample {
  readonly cpu_usage: { readonly total_usage: number; readonly percpu_usage?: readonly number[] | null };
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
}

/** One of `GET /containers/:id/stats`. */
export interface StatsSample {
  readonly cpu_stats: CpuSample;
  readonly precpu_stats: CpuSample;
  readonly memory_stats: { readonly usage?: number; readonly limit?: number; readonly stats?: Readonly<Record<string, number>> | null };
  readonly pids_stats?: { readonly current?: number };
  readonly networks?: Readonly<Record<string, { readonly rx_bytes: number; readonly tx_bytes: number }>> | null;
  readonly blkio_stats?: { readonly io_service_bytes_recursive?: readonly { readonly op: string; readonly value: number }[] | null };
}

export interface Usage {
  readonly id: string;
  readonly name: string;
  /** Undefined until its first sample has come. */
  readonly sample: StatsSample | undefined;
}

export const STATS_FORMAT: ListFormat = {
  headers: { Container: 'CONTAINER', ID: 'CONTAINER ID', Name: 'NAME', CPUPerc: 'CPU %', MemUsage: 'MEM USAGE / LIMIT', MemPerc: 'MEM %', NetIO: 'NET I/O', BlockIO: 'BLOCK I/O', PIDs: 'PIDS' },
  usual: 'table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}',
  quiet: '{{.ID}}',
};

/** What a container takes, as `docker stats` shows it. */
export function statsRow({ id, name, sample }: Usage, whole: boolean): Row {
  const named = { Container: whole ? id : id.slice(0, 12), ID: whole ? id : id.slice(0, 12), Name: name };
  if (sample === undefined) return { ...named, CPUPerc: '--', MemUsage: '-- / --', MemPerc: '--', NetIO: '-- / --', BlockIO: '-- / --', PIDs: '--' };
  const memory = memoryOf(sample);
  const { limit = 0 } = sample.memory_stats;
  const networks = Object.values(sample.networks ?? {});
  const blocks = sample.blkio_stats?.io_service_bytes_recursive ?? [];
  const moved = (letter: string): number => sum(blocks.filter(({ op }) => op.toLowerCase().startsWith(letter)).map(({ value }) => value));
  return {
    ...named,
    CPUPerc: `${cpuPercent(sample).toFixed(2)}%`,
    MemUsage: `${binaryBytes(memory)} / ${binaryBytes(limit)}`,
    MemPerc: `${(limit === 0 ? 0 : (memory / limit) * 100).toFixed(2)}%`,
    NetIO: `${formatBytes(sum(networks.map(({ rx_bytes }) => rx_bytes)))} / ${formatBytes(sum(networks.map(({ tx_bytes }) => tx_bytes)))}`,
    BlockIO: `${formatBytes(moved('r'))} / ${formatBytes(moved('w'))}`,
    PIDs: String(sample.pids_stats?.current ?? 0),
  };
}

/** Of one processor: 200 are two of them. */
export function cpuPercent({ cpu_stats: now, precpu_stats: before }: StatsSample): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const processors = now.online_cpus ?? now.cpu_usage.percpu_usage?.length ?? 1;
  return used > 0 && passed > 0 ? (used / passed) * (processors === 0 ? 1 : processors) * 100 : 0;
}

/** Without the page cache that is given back first: Docker's rule, for both versions of cgroups. */
export function memoryOf({ memory_stats: { usage = 0, stats } }: StatsSample): number {
  const inactive = stats?.['total_inactive_file'] ?? stats?.['inactive_file'] ?? 0;
  return inactive < usage ? usage - inactive : usage;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Four digits in units of 1024: `1.957MiB`. */
function binaryBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toPrecision(4))}${UNITS[unit] ?? ''}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
