import { arch, availableParallelism, hostname, totalmem } from 'node:os';
import { readdir } from 'node:fs/promises';
import { foundContainers } from './container-lookup.ts';
import type { DockerServices } from './docker-services.ts';
import { engineId, nodeFacts } from './node-facts.ts';
import { LEAST_VERSION, NEWEST_VERSION, versionText } from './version.ts';

/** As uname(2) says it. */
const MACHINES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };
/** As Go says it. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** `SystemVersion`. */
export function versionObject({ info }: Pick<DockerServices, 'info'>): Record<string, unknown> {
  const { version, kernel, startedAt } = info();
  const [ApiVersion, MinAPIVersion, Arch] = [versionText(NEWEST_VERSION), versionText(LEAST_VERSION), ARCHITECTURES[arch()] ?? arch()];
  return {
    Platform: { Name: 'Mooring' },
    Components: [{ Name: 'Engine', Version: version, Details: { ApiVersion, Arch, BuildTime: '', Experimental: 'false', GitCommit: '', GoVersion: '', KernelVersion: kernel, MinAPIVersion, Os: 'linux', StartedAt: startedAt } }],
    Version: version,
    ApiVersion,
    MinAPIVersion,
    GitCommit: '',
    GoVersion: '',
    Os: 'linux',
    Arch,
    KernelVersion: kernel,
    BuildTime: '',
  };
}

/** `SystemInfo`. */
export async function infoObject({ info, images, reconciler, told }: DockerServices): Promise<Record<string, unknown>> {
  const { version, kernel, dataDir, instance } = info();
  const [facts, stored, descriptors] = await Promise.all([nodeFacts(dataDir), images.list(), readdir('/proc/self/fd')]);
  const containers = foundContainers({ reconciler });
  const running = containers.filter(({ view }) => view.status.pid !== undefined);
  const paused = running.filter(({ view }) => view.phase === 'Paused');
  const has = (controller: string): boolean => facts.controllers.has(controller);
  const commit = { ID: version, Expected: version };
  const registry = images.registryOf();
  return {
    ID: engineId(facts, instance),
    Containers: containers.length,
    ContainersRunning: running.length - paused.length,
    ContainersPaused: paused.length,
    ContainersStopped: containers.length - running.length,
    Images: stored.length,
    Driver: 'overlay2',
    DriverStatus: [
      ['Backing Filesystem', facts.backingFileSystem],
      ['Supports d_type', 'true'],
      ['Native Overlay Diff', 'true'],
    ],
    Plugins: { Volume: ['local'], Network: ['bridge', 'host', 'ipvlan', 'macvlan', 'null'], Authorization: null, Log: ['json-file', 'local'] },
    MemoryLimit: has('memory'),
    SwapLimit: facts.swapLimit,
    KernelMemory: facts.kernelMemory,
    KernelMemoryTCP: false,
    CpuCfsPeriod: facts.cpuCfs,
    CpuCfsQuota: facts.cpuCfs,
    CPUShares: has('cpu'),
    CPUSet: has('cpuset'),
    PidsLimit: has('pids'),
    IPv4Forwarding: facts.forwardsIPv4,
    BridgeNfIptables: false,
    BridgeNfIp6tables: false,
    Debug: false,
    NFd: descriptors.length,
    OomKillDisable: facts.oomKillDisable,
    NGoroutines: 0,
    SystemTime: new Date().toISOString(),
    LoggingDriver: 'json-file',
    CgroupDriver: 'cgroupfs',
    CgroupVersion: facts.cgroupVersion,
    NEventsListener: told.listeners,
    KernelVersion: kernel,
    OperatingSystem: facts.operatingSystem,
    OSVersion: facts.osVersion,
    OSType: 'linux',
    Architecture: MACHINES[arch()] ?? arch(),
    IndexServerAddress: registry === 'docker.io' ? 'https://index.docker.io/v1/' : `https://${registry}/v2/`,
    RegistryConfig: { AllowNondistributableArtifactsCIDRs: [], AllowNondistributableArtifactsHostnames: [], InsecureRegistryCIDRs: ['127.0.0.0/8'], IndexConfigs: { 'docker.io': { Name: 'docker.io', Mirrors: [], Secure: true, Official: true } }, Mirrors: [] },
    NCPU: availableParallelism(),
    MemTotal: totalmem(),
    GenericResources: null,
    DockerRootDir: dataDir,
    HttpProxy: process.env['HTTP_PROXY'] ?? '',
    HttpsProxy: process.env['HTTPS_PROXY'] ?? '',
    NoProxy: process.env['NO_PROXY'] ?? '',
    Name: hostname(),
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: version,
    Runtimes: { mooring: { path: 'mooring-runtime' } },
    DefaultRuntime: 'mooring',
    Swarm: { NodeID: '', NodeAddr: '', LocalNodeState: 'inactive', ControlAvailable: false, Error: '', RemoteManagers: null },
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: 'mooring-init',
    ContainerdCommit: commit,
    RuncCommit: commit,
    InitCommit: commit,
    SecurityOptions: [...(facts.apparmor ? ['name=apparmor'] : []), 'name=seccomp,profile=default'],
    Warnings: warnings(facts),
  };
}

/** What this node can't do, in the engine's words; null where there is nothing. */
function warnings({ controllers, swapLimit, forwardsIPv4 }: Awaited<ReturnType<typeof nodeFacts>>): string[] | null {
  const all = [
    ...(controllers.has('memory') ? [] : ['WARNING: No memory limit support']),
    ...(swapLimit ? [] : ['WARNING: No swap limit support']),
    ...(controllers.has('cpu') ? [] : ['WARNING: No cpu shares support']),
    ...(controllers.has('cpuset') ? [] : ['WARNING: No cpuset support']),
    ...(forwardsIPv4 ? [] : ['WARNING: IPv4 forwarding is disabled']),
  ];
  return all.length === 0 ? null : all;
}
