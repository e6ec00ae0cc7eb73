import type { CreateBody } from './create-body.ts';
import { bad, unsupported } from './refusal.ts';

/** Docker's own runtimes are asked for where any will do. */
const RUNTIMES = new Set(['', 'runc', 'io.containerd.runc.v2', 'mooring-runtime']);

/** Throws for what is asked for and can't be had whatever else is asked for. */
export function refuse({ HostConfig: host }: CreateBody): void {
  if (!RUNTIMES.has(host.Runtime)) throw bad(`unknown or invalid runtime name: ${host.Runtime}`);
  if (host.Isolation !== '' && host.Isolation !== 'default') throw bad(`invalid isolation "${host.Isolation}": linux only supports 'default'`);
  if (host.UsernsMode !== '' && host.UsernsMode !== 'host') throw bad(`invalid USER mode: ${host.UsernsMode}`);
  if (host.Cgroup !== '') throw unsupported('sharing a cgroup (Cgroup)', 'leave it out');
  if (Object.keys(host.StorageOpt).length > 0) throw bad("--storage-opt is supported only for overlay over xfs with 'pquota' mount option");
  if (host.KernelMemory > 0) throw unsupported('a limit of kernel memory (KernelMemory)', 'leave it out: the kernel has it no more; Memory counts it');
  if (host.KernelMemoryTCP > 0) throw unsupported('a limit of TCP memory (KernelMemoryTCP)', 'leave it out');
  if (host.CpuRealtimePeriod > 0 || host.CpuRealtimeRuntime > 0) throw unsupported('the real-time scheduler for containers (CpuRealtimePeriod, CpuRealtimeRuntime)', 'leave it out');
  if (host.CgroupParent !== '') throw unsupported("a parent cgroup of one's own (CgroupParent)", 'leave it out: all containers of a daemon are below its own');
  const [request] = host.DeviceRequests;
  if (request !== undefined) throw bad(`could not select device driver "${request.Driver}" with capabilities: ${JSON.stringify(request.Capabilities)}`);
}
