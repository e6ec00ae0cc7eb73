import path from 'node:path';

import type { ContainerSpec } from '../../spec/container.ts';
import { resolveResources } from '../../spec/resources.ts';
import type { CgroupLayout, LimitController } from './cgroup-layout.ts';
import type { RuntimeResources } from './runtime-spec.ts';

/** What a container may use at most; undefined is without limit. */
export interface Limits {
  readonly memoryBytes?: number;
  /** Microseconds of CPU time in each period. */
  readonly cpuQuota?: number;
  readonly pids?: number;
}

/** A cgroup file that holds a limit. */
export interface LimitFile {
  readonly file: string;
  /** Its name, for people. */
  readonly name: string;
  /** What to write into it. */
  readonly wanted: string;
  /** Whether that lifts the limit. */
  readonly unlimited: boolean;
  /** Whether what the kernel says is what was wanted, rounded as the kernel rounds it. */
  matches(text: string): boolean;
}

/** The kernel's default period, in microseconds. */
export const CPU_PERIOD = 100_000;
/** The kernel takes no quota below 1 ms (kernel, scheduler/sched-bwc). */
const MIN_QUOTA = 1_000;
/** Memory is limited in whole pages, rounded down. Their size isn't to be had in Node; arm64 kernels come with up to 64 KiB. */
const MAX_PAGE = process.arch === 'x64' ? 4_096 : 65_536;
/** "No limit" of v1's memory controller reads as the largest count of pages, about 2^63. */
const V1_MEMORY_UNLIMITED = 2 ** 62;

export function limitsOf(spec: Pick<ContainerSpec, 'resources'>): Limits {
  const { cpuMillicores, ...limits } = resolveResources(spec);
  return cpuMillicores === undefined ? limits : { ...limits, cpuQuota: Math.max(MIN_QUOTA, (cpuMillicores * CPU_PERIOD) / 1000) };
}

export function runtimeLimits(limits: Limits): Pick<RuntimeResources, 'memory' | 'cpu' | 'pids'> {
  return {
    ...(limits.memoryBytes === undefined ? {} : { memory: { limit: limits.memoryBytes } }),
    ...(limits.cpuQuota === undefined ? {} : { cpu: { quota: limits.cpuQuota, period: CPU_PERIOD } }),
    ...(limits.pids === undefined ? {} : { pids: { limit: limits.pids } }),
  };
}

/** Every file that `limitFiles` may name. */
export const LIMIT_FILE_NAMES: ReadonlySet<string> = new Set(['memory.limit_in_bytes', 'memory.max', 'cpu.cfs_quota_us', 'cpu.cfs_period_us', 'cpu.max', 'pids.max']);

/** The folders that hold the limits of a cgroup. */
export function limitFolders(layout: CgroupLayout, cgroupPath: string): string[] {
  return [...new Set(limitFiles(layout, cgroupPath, {}).map(({ file }) => path.dirname(file)))];
}

/** The files that hold the limits of a cgroup; also of those that aren't limited, since a limit that nobody asked for is drift as well. */
export function limitFiles(layout: CgroupLayout, cgroupPath: string, limits: Limits): LimitFile[] {
  const files: LimitFile[] = [];
  const add = (controller: LimitController, v1: readonly [string, Check][], v2: readonly [string, Check][]) => {
    const hierarchy = layout.hierarchyOf(controller);
    if (!hierarchy) return;
    const folder = path.join(hierarchy.mountPoint, cgroupPath);
    for (const [name, check] of hierarchy.version === 1 ? v1 : v2) files.push({ file: path.join(folder, name), name, ...check });
  };
  const { memoryBytes, cpuQuota, pids } = limits;
  add(
    'memory',
    [['memory.limit_in_bytes', memoryBytes === undefined ? unlimitedV1Memory : pages(memoryBytes)]],
    [['memory.max', memoryBytes === undefined ? exactly('max') : pages(memoryBytes)]],
  );
  add(
    'cpu',
    cpuQuota === undefined
      ? [['cpu.cfs_quota_us', exactly('-1')]]
      : [
          ['cpu.cfs_period_us', exactly(String(CPU_PERIOD))],
          ['cpu.cfs_quota_us', exactly(String(cpuQuota))],
        ],
    [['cpu.max', exactly(`${cpuQuota ?? 'max'} ${CPU_PERIOD}`)]],
  );
  const pidsMax = exactly(String(pids ?? 'max'));
  add('pids', [['pids.max', pidsMax]], [['pids.max', pidsMax]]);
  return files;
}

type Check = Omit<LimitFile, 'file' | 'name'>;

function exactly(wanted: string): Check {
  return { wanted, unlimited: wanted === '-1' || wanted.startsWith('max'), matches: (text) => text === wanted };
}

function pages(bytes: number): Check {
  return {
    wanted: String(bytes),
    unlimited: false,
    matches: (text) => Number(text) <= bytes && bytes - Number(text) < MAX_PAGE,
  };
}

const unlimitedV1Memory: Check = { wanted: '-1', unlimited: true, matches: (text) => Number(text) >= V1_MEMORY_UNLIMITED };
