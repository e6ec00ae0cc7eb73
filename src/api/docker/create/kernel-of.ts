import type { HostConfig } from './create-body.ts';
import { bad } from './refusal.ts';
import type { SpecInput } from './spec-input.ts';

/** What the kernel is told of the container's processes: settings, limits of each, and whom it ends first. */
export function kernelOf({ Sysctls: sysctls, Ulimits: ulimits, OomScoreAdj: oomScoreAdj, ShmSize: shmSize }: HostConfig): SpecInput {
  if (shmSize < 0) throw bad('SHM size can not be less than 0');
  if (oomScoreAdj < -1000 || oomScoreAdj > 1000) throw bad(`Invalid value ${oomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  return {
    sysctls: Object.entries(sysctls).map(([name, value]) => ({ name, value })),
    ulimits: ulimits.map(ulimit),
    oomScoreAdj,
    ...(shmSize > 0 && { shmSize }),
  };
}

type UlimitInput = NonNullable<SpecInput['ulimits']>[number];

/** The largest that a Docker client can say, which stands for "without limit". */
const MOST = 2 ** 63;

function ulimit({ Name: name, Soft: soft, Hard: hard }: HostConfig['Ulimits'][number]): UlimitInput {
  if (hard !== -1 && (soft === -1 || soft > hard)) throw bad(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  const exact = (value: number) => (value >= MOST ? -1 : value);
  return { name: name as UlimitInput['name'], soft: exact(soft), hard: exact(hard) };
}
