import path from 'node:path';

import { CPU_PERIOD, CPU_SHARES } from '../../spec/resources.ts';
import type { CgroupLayout, LimitController } from './cgroup-layout.ts';
import type { DeviceNumber } from './device-number.ts';
import type { IoRateKind, Limits } from './limits.ts';

/** A cgroup file that holds a limit. */
export interface LimitFile {
  readonly file: string;
  /** Its name, for people. */
  readonly name: string;
  /** What to write into it. */
  readonly wanted: string;
  /** Whether a kernel without the file is as good: then nothing is limited, or another file holds the limit. */
  readonly mayBeMissing: boolean;
  /** Whether what the kernel says is what was wanted, rounded as the kernel rounds it. */
  matches(text: string): boolean;
}

/** Memory is limited in whole pages, rounded down. Their size isn't to be had in Node; arm64 kernels come with up to 64 KiB. */
const MAX_PAGE = process.arch === 'x64' ? 4_096 : 65_536;
/** "No limit" of v1's memory controller reads as the largest count of pages, about 2^63. */
const V1_MEMORY_UNLIMITED = 2 ** 62;

/**
 * The files that hold the limits of a cgroup; of memory, CPU time and processes also where nothing is limited, since a limit that nobody asked for is drift
 * as well. Written in this order they never contradict each other on the way to lower limits.
 */
export function limitFiles(layout: CgroupLayout, cgroupPath: string, limits: Limits): LimitFile[] {
  return [
    ...filesOf(layout, cgroupPath, 'memory', memoryV1(limits), memoryV2(limits)),
    ...filesOf(layout, cgroupPath, 'cpu', cpuV1(limits), cpuV2(limits)),
    ...filesOf(layout, cgroupPath, 'pids', pidsMax(limits), pidsMax(limits)),
    ...filesOf(layout, cgroupPath, 'cpuset', cpuset(limits), cpuset(limits)),
    ...filesOf(layout, cgroupPath, 'blkio', ioV1(limits), ioV2(limits)),
  ];
}

type Check = Omit<LimitFile, 'file' | 'name'>;
type NamedCheck = readonly [name: string, check: Check];

function filesOf(layout: CgroupLayout, cgroupPath: string, controller: LimitController, v1: readonly NamedCheck[], v2: readonly NamedCheck[]): LimitFile[] {
  const hierarchy = layout.hierarchyOf(controller);
  if (!hierarchy) return [];
  const folder = path.join(hierarchy.mountPoint, cgroupPath);
  return (hierarchy.version === 1 ? v1 : v2).map(([name, check]) => ({ file: path.join(folder, name), name, ...check }));
}

function memoryV1({ memoryBytes, memoryReservationBytes, memorySwapBytes, memorySwappiness, oomKillDisable = false }: Limits): NamedCheck[] {
  const bytes = (limit: number | undefined): Check => (limit === undefined ? unlimitedV1Memory : pages(limit));
  return [
    ['memory.limit_in_bytes', bytes(memoryBytes)],
    ['memory.memsw.limit_in_bytes', bytes(memorySwapBytes)],
    ['memory.soft_limit_in_bytes', bytes(memoryReservationBytes)],
    ...(memorySwappiness === undefined ? [] : [['memory.swappiness', exactly(String(memorySwappiness))] as const]),
    ['memory.oom_control', { wanted: oomKillDisable ? '1' : '0', mayBeMissing: !oomKillDisable, matches: (text) => text.startsWith(`oom_kill_disable ${oomKillDisable ? 1 : 0}`) }],
  ];
}

function memoryV2({ memoryBytes, memoryReservationBytes, memorySwapBytes }: Limits): NamedCheck[] {
  const swap = memorySwapBytes === undefined ? undefined : memorySwapBytes - (memoryBytes ?? 0);
  return [
    ['memory.max', memoryBytes === undefined ? exactly('max') : pages(memoryBytes)],
    ['memory.swap.max', swap === undefined ? exactly('max') : { ...pages(swap), mayBeMissing: swap === 0 }], // without the file there is no swap
    ['memory.low', memoryReservationBytes === undefined ? { ...exactly('0'), mayBeMissing: true } : pages(memoryReservationBytes)],
  ];
}

function cpuV1({ cpuQuota, cpuPeriod = CPU_PERIOD, cpuShares = CPU_SHARES }: Limits): NamedCheck[] {
  const shares: NamedCheck = ['cpu.shares', { ...exactly(String(cpuShares)), mayBeMissing: cpuShares === CPU_SHARES }];
  if (cpuQuota === undefined) return [['cpu.cfs_quota_us', exactly('-1')], shares];
  return [['cpu.cfs_period_us', exactly(String(cpuPeriod))], ['cpu.cfs_quota_us', exactly(String(cpuQuota))], shares];
}

function cpuV2({ cpuQuota, cpuPeriod = CPU_PERIOD, cpuShares }: Limits): NamedCheck[] {
  return [
    ['cpu.max', exactly(`${cpuQuota ?? 'max'} ${cpuPeriod}`)],
    ['cpu.weight', { ...exactly(String(cpuShares === undefined ? 100 : weightOf(cpuShares))), mayBeMissing: cpuShares === undefined }],
  ];
}

/** Version 1's shares, 2 to 262144, on version 2's scale of 1 to 10000, as the runtime has it. */
function weightOf(shares: number): number {
  return 1 + Math.floor(((shares - 2) * 9999) / 262_142);
}

function pidsMax({ pids }: Limits): NamedCheck[] {
  return [['pids.max', exactly(String(pids ?? 'max'))]];
}

function cpuset({ cpusetCpus, cpusetMems }: Limits): NamedCheck[] {
  return [...(cpusetCpus === undefined ? [] : [['cpuset.cpus', numbers(cpusetCpus)] as const]), ...(cpusetMems === undefined ? [] : [['cpuset.mems', numbers(cpusetMems)] as const])];
}

const RATE_FILES: Readonly<Record<IoRateKind, readonly [v1: string, v2: string]>> = {
  ReadBps: ['blkio.throttle.read_bps_device', 'rbps'],
  WriteBps: ['blkio.throttle.write_bps_device', 'wbps'],
  ReadIOPS: ['blkio.throttle.read_iops_device', 'riops'],
  WriteIOPS: ['blkio.throttle.write_iops_device', 'wiops'],
};

function ioV1({ ioWeight, ioWeights = [], ioRates = [] }: Limits): NamedCheck[] {
  return [
    ...(ioWeight === undefined ? [] : [['blkio.bfq.weight', exactly(String(ioWeight))] as const]),
    ...ioWeights.map(({ device, weight }) => ['blkio.bfq.weight_device', line(device, String(weight))] as const),
    ...ioRates.map(({ kind, device, rate }) => [RATE_FILES[kind][0], line(device, String(rate))] as const),
  ];
}

/** Of weights, those of BFQ alone: without it the runtime takes another file, of another scale. */
function ioV2({ ioWeight, ioWeights = [], ioRates = [] }: Limits): NamedCheck[] {
  const weights = [
    ...(ioWeight === undefined ? [] : [{ wanted: `default ${ioWeight}`, matches: (text: string) => text.split('\n').includes(`default ${ioWeight}`) }]),
    ...ioWeights.map(({ device, weight }) => line(device, String(weight))),
  ];
  return [
    ...weights.map((check) => ['io.bfq.weight', { ...check, mayBeMissing: true }] as const),
    ...ioRates.map(({ kind, device, rate }) => ['io.max', line(device, `${RATE_FILES[kind][1]}=${rate}`)] as const),
  ];
}

function exactly(wanted: string): Check {
  return { wanted, mayBeMissing: wanted === '-1' || wanted.startsWith('max'), matches: (text) => text === wanted };
}

function pages(bytes: number): Check {
  return {
    wanted: String(bytes),
    mayBeMissing: false,
    matches: (text) => Number(text) <= bytes && bytes - Number(text) < MAX_PAGE,
  };
}

const unlimitedV1Memory: Check = { wanted: '-1', mayBeMissing: true, matches: (text) => Number(text) >= V1_MEMORY_UNLIMITED };

/** The kernel may write `0-1` for `0,1`. */
function numbers(wanted: string): Check {
  const all = numbersIn(wanted).join();
  return { wanted, mayBeMissing: false, matches: (text) => numbersIn(text).join() === all };
}

function numbersIn(list: string): number[] {
  const all = list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  return [...new Set(all)].toSorted((a, b) => a - b);
}

/** A file with a line for each device. */
function line(device: DeviceNumber, value: string): Check {
  return { wanted: `${device.major}:${device.minor} ${value}`, mayBeMissing: false, matches: (text) => words(text, device).includes(value) };
}

/** What a file says of a device. */
function words(text: string, { major, minor }: DeviceNumber): string[] {
  const found = text.split('\n').find((each) => each.startsWith(`${major}:${minor} `));
  return found === undefined ? [] : found.split(' ').slice(1);
}
