import type { FileContent, Native } from '../../native/native.ts';
import { CPU_PERIOD } from '../../spec/resources.ts';
import type { ContainerStats } from '../engine.ts';
import { type CounterNames, counterFiles, flatKeyed, textsByName } from './cgroup-counters.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import { interfaceStats } from './interface-stats.ts';
import { type Limits, limitsOf } from './limits.ts';
import type { ManagedContainer, Run } from './managed-container.ts';
import { parseLogLoss } from './monitor-files.ts';

export type KernelCounters = Pick<
  ContainerStats,
  | 'cpuUsageSeconds'
  | 'cpuUserSeconds'
  | 'cpuSystemSeconds'
  | 'cpuThrottledSeconds'
  | 'memoryUsageBytes'
  | 'memoryWorkingSetBytes'
  | 'memoryRssBytes'
  | 'memoryCacheBytes'
  | 'pids'
  | 'oomKills'
>;

type Counters = ReadonlyMap<string, number>;

/** USER_HZ, the unit of cpuacct.stat: 100 on every architecture that Linux has now (time(7)). */
const TICKS_PER_SECOND = 100;

export const STATS_FILES: CounterNames = {
  cpuacct: { 1: ['cpuacct.usage', 'cpuacct.stat'], 2: [] },
  cpu: { 1: ['cpu.stat'], 2: ['cpu.stat'] },
  memory: { 1: ['memory.usage_in_bytes', 'memory.stat', 'memory.oom_control'], 2: ['memory.current', 'memory.stat', 'memory.events'] },
  pids: { 1: ['pids.current'], 2: ['pids.current'] },
};

/** Containers whose files are read in one trip: few enough that the worker threads share a scrape of hundreds. */
const CONTAINERS_A_TRIP = 50;

/** The counters of those of the containers that run. */
export async function readStats(native: Native, layout: CgroupLayout, containers: readonly ManagedContainer[]): Promise<ContainerStats[]> {
  const running = containers.flatMap(({ record, paths, run }) => (run ? [{ record, run, cgroupPath: paths.cgroup, files: [paths.logLoss, ...counterFiles(layout, paths.cgroup, STATS_FILES), ...networkFiles(record, run)] }] : []));
  const trips: Promise<ContainerStats[]>[] = [];
  for (let start = 0; start < running.length; start += CONTAINERS_A_TRIP) trips.push(readTrip(native, running.slice(start, start + CONTAINERS_A_TRIP)));
  return (await Promise.all(trips)).flat();
}

interface RunningContainer {
  readonly record: ManagedContainer['record'];
  readonly run: Run;
  readonly cgroupPath: string;
  readonly files: readonly string[];
}

async function readTrip(native: Native, running: readonly RunningContainer[]): Promise<ContainerStats[]> {
  const contents = await native.readFiles(running.flatMap(({ files }) => files));
  let offset = 0;
  return running.flatMap(({ record, run, cgroupPath, files }) => {
    const texts = contents.slice(offset, offset + files.length);
    const counters = countersFrom(files, texts);
    offset += files.length;
    if (!counters) return [];
    const network = record.container.spec.network.mode === 'Bridge' ? interfaceStats(texts.at(-1)) : [];
    const { id, name, container } = record;
    return [{ id, name, cgroupPath, image: container.spec.image, startedAt: run.startedAt / 1000, ...counters, ...logLoss(texts[0]), network, limits: shownLimits(limitsOf(container.spec)) }];
  });
}

/** What the monitor tells of that, and nothing where it has nothing to tell. */
function logLoss(content: FileContent | undefined): Pick<ContainerStats, 'logDroppedLines' | 'logDroppedBytes'> {
  const loss = parseLogLoss(content && 'text' in content ? content.text : '');
  return { logDroppedLines: loss?.lines ?? 0, logDroppedBytes: loss?.bytes ?? 0 };
}

/** The counters of the network namespace that the process is in. In the host's they would be the host's. */
function networkFiles({ container }: ManagedContainer['record'], { init }: Run): string[] {
  return container.spec.network.mode === 'Bridge' ? [`/proc/${init.pid}/net/dev`] : [];
}

function shownLimits({ memoryBytes, cpuQuota, cpuPeriod = CPU_PERIOD, pids }: Limits): ContainerStats['limits'] {
  return {
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(cpuQuota === undefined ? {} : { cpuCores: cpuQuota / cpuPeriod }),
    ...(pids === undefined ? {} : { pids }),
  };
}

/** Undefined when the container went while it was read. What this kernel doesn't count is 0. */
export function countersFrom(files: readonly string[], contents: readonly FileContent[]): KernelCounters | undefined {
  const texts = textsByName(files, contents);
  if (!texts.has('pids.current') && !texts.has('memory.stat')) return undefined;
  const number = (name: string) => Number(texts.get(name) ?? 0);
  const table = (name: string) => flatKeyed(texts.get(name) ?? '');
  return {
    ...cpuCounters(table('cpu.stat'), texts.has('cpuacct.usage') ? number('cpuacct.usage') : undefined, table('cpuacct.stat')),
    ...(texts.has('memory.current')
      ? memoryV2(number('memory.current'), table('memory.stat'), table('memory.events'))
      : memoryV1(number('memory.usage_in_bytes'), table('memory.stat'), table('memory.oom_control'))),
    pids: number('pids.current'),
  };
}

/** v1 counts in nanoseconds and ticks, v2 in microseconds (kernel, cgroup-v1/cpuacct, scheduler/sched-bwc, cgroup-v2 "CPU"). */
function cpuCounters(cpu: Counters, usageNanoseconds: number | undefined, cpuacct: Counters) {
  if (usageNanoseconds === undefined) {
    return {
      cpuUsageSeconds: value(cpu, 'usage_usec') / 1e6,
      cpuUserSeconds: value(cpu, 'user_usec') / 1e6,
      cpuSystemSeconds: value(cpu, 'system_usec') / 1e6,
      cpuThrottledSeconds: value(cpu, 'throttled_usec') / 1e6,
    };
  }
  return {
    cpuUsageSeconds: usageNanoseconds / 1e9,
    cpuUserSeconds: value(cpuacct, 'user') / TICKS_PER_SECOND,
    cpuSystemSeconds: value(cpuacct, 'system') / TICKS_PER_SECOND,
    cpuThrottledSeconds: value(cpu, 'throttled_time') / 1e9,
  };
}

/** The working set as cAdvisor has it: what is used less what could be dropped at once. */
function memoryV1(usage: number, stat: Counters, oomControl: Counters) {
  return {
    memoryUsageBytes: usage,
    memoryWorkingSetBytes: Math.max(0, usage - value(stat, 'total_inactive_file')),
    memoryRssBytes: value(stat, 'total_rss'),
    memoryCacheBytes: value(stat, 'total_cache'),
    oomKills: value(oomControl, 'oom_kill'),
  };
}

function memoryV2(usage: number, stat: Counters, events: Counters) {
  return {
    memoryUsageBytes: usage,
    memoryWorkingSetBytes: Math.max(0, usage - value(stat, 'inactive_file')),
    memoryRssBytes: value(stat, 'anon'),
    memoryCacheBytes: value(stat, 'file'),
    oomKills: value(events, 'oom_kill'),
  };
}

function value(counters: Counters, name: string): number {
  return counters.get(name) ?? 0;
}
