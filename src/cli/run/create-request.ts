import { MooringError } from '../../lib/errors.ts';
import { badFlag } from './bad-flag.ts';
import { type HealthRequest, healthOf } from './health.ts';
import { mapOf, readPairs, variableOf } from './key-value-files.ts';
import { byteRateOf, deviceOf, deviceRuleOf, deviceWeightOf, operationRateOf, ulimitOf } from './limits.ts';
import { mountOf, tmpfsOf, volumesOf } from './mounts.ts';
import { type EndpointRequest, hostOf, nameServerOf, networksOf } from './networks.ts';
import { bytesOf, bytesOrUnlimited, nanoCpusOf, wholeNumber } from './numbers.ts';
import { portsOf } from './ports.ts';
import type { RunFlags } from './run-flags.ts';
import { securityOf } from './security.ts';
import type { Surroundings } from './surroundings.ts';

/** The body of `POST /containers/create`: Docker's Config, HostConfig and NetworkingConfig. What is not set is not there. */
export interface CreateRequest {
  readonly Image: string;
  readonly Cmd: readonly string[] | null;
  readonly Entrypoint?: readonly string[];
  readonly Healthcheck?: HealthRequest;
  readonly Tty: boolean;
  readonly OpenStdin: boolean;
  readonly StdinOnce: boolean;
  readonly AttachStdin: boolean;
  readonly AttachStdout: boolean;
  readonly AttachStderr: boolean;
  readonly HostConfig: Readonly<Record<string, unknown>>;
  readonly NetworkingConfig: { readonly EndpointsConfig: Readonly<Record<string, EndpointRequest>> };
  readonly [further: string]: unknown;
}

export type Stream = 'stdin' | 'stdout' | 'stderr';

/** What `docker create` would send for these flags (https://docs.docker.com/reference/cli/docker/container/run/). Throws `Invalid` for a value that is wrong, `Unsupported` for what Mooring does not do. */
export function createRequest(image: string, command: readonly string[], flags: RunFlags, here: Surroundings): CreateRequest {
  refuse(flags);
  const attached = attachedOf(flags);
  const { exposed, bindings } = portsOf(flags.publish, flags.expose);
  const { binds, anonymous } = volumesOf(flags.volume, here);
  const { mode, endpoints } = networksOf(flags);
  const health = healthOf(flags);
  return {
    Image: image,
    Cmd: command.length === 0 ? null : command,
    ...(flags.entrypoint !== undefined && { Entrypoint: [flags.entrypoint] }),
    Tty: flags.tty === true,
    OpenStdin: flags.interactive === true,
    AttachStdin: attached.has('stdin'),
    AttachStdout: attached.has('stdout'),
    AttachStderr: attached.has('stderr'),
    StdinOnce: flags.interactive === true && attached.has('stdin'),
    ...given({
      Hostname: flags.hostname,
      Domainname: flags.domainname,
      User: flags.user,
      WorkingDir: flags.workdir,
      StopSignal: flags.stopSignal,
      StopTimeout: number('--stop-timeout', flags.stopTimeout, -1),
      MacAddress: flags.macAddress,
    }),
    ...(health !== undefined && { Healthcheck: health }),
    Env: [...flags.envFile.flatMap((path) => readPairs('--env-file', path, here)), ...flags.env.map((text) => variableOf(text, here))],
    Labels: { ...mapOf(flags.labelFile.flatMap((path) => readPairs('--label-file', path, here))), ...mapOf(flags.label) },
    ExposedPorts: emptyOf(exposed),
    Volumes: emptyOf(anonymous),
    HostConfig: { NetworkMode: mode, PortBindings: bindings, Binds: binds, ...hostConfigOf(flags, here) },
    NetworkingConfig: { EndpointsConfig: endpoints },
  };
}

function refuse(flags: RunFlags): void {
  if (flags.gpus !== undefined) throw new MooringError('Unsupported', '--gpus: Mooring has no driver for GPUs', { fix: 'give the devices themselves: --device /dev/nvidia0 --device /dev/nvidiactl' });
  if (flags.rm === true && flags.restart !== undefined && !/^(no)?$/.test(flags.restart)) throw new MooringError('Invalid', '--rm and --restart do not go together', { fix: 'a container is removed once it has ended, or it is started again' });
  if (flags.detach === true && flags.attach.length > 0) throw new MooringError('Invalid', '--attach and --detach do not go together');
}

/** The streams that are joined to the terminal or the pipes of this command. */
export function attachedOf({ attach, detach, interactive }: Pick<RunFlags, 'attach' | 'detach' | 'interactive'>): ReadonlySet<Stream> {
  const streams = attach.map((text): Stream => {
    const stream = text.toLowerCase();
    if (stream === 'stdin' || stream === 'stdout' || stream === 'stderr') return stream;
    throw badFlag('--attach', text, 'is no stream', 'write stdin, stdout or stderr');
  });
  if (detach === true) return new Set();
  const outputs: Stream[] = streams.length > 0 ? streams : ['stdout', 'stderr'];
  return new Set(interactive === true ? ['stdin', ...outputs] : outputs);
}

function hostConfigOf(flags: RunFlags, here: Surroundings): Record<string, unknown> {
  const security = securityOf(flags.securityOpt, here);
  return given({
    Privileged: flags.privileged,
    PublishAllPorts: flags.publishAll,
    ReadonlyRootfs: flags.readOnly,
    AutoRemove: flags.rm,
    Init: flags.init,
    OomKillDisable: flags.oomKillDisable,
    ContainerIDFile: flags.cidfile,
    RestartPolicy: restartOf(flags.restart),
    LogConfig: flags.logDriver === undefined && flags.logOpt.length === 0 ? undefined : { Type: flags.logDriver ?? '', Config: mapOf(flags.logOpt) },
    Annotations: filled(mapOf(flags.annotation)),
    VolumesFrom: filled(flags.volumesFrom),
    VolumeDriver: flags.volumeDriver,
    Mounts: filled(flags.mount.map((text) => mountOf(text, here))),
    Tmpfs: filled(tmpfsOf(flags.tmpfs)),
    CapAdd: filled(flags.capAdd.map(capabilityOf)),
    CapDrop: filled(flags.capDrop.map(capabilityOf)),
    GroupAdd: filled(flags.groupAdd),
    Dns: filled(flags.dns.map(nameServerOf)),
    DnsOptions: filled(flags.dnsOption),
    DnsSearch: filled(flags.dnsSearch),
    ExtraHosts: filled(flags.addHost.map(hostOf)),
    Links: filled(flags.link),
    IpcMode: flags.ipc,
    PidMode: pidMode(flags.pid),
    UTSMode: namespaceOf('--uts', flags.uts, ['host', '']),
    UsernsMode: namespaceOf('--userns', flags.userns, ['host', '']),
    CgroupnsMode: namespaceOf('--cgroupns', flags.cgroupns, ['host', 'private', '']),
    SecurityOpt: filled(security.options),
    ...(security.openPaths && { MaskedPaths: [], ReadonlyPaths: [] }),
    StorageOpt: filled(mapOf(flags.storageOpt)),
    Sysctls: filled(mapOf(flags.sysctl)),
    Runtime: flags.runtime,
    ShmSize: size('--shm-size', flags.shmSize),
    ...resourcesOf(flags),
  });
}

/** The limits among HostConfig's fields; those that are not set are undefined. */
export function resourcesOf(flags: RunFlags): Record<string, unknown> {
  return {
    CgroupParent: flags.cgroupParent,
    Memory: size('--memory', flags.memory),
    MemoryReservation: size('--memory-reservation', flags.memoryReservation),
    MemorySwap: flags.memorySwap === undefined ? undefined : bytesOrUnlimited('--memory-swap', flags.memorySwap),
    MemorySwappiness: number('--memory-swappiness', flags.memorySwappiness, -1, 100),
    NanoCpus: flags.cpus === undefined ? undefined : nanoCpusOf('--cpus', flags.cpus),
    CpuPeriod: number('--cpu-period', flags.cpuPeriod),
    CpuQuota: number('--cpu-quota', flags.cpuQuota, -1),
    CpuRealtimePeriod: number('--cpu-rt-period', flags.cpuRtPeriod),
    CpuRealtimeRuntime: number('--cpu-rt-runtime', flags.cpuRtRuntime),
    CpuShares: number('--cpu-shares', flags.cpuShares),
    CpusetCpus: flags.cpusetCpus,
    CpusetMems: flags.cpusetMems,
    PidsLimit: number('--pids-limit', flags.pidsLimit, -1),
    OomScoreAdj: number('--oom-score-adj', flags.oomScoreAdj, -1000, 1000),
    BlkioWeight: number('--blkio-weight', flags.blkioWeight, 0, 1000),
    BlkioWeightDevice: filled(flags.blkioWeightDevice.map((text) => deviceWeightOf('--blkio-weight-device', text))),
    BlkioDeviceReadBps: filled(flags.deviceReadBps.map((text) => byteRateOf('--device-read-bps', text))),
    BlkioDeviceWriteBps: filled(flags.deviceWriteBps.map((text) => byteRateOf('--device-write-bps', text))),
    BlkioDeviceReadIOps: filled(flags.deviceReadIops.map((text) => operationRateOf('--device-read-iops', text))),
    BlkioDeviceWriteIOps: filled(flags.deviceWriteIops.map((text) => operationRateOf('--device-write-iops', text))),
    Devices: filled(flags.device.map(deviceOf)),
    DeviceCgroupRules: filled(flags.deviceCgroupRule.map(deviceRuleOf)),
    Ulimits: filled(flags.ulimit.map(ulimitOf)),
  };
}

/** --restart `no`, `always`, `unless-stopped`, `on-failure`, `on-failure:5`. */
export function restartOf(text: string | undefined): { Name: string; MaximumRetryCount: number } | undefined {
  if (text === undefined || text === '') return undefined;
  const [, Name = '', count] = /^(no|always|unless-stopped|on-failure)(?::(.*))?$/.exec(text) ?? [];
  if (Name === '') throw badFlag('--restart', text, 'is no restart policy', 'write no, always, unless-stopped, on-failure or on-failure:COUNT');
  if (count !== undefined && Name !== 'on-failure') throw badFlag('--restart', text, 'only on-failure has a count');
  return { Name, MaximumRetryCount: count === undefined ? 0 : wholeNumber('--restart', count) };
}

function pidMode(text: string | undefined): string | undefined {
  if (text !== undefined && !/^(host|container:.+|)$/.test(text)) throw badFlag('--pid', text, 'is unknown', 'write host or container:NAME');
  return text;
}

/** `net_admin` as `CAP_NET_ADMIN`. */
function capabilityOf(text: string): string {
  const name = text.trim().toUpperCase();
  return name === 'ALL' || name.startsWith('CAP_') ? name : `CAP_${name}`;
}

function namespaceOf(flag: string, text: string | undefined, known: readonly string[]): string | undefined {
  if (text !== undefined && !known.includes(text)) throw badFlag(flag, text, 'is unknown', `write ${known.filter((word) => word !== '').join(' or ')}`);
  return text;
}

function size(flag: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : bytesOf(flag, text);
}

function number(flag: string, text: string | undefined, least = 0, most?: number): number | undefined {
  return text === undefined ? undefined : wholeNumber(flag, text, least, most);
}

function emptyOf(names: readonly string[]): Record<string, Record<string, never>> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

/** Nothing instead of what holds nothing. */
function filled<T extends readonly unknown[] | Readonly<Record<string, unknown>>>(value: T): T | undefined {
  return Object.keys(value).length === 0 ? undefined : value;
}

/** Without what is not set. */
function given(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
