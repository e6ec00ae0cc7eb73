import { z } from 'zod';

// As Go decodes them: null is as good as absent, and what is unknown is passed over.
const text = z.string().nullish().transform((value) => value ?? '');
const flag = z.boolean().nullish().transform((value) => value ?? false);
const number = z.number().nullish().transform((value) => value ?? 0);
const texts = listOf(z.string());
const labels = mapOf(z.string());
const options = mapOf(z.string());
/** A set, as Go's `map[string]struct{}` is written. */
const names = mapOf(z.unknown()).transform((map) => Object.keys(map));
/** A command line in words; one text is one word (moby's strslice). Null where the image's own counts. */
const words = z
  .union([z.string(), z.array(z.string())])
  .nullish()
  .transform((value) => (typeof value === 'string' ? [value] : (value ?? null)));

function listOf<T extends z.ZodType>(item: T) {
  return z.array(item).nullish().transform((value) => value ?? []);
}

function mapOf<T extends z.ZodType>(item: T) {
  return z.record(z.string(), item).nullish().transform((value) => value ?? {});
}

const deviceRate = z.object({ Path: text, Rate: number });

const healthcheck = z.object({ Test: texts, Interval: number, Timeout: number, StartPeriod: number, StartInterval: number, Retries: number });

const mount = z.object({
  Type: text,
  Source: text,
  Target: text,
  ReadOnly: flag,
  Consistency: text,
  BindOptions: z.object({ Propagation: text, NonRecursive: flag, CreateMountpoint: flag, ReadOnlyNonRecursive: flag, ReadOnlyForceRecursive: flag }).nullish(),
  VolumeOptions: z.object({ NoCopy: flag, Subpath: text, Labels: labels, DriverConfig: z.object({ Name: text, Options: options }).nullish() }).nullish(),
  TmpfsOptions: z.object({ SizeBytes: number, Mode: number, Options: listOf(z.array(z.string())) }).nullish(),
});

const hostConfig = z.object({
  Binds: texts,
  ContainerIDFile: text,
  LogConfig: z.object({ Type: text, Config: options }).nullish(),
  NetworkMode: text,
  PortBindings: mapOf(listOf(z.object({ HostIp: text, HostPort: text }))),
  RestartPolicy: z.object({ Name: text, MaximumRetryCount: number }).nullish(),
  AutoRemove: flag,
  VolumeDriver: text,
  VolumesFrom: texts,
  Mounts: listOf(mount),
  CapAdd: texts,
  CapDrop: texts,
  CgroupnsMode: text,
  Dns: texts,
  DnsOptions: texts,
  DnsSearch: texts,
  ExtraHosts: texts,
  GroupAdd: texts,
  IpcMode: text,
  Cgroup: text,
  Links: texts,
  OomScoreAdj: number,
  PidMode: text,
  Privileged: flag,
  PublishAllPorts: flag,
  ReadonlyRootfs: flag,
  SecurityOpt: texts,
  StorageOpt: options,
  Tmpfs: options,
  UTSMode: text,
  UsernsMode: text,
  ShmSize: number,
  Sysctls: options,
  Runtime: text,
  Isolation: text,
  /** Null: the usual ones. */
  MaskedPaths: z.array(z.string()).nullish(),
  ReadonlyPaths: z.array(z.string()).nullish(),
  CpuShares: number,
  Memory: number,
  CgroupParent: text,
  BlkioWeight: number,
  BlkioWeightDevice: listOf(z.object({ Path: text, Weight: number })),
  BlkioDeviceReadBps: listOf(deviceRate),
  BlkioDeviceWriteBps: listOf(deviceRate),
  BlkioDeviceReadIOps: listOf(deviceRate),
  BlkioDeviceWriteIOps: listOf(deviceRate),
  CpuPeriod: number,
  CpuQuota: number,
  CpuRealtimePeriod: number,
  CpuRealtimeRuntime: number,
  CpusetCpus: text,
  CpusetMems: text,
  Devices: listOf(z.object({ PathOnHost: text, PathInContainer: text, CgroupPermissions: text })),
  DeviceCgroupRules: texts,
  DeviceRequests: listOf(z.object({ Driver: text, Count: number, DeviceIDs: texts, Capabilities: listOf(z.array(z.string())), Options: options })),
  KernelMemory: number,
  KernelMemoryTCP: number,
  MemoryReservation: number,
  MemorySwap: number,
  /** Null or -1: the kernel's own. */
  MemorySwappiness: z.number().nullish(),
  NanoCpus: number,
  OomKillDisable: flag,
  Init: flag,
  PidsLimit: number,
  Ulimits: listOf(z.object({ Name: text, Soft: number, Hard: number })),
});

const endpoint = z.object({
  IPAMConfig: z.object({ IPv4Address: text, IPv6Address: text, LinkLocalIPs: texts }).nullish(),
  Links: texts,
  Aliases: texts,
  MacAddress: text,
  DriverOpts: options,
});

/** `POST /containers/create` of Engine API 1.24 to 1.41: Config, HostConfig and NetworkingConfig. Checks nothing but types. */
export const createBodySchema = z.object({
  Hostname: text,
  Domainname: text,
  User: text,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  ExposedPorts: names,
  Tty: flag,
  OpenStdin: flag,
  StdinOnce: flag,
  Env: texts,
  Cmd: words,
  Healthcheck: healthcheck.nullish(),
  Image: text,
  Volumes: names,
  WorkingDir: text,
  Entrypoint: words,
  NetworkDisabled: flag,
  MacAddress: text,
  Labels: labels,
  StopSignal: text,
  /** Seconds. */
  StopTimeout: z.number().nullish(),
  HostConfig: hostConfig.nullish().transform((given) => given ?? hostConfig.parse({})),
  NetworkingConfig: z.object({ EndpointsConfig: mapOf(endpoint.nullish()) }).nullish(),
});

export type CreateBody = z.output<typeof createBodySchema>;
export type HostConfig = CreateBody['HostConfig'];
export type EndpointConfig = z.output<typeof endpoint>;
export type MountConfig = HostConfig['Mounts'][number];
