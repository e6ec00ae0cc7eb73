import type { CreateBody } from './create/create-body.ts';

const MASKED_PATHS = ['/proc/asound', '/proc/acpi', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list', '/proc/timer_stats', '/proc/sched_debug', '/proc/scsi', '/sys/firmware', '/sys/devices/virtual/powercap'];
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];
const SHM_SIZE = 64 * 1024 ** 2;

/** `HostConfig` of an inspection: what was asked for, with the defaults that the engine fills in, in the form in which Docker's own command asks. */
export function hostConfigBlock({ HostConfig: host }: Pick<CreateBody, 'HostConfig'>) {
  return {
    ...host,
    Binds: orNull(host.Binds),
    LogConfig: { Type: host.LogConfig?.Type || 'json-file', Config: host.LogConfig?.Config ?? {} },
    NetworkMode: host.NetworkMode || 'default',
    RestartPolicy: { Name: host.RestartPolicy?.Name || 'no', MaximumRetryCount: host.RestartPolicy?.MaximumRetryCount ?? 0 },
    VolumesFrom: orNull(host.VolumesFrom),
    Mounts: host.Mounts.length > 0 ? host.Mounts : undefined,
    CapAdd: orNull(host.CapAdd),
    CapDrop: orNull(host.CapDrop),
    CgroupnsMode: host.CgroupnsMode || 'private',
    ExtraHosts: orNull(host.ExtraHosts),
    GroupAdd: orNull(host.GroupAdd),
    IpcMode: host.IpcMode || 'private',
    Links: orNull(host.Links),
    SecurityOpt: orNull(host.SecurityOpt),
    StorageOpt: Object.keys(host.StorageOpt).length > 0 ? host.StorageOpt : undefined,
    Tmpfs: Object.keys(host.Tmpfs).length > 0 ? host.Tmpfs : undefined,
    ShmSize: host.ShmSize || SHM_SIZE,
    Sysctls: Object.keys(host.Sysctls).length > 0 ? host.Sysctls : undefined,
    Runtime: host.Runtime || 'runc',
    ConsoleSize: [0, 0],
    BlkioDeviceReadBps: orNull(host.BlkioDeviceReadBps),
    BlkioDeviceWriteBps: orNull(host.BlkioDeviceWriteBps),
    BlkioDeviceReadIOps: orNull(host.BlkioDeviceReadIOps),
    BlkioDeviceWriteIOps: orNull(host.BlkioDeviceWriteIOps),
    DeviceCgroupRules: orNull(host.DeviceCgroupRules),
    DeviceRequests: orNull(host.DeviceRequests),
    MemorySwappiness: host.MemorySwappiness === undefined || host.MemorySwappiness === -1 ? null : host.MemorySwappiness,
    Init: host.Init ? true : undefined,
    PidsLimit: host.PidsLimit > 0 ? host.PidsLimit : null,
    Ulimits: orNull(host.Ulimits),
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
    MaskedPaths: host.Privileged ? null : (host.MaskedPaths ?? MASKED_PATHS),
    ReadonlyPaths: host.Privileged ? null : (host.ReadonlyPaths ?? READONLY_PATHS),
  };
}

/** As Go writes a list that was never made. */
function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length > 0 ? list : null;
}
