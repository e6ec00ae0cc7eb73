import type { ContainerSpec } from '../../spec/container.ts';
import { CPU_PERIOD, resolveResources } from '../../spec/resources.ts';
import type { DeviceNumber } from './device-number.ts';
import type { RuntimeResources } from './runtime-spec.ts';

/** What a container may use at most; undefined is without limit, or as the kernel has it. */
export interface Limits {
  readonly memoryBytes?: number;
  readonly memoryReservationBytes?: number;
  /** Memory and swap together. */
  readonly memorySwapBytes?: number;
  readonly memorySwappiness?: number;
  readonly oomKillDisable?: boolean;
  /** Microseconds of CPU time in each period. */
  readonly cpuQuota?: number;
  /** Microseconds. */
  readonly cpuPeriod?: number;
  readonly cpuShares?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly pids?: number;
  readonly ioWeight?: number;
  readonly ioWeights?: readonly { readonly device: DeviceNumber; readonly weight: number }[];
  readonly ioRates?: readonly IoRate[];
}

export type IoRateKind = 'ReadBps' | 'WriteBps' | 'ReadIOPS' | 'WriteIOPS';

/** Of one block device, bytes or operations a second. */
export interface IoRate {
  readonly kind: IoRateKind;
  readonly device: DeviceNumber;
  readonly rate: number;
}

export const IO_RATE_KINDS = ['ReadBps', 'WriteBps', 'ReadIOPS', 'WriteIOPS'] as const satisfies readonly IoRateKind[];

/** The kernel takes no quota below 1 ms (kernel, scheduler/sched-bwc). */
const MIN_QUOTA = 1_000;

/** @param devices The numbers of the block devices that the spec names; those of others are left out. */
export function limitsOf(spec: Pick<ContainerSpec, 'resources'>, devices: ReadonlyMap<string, DeviceNumber> = new Map()): Limits {
  const { cpuMillicores, ...limits } = resolveResources(spec);
  const { cpuPeriod, cpuShares, cpusetCpus, cpusetMems, memorySwappiness, oomKillDisable, blockIO } = spec.resources;
  const numbered = <T>(path: string, of: (device: DeviceNumber) => T): T[] => {
    const device = devices.get(path);
    return device === undefined ? [] : [of(device)];
  };
  return {
    ...limits,
    ...(memorySwappiness !== undefined && { memorySwappiness }),
    ...(oomKillDisable === true && { oomKillDisable }),
    ...(cpuMillicores !== undefined && { cpuQuota: Math.max(MIN_QUOTA, Math.ceil((cpuMillicores * (cpuPeriod ?? CPU_PERIOD)) / 1000)), ...(cpuPeriod !== undefined && { cpuPeriod }) }),
    ...(cpuShares !== undefined && { cpuShares }),
    ...(cpusetCpus !== undefined && { cpusetCpus }),
    ...(cpusetMems !== undefined && { cpusetMems }),
    ...(blockIO !== undefined && {
      ...(blockIO.weight !== undefined && { ioWeight: blockIO.weight }),
      ioWeights: blockIO.weightDevice.flatMap(({ path, weight }) => numbered(path, (device) => ({ device, weight }))),
      ioRates: IO_RATE_KINDS.flatMap((kind) => blockIO[`throttle${kind}Device`].flatMap(({ path, rate }) => numbered(path, (device) => ({ kind, device, rate })))),
    }),
  };
}

/** As config.json has them. */
export function runtimeLimits(limits: Limits): Omit<RuntimeResources, 'devices'> {
  const memory = {
    ...(limits.memoryBytes !== undefined && { limit: limits.memoryBytes }),
    ...(limits.memoryReservationBytes !== undefined && { reservation: limits.memoryReservationBytes }),
    ...(limits.memorySwapBytes !== undefined && { swap: limits.memorySwapBytes }),
    ...(limits.memorySwappiness !== undefined && { swappiness: limits.memorySwappiness }),
    ...(limits.oomKillDisable === true && { disableOOMKiller: true as const }),
  };
  const cpu = {
    ...(limits.cpuQuota !== undefined && { quota: limits.cpuQuota, period: limits.cpuPeriod ?? CPU_PERIOD }),
    ...(limits.cpuShares !== undefined && { shares: limits.cpuShares }),
    ...(limits.cpusetCpus !== undefined && { cpus: limits.cpusetCpus }),
    ...(limits.cpusetMems !== undefined && { mems: limits.cpusetMems }),
  };
  const rates = (kind: IoRateKind) => (limits.ioRates ?? []).filter((rate) => rate.kind === kind).map(({ device, rate }) => ({ ...device, rate }));
  const blockIO = {
    ...(limits.ioWeight !== undefined && { weight: limits.ioWeight }),
    ...(limits.ioWeights?.length && { weightDevice: limits.ioWeights.map(({ device, weight }) => ({ ...device, weight })) }),
    ...Object.fromEntries(IO_RATE_KINDS.flatMap((kind) => (rates(kind).length > 0 ? [[`throttle${kind}Device`, rates(kind)]] : []))),
  };
  return {
    ...(isFilled(memory) && { memory }),
    ...(isFilled(cpu) && { cpu }),
    ...(limits.pids !== undefined && { pids: { limit: limits.pids } }),
    ...(isFilled(blockIO) && { blockIO }),
  };
}

function isFilled(object: object): boolean {
  return Object.keys(object).length > 0;
}
