/** What `mooring create` and `mooring run` were told, in Docker's flags, as the parser names them. */
export type RunFlags = Readonly<Record<ListFlag, readonly string[]> & Partial<Record<TextFlag, string>> & Partial<Record<SwitchFlag, boolean>>> & {
  /** False with --no-healthcheck. */
  readonly healthcheck: boolean;
};

type ListFlag = (typeof LISTS)[number];
type TextFlag = (typeof TEXTS)[number];
type SwitchFlag = (typeof SWITCHES)[number];

/** Those that may be given several times. */
const LISTS = [
  'addHost', 'annotation', 'attach', 'blkioWeightDevice', 'capAdd', 'capDrop', 'device', 'deviceCgroupRule', 'deviceReadBps', 'deviceReadIops', 'deviceWriteBps', 'deviceWriteIops', 'dns', 'dnsOption', 'dnsSearch', 'env', 'envFile',
  'expose', 'groupAdd', 'label', 'labelFile', 'link', 'linkLocalIp', 'logOpt', 'mount', 'network', 'networkAlias', 'publish', 'securityOpt', 'storageOpt', 'sysctl', 'tmpfs', 'ulimit', 'volume', 'volumesFrom',
] as const;
const TEXTS = [
  'blkioWeight', 'cgroupParent', 'cgroupns', 'cidfile', 'cpuPeriod', 'cpuQuota', 'cpuRtPeriod', 'cpuRtRuntime', 'cpuShares', 'cpus', 'cpusetCpus', 'cpusetMems', 'detachKeys', 'domainname', 'entrypoint', 'gpus', 'healthCmd', 'healthInterval',
  'healthRetries', 'healthStartInterval', 'healthStartPeriod', 'healthTimeout', 'hostname', 'ip', 'ip6', 'ipc', 'logDriver', 'macAddress', 'memory', 'memoryReservation', 'memorySwap', 'memorySwappiness', 'name',
  'oomScoreAdj', 'pid', 'pidsLimit', 'platform', 'pull', 'restart', 'runtime', 'shmSize', 'stopSignal', 'stopTimeout', 'user', 'userns', 'uts', 'volumeDriver', 'workdir',
] as const;
const SWITCHES = ['detach', 'init', 'interactive', 'oomKillDisable', 'privileged', 'publishAll', 'quiet', 'readOnly', 'rm', 'sigProxy', 'tty'] as const;

/** Older names of flags, which mean the same. */
const OLD: Readonly<Record<string, ListFlag>> = { net: 'network', netAlias: 'networkAlias', dnsOpt: 'dnsOption' };

/** The flags with a list, if an empty one, for each that may be repeated. */
export function wholeFlags(given: Readonly<Record<string, unknown>>): RunFlags {
  const lists = Object.fromEntries(LISTS.map((flag) => [flag, [...((given[flag] as string[] | undefined) ?? [])]])) as Record<ListFlag, string[]>;
  for (const [old, flag] of Object.entries(OLD)) lists[flag].push(...((given[old] as string[] | undefined) ?? []));
  return { healthcheck: true, ...given, ...lists };
}
