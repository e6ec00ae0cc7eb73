import type { HostConfig } from './create-body.ts';
import { bad } from './refusal.ts';
import type { SpecInput } from './spec-input.ts';

const MI = 1024 ** 2;
/** dockerd's own least. */
const LEAST_MEMORY = 6 * MI;
/** The kernel's default period, in microseconds. */
const CPU_PERIOD = 100_000;

/** What the container may use. Zero, and where Docker has it -1, is without limit. */
export function resourcesOf(host: HostConfig): NonNullable<SpecInput['resources']> {
  const { Memory: memory, PidsLimit: pids } = host;
  if (memory < 0 || (memory > 0 && memory < LEAST_MEMORY)) throw bad('Minimum memory limit allowed is 6MB');
  const cpu = cpuOf(host);
  return { ...(cpu !== undefined && { cpu }), ...(memory > 0 && { memory }), ...(pids > 0 && { pids }) };
}

/** In cores, in thousandths. */
function cpuOf({ NanoCpus: nano, CpuQuota: quota, CpuPeriod: period }: HostConfig): string | undefined {
  if (nano > 0 && (quota > 0 || period > 0)) throw bad('Conflicting options: Nano CPUs and CPU Period cannot both be set.');
  if (nano > 0) return `${Math.ceil(nano / 1e6)}m`;
  if (quota > 0 && quota < 1000) throw bad('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  if (period > 0 && (period < 1000 || period > 1_000_000)) throw bad('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  return quota > 0 ? `${Math.ceil((quota * 1000) / (period || CPU_PERIOD))}m` : undefined;
}
