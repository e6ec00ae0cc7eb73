import type { HostConfig } from './create-body.ts';
import { bad } from './refusal.ts';
import type { SpecInput } from './spec-input.ts';

type ResourcesInput = NonNullable<SpecInput['resources']>;

const MI = 1024 ** 2;
/** dockerd's own least. */
const LEAST_MEMORY = 6 * MI;
/** The kernel's default period, in microseconds. */
const CPU_PERIOD = 100_000;

/** What the container may use. Zero, and where Docker has it -1, is without limit. */
export function resourcesOf(host: HostConfig): ResourcesInput {
  return { ...cpuOf(host), ...memoryOf(host), ...(host.PidsLimit > 0 && { pids: host.PidsLimit }), ...blockIOOf(host) };
}

function cpuOf({ NanoCpus: nano, CpuQuota: quota, CpuPeriod: period, CpuShares: shares, CpusetCpus: cpusetCpus, CpusetMems: cpusetMems }: HostConfig): ResourcesInput {
  if (nano > 0 && (quota > 0 || period > 0)) throw bad('Conflicting options: Nano CPUs and CPU Period cannot both be set.');
  if (quota > 0 && quota < 1000) throw bad('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  if (period > 0 && (period < 1000 || period > 1_000_000)) throw bad('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  if (shares < 0) throw bad(`invalid CPU shares (${shares}): value must be a positive integer`);
  const share = Math.min(262_144, Math.max(2, shares)); // as the kernel takes it
  return {
    ...(nano > 0 && { cpu: `${Math.ceil(nano / 1e6)}m` }),
    ...(quota > 0 && { cpu: `${Math.ceil((quota * 1000) / (period || CPU_PERIOD))}m`, ...(period > 0 && { cpuPeriod: period }) }),
    ...(shares > 0 && { cpuShares: share }),
    ...(cpusetCpus !== '' && { cpusetCpus }),
    ...(cpusetMems !== '' && { cpusetMems }),
  };
}

function memoryOf({ Memory: memory, MemoryReservation: memoryReservation, MemorySwap: memorySwap, MemorySwappiness: swappiness, OomKillDisable: oomKillDisable }: HostConfig): ResourcesInput {
  const memorySwappiness = swappiness ?? -1;
  if (memory < 0 || (memory > 0 && memory < LEAST_MEMORY)) throw bad('Minimum memory limit allowed is 6MB');
  if (memorySwap > 0 && memory === 0) throw bad('You should always set the Memory limit when using Memoryswap limit, see usage');
  if (memorySwap > 0 && memorySwap < memory) throw bad('Minimum memoryswap limit should be larger than memory limit, see usage');
  if (memorySwappiness < -1 || memorySwappiness > 100) throw bad(`Invalid value: ${memorySwappiness}, valid memory swappiness range is 0-100`);
  if (memoryReservation > 0 && memoryReservation < LEAST_MEMORY) throw bad('Minimum memory reservation allowed is 6MB');
  if (memoryReservation > 0 && memory > 0 && memory < memoryReservation) throw bad('Minimum memory limit can not be less than memory reservation limit, see usage');
  return {
    ...(memory > 0 && { memory }),
    ...(memoryReservation > 0 && { memoryReservation }),
    ...(memorySwap > 0 && { memorySwap }),
    ...(memorySwappiness >= 0 && { memorySwappiness }),
    ...(oomKillDisable && memory > 0 && { oomKillDisable }), // without a limit there is nobody to spare
  };
}

function blockIOOf(host: HostConfig): ResourcesInput {
  const { BlkioWeight: weight } = host;
  if (weight !== 0 && (weight < 10 || weight > 1000)) throw bad('Range of blkio weight is from 10 to 1000');
  const rates = (devices: HostConfig['BlkioDeviceReadBps']) => devices.map(({ Path: path, Rate: rate }) => ({ path, rate }));
  const blockIO = {
    ...(weight > 0 && { weight }),
    ...filled('weightDevice', host.BlkioWeightDevice.map(({ Path: path, Weight: each }) => ({ path, weight: each }))),
    ...filled('throttleReadBpsDevice', rates(host.BlkioDeviceReadBps)),
    ...filled('throttleWriteBpsDevice', rates(host.BlkioDeviceWriteBps)),
    ...filled('throttleReadIOPSDevice', rates(host.BlkioDeviceReadIOps)),
    ...filled('throttleWriteIOPSDevice', rates(host.BlkioDeviceWriteIOps)),
  };
  return Object.keys(blockIO).length > 0 ? { blockIO } : {};
}

function filled<Field extends string, Item>(field: Field, items: readonly Item[]): Partial<Record<Field, Item[]>> {
  return items.length > 0 ? ({ [field]: [...items] } as Record<Field, Item[]>) : {};
}
