import type { CreateBody, HostConfig } from './create-body.ts';
import type { CreateContext } from './create-context.ts';

export interface AdaptedBody {
  readonly body: CreateBody;
  readonly warnings: readonly string[];
}

/** The request as dockerd keeps it: what this kernel can't do is taken out, with a warning in its words, and memory comes with as much swap. */
export function adaptedBody(body: CreateBody, { swapAccounting, cgroupVersion }: Pick<CreateContext, 'swapAccounting' | 'cgroupVersion'>): AdaptedBody {
  const host: HostConfig = { ...body.HostConfig };
  const warnings: string[] = [];
  if (host.MemorySwap > 0 && !swapAccounting) {
    warnings.push('Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.');
    host.MemorySwap = -1;
  }
  if (host.Memory > 0 && host.MemorySwap === 0 && swapAccounting) host.MemorySwap = host.Memory * 2;
  if (cgroupVersion === 2 && (host.MemorySwappiness ?? -1) >= 0) {
    warnings.push('Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.');
    host.MemorySwappiness = null;
  }
  if (host.OomKillDisable && cgroupVersion === 2) {
    warnings.push('Your kernel does not support OomKillDisable. OomKillDisable discarded.');
    host.OomKillDisable = false;
  }
  if (host.OomKillDisable && host.Memory === 0) warnings.push('OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.');
  return { body: { ...body, HostConfig: host }, warnings };
}
