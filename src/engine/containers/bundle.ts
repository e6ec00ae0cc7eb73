import { createHash } from 'node:crypto';
import { hostname as nodesHostname } from 'node:os';
import { basename } from 'node:path';

import type { Container } from '../../spec/container.ts';
import { UNLIMITED } from '../../spec/ulimit.ts';
import type { GivenConfig } from '../config.ts';
import type { Image } from '../images/image-store.ts';
import { bundleMounts } from './bundle-mounts.ts';
import { grantedCapabilities } from './capabilities.ts';
import type { HostFacts } from './host-facts.ts';
import type { DeviceNumber } from './device-number.ts';
import type { GrantedDevices } from './devices.ts';
import { dockerSeccomp } from './docker-seccomp.ts';
import type { JoinedPaths } from './joined-namespaces.ts';
import { limitsOf, runtimeLimits } from './limits.ts';
import type { OwnMount } from './own-mounts.ts';
import { processArguments, processEnvironment } from './process-arguments.ts';
import type { ResolvedUser } from './process-user.ts';
import { INIT_ANNOTATION, LIMITS_ANNOTATION, OVERLAY_ANNOTATION, parseRuntimeConfig, RLIM_INFINITY, type RootOverlay, type RuntimeConfig, type RuntimeDeviceRule, SECCOMP_CACHE_ANNOTATION } from './runtime-spec.ts';
import { seccompProfile } from './seccomp-profile.ts';

export interface BundleOptions {
  readonly container: Container;
  readonly image: Image;
  readonly user: ResolvedUser;
  readonly host: HostFacts;
  /** Absolute; below every hierarchy's mount point. Its last part is the container's id. */
  readonly cgroupPath: string;
  /** Absolute folders of the overlay's writable half. */
  readonly upper: string;
  readonly work: string;
  /** They are of no use after a crash, so that nobody need wait until they are on disk. */
  readonly volatile?: true;
  /** Where its network namespace is found when it is started; undefined where the runtime makes one, or none is wanted. */
  readonly networkPath: string | undefined;
  /** What it shares with other containers. */
  readonly joined?: JoinedPaths;
  /** Nodes beside the usual ones, and what may be done with them. */
  readonly devices?: GrantedDevices;
  /** Files that the container is to see at these places. */
  readonly nameFiles: Readonly<Record<string, string>>;
  /** Its own mounts, with those that its image asks for. Without them, what the spec says, which then has no volumes. */
  readonly mounts?: readonly OwnMount[];
  /** Folder where the runtime keeps compiled filters. */
  readonly seccompCache: string;
  /** The numbers of the block devices that its limits name. */
  readonly blockDevices?: ReadonlyMap<string, DeviceNumber>;
  /** The text of the seccomp profile that the container names; undefined where it names none. */
  readonly seccompText?: string | undefined;
  /** Its variables where they are not all written out in its spec. */
  readonly env?: GivenConfig['env'] | undefined;
}

/** A bundle's config.json, and the hash by which an untouched one is known again. */
export interface Bundle {
  readonly config: RuntimeConfig;
  readonly text: string;
  readonly hash: string;
}

const MASKED = ['acpi', 'asound', 'interrupts', 'kcore', 'keys', 'latency_stats', 'sched_debug', 'scsi', 'timer_list', 'timer_stats'].map((name) => `/proc/${name}`);
const MASKED_SYS = ['/sys/devices/virtual/powercap', '/sys/firmware'];
const READ_ONLY = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map((name) => `/proc/${name}`);

/** null, zero, full, random, urandom, tty, console, ptmx and ptys for use; any node for making, which is of no use without the former. */
const DEVICES: readonly RuntimeDeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...[[1, 3], [1, 5], [1, 7], [1, 8], [1, 9], [5, 0], [5, 1], [5, 2]].map(([major = 0, minor = 0]) => ({ allow: true, type: 'c' as const, major, minor, access: 'rwm' })),
  { allow: true, type: 'c', major: 136, access: 'rwm' },
];

const ALL_DEVICES: readonly RuntimeDeviceRule[] = [{ allow: true, access: 'rwm' }];

/** Pure: the same options give the same text. Throws `Invalid` for what the schema can't see, such as an image with nothing to run. */
export function makeBundle(options: BundleOptions): Bundle {
  const { container, image, user, host } = options;
  const { spec } = container;
  const capabilities = grantedCapabilities({ privileged: spec.privileged, add: spec.capabilities.add, drop: spec.capabilities.drop, available: host.capabilities });
  const hostname = hostnameOf(container, basename(options.cgroupPath));
  const config: RuntimeConfig = {
    ociVersion: '1.2.0',
    process: {
      terminal: spec.tty,
      user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids, umask: Number.parseInt(spec.umask, 8) },
      args: processArguments(spec, image.config),
      env: processEnvironment({ tty: spec.tty, env: options.env ?? spec.env }, image.config, { home: user.home, hostname }),
      cwd: spec.workingDir ?? (image.config.WorkingDir || '/'),
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities, inheritable: [], ambient: [] },
      ...(spec.ulimits.length > 0 && { rlimits: runtimeUlimits(spec.ulimits) }),
      noNewPrivileges: spec.noNewPrivileges ?? !spec.privileged,
      oomScoreAdj: spec.oomScoreAdj,
      ...(spec.appArmorProfile !== undefined && (host.appArmor || spec.appArmorProfile !== UNCONFINED) && { apparmorProfile: spec.appArmorProfile }),
    },
    root: { path: 'rootfs', readonly: spec.readOnlyRootFilesystem },
    ...(spec.namespaces.uts === 'Private' && { hostname }),
    ...(spec.domainname !== undefined && { domainname: spec.domainname }),
    mounts: bundleMounts(spec, host, options.nameFiles, options.joined?.shm, options.mounts ?? spec.mounts.map((mount) => ({ mount }))),
    annotations: {
      [OVERLAY_ANNOTATION]: JSON.stringify({ lower: image.layers, upper: options.upper, work: options.work, ...(options.volatile && { volatile: true }) } satisfies RootOverlay),
      ...(spec.init && { [INIT_ANNOTATION]: 'true' }),
      [SECCOMP_CACHE_ANNOTATION]: options.seccompCache,
      [LIMITS_ANNOTATION]: 'required',
    },
    linux: {
      namespaces: [...ownNamespaces(spec.namespaces, options.joined), ...networkNamespace(spec.network.mode, options.networkPath)],
      ...(options.devices?.nodes.length && { devices: options.devices.nodes }),
      cgroupsPath: options.cgroupPath,
      resources: { devices: spec.privileged ? ALL_DEVICES : [...DEVICES, ...(options.devices?.rules ?? [])], ...runtimeLimits(limitsOf(spec, options.blockDevices)) },
      rootfsPropagation: 'private',
      maskedPaths: spec.maskedPaths ?? (spec.privileged ? [] : [...MASKED, ...MASKED_SYS, ...host.thermalThrottle]),
      readonlyPaths: spec.readonlyPaths ?? (spec.privileged ? [] : READ_ONLY),
      ...(spec.sysctls.length > 0 && { sysctl: Object.fromEntries(spec.sysctls.map(({ name, value }) => [name, value])) }),
      ...seccompOf(options, new Set(capabilities)),
    },
  };
  const text = JSON.stringify(config);
  return { config, text, hash: hashOf(text) };
}

/** How AppArmor calls no profile at all, which every process has where the kernel does not run it. */
const UNCONFINED = 'unconfined';

function runtimeUlimits(ulimits: Container['spec']['ulimits']): NonNullable<RuntimeConfig['process']['rlimits']> {
  const limit = (value: number) => (value === UNLIMITED ? RLIM_INFINITY : value);
  return ulimits.map(({ name, soft, hard = soft }) => ({ type: `RLIMIT_${name.toUpperCase()}`, soft: limit(soft), hard: limit(hard) }));
}

function seccompOf({ container: { spec }, seccompText, host }: BundleOptions, capabilities: ReadonlySet<string>): Pick<RuntimeConfig['linux'], 'seccomp'> {
  const { type, localhostProfile } = spec.seccompProfile;
  const given = seccompText ?? spec.seccompProfile.inlineProfile;
  if (given !== undefined) return { seccomp: dockerSeccomp(given, localhostProfile === undefined ? 'spec.seccompProfile.inlineProfile' : `seccomp profile ${localhostProfile}`, { capabilities, arch: process.arch, kernelRelease: host.kernelRelease }) };
  return type === 'Unconfined' || spec.privileged ? {} : { seccomp: seccompProfile(capabilities) };
}

/** The bundle's config.json with the limits that the container has now, which may have changed since it was written. */
export function withLimitsOf(configText: string, { spec }: Container, blockDevices: NonNullable<BundleOptions['blockDevices']>): string {
  const config = parseRuntimeConfig(configText);
  const { devices } = config.linux.resources;
  return JSON.stringify({ ...config, linux: { ...config.linux, resources: { devices, ...runtimeLimits(limitsOf(spec, blockDevices)) } } });
}

export function hashOf(configText: string): string {
  return createHash('sha256').update(configText).digest('hex');
}

function ownNamespaces({ pid, ipc, uts, cgroup }: Container['spec']['namespaces'], joined: JoinedPaths = {}): RuntimeConfig['linux']['namespaces'] {
  return [
    ...(pid === 'Host' ? [] : [{ type: 'pid', ...(joined.pid !== undefined && { path: joined.pid }) }]),
    { type: 'mount' },
    ...(ipc === 'Host' ? [] : [{ type: 'ipc', ...(joined.ipc !== undefined && { path: joined.ipc }) }]),
    ...(uts === 'Host' ? [] : [{ type: 'uts' }]),
    ...(cgroup === 'Host' ? [] : [{ type: 'cgroup' }]),
  ];
}

function networkNamespace(mode: Container['spec']['network']['mode'], path: string | undefined): RuntimeConfig['linux']['namespaces'] {
  if (mode === 'Host') return [];
  return [{ type: 'network', ...(path === undefined ? {} : { path }) }];
}

export function hostnameOf({ metadata, spec }: Container, id: string): string {
  if (spec.namespaces.uts === 'Host') return nodesHostname();
  return spec.hostname ?? (spec.hostnameFrom === 'ID' ? id.slice(0, 12) : defaultHostname(metadata.name));
}

/** The container's name, cut to what Kubernetes gives a pod: the kernel takes 64 bytes, a DNS label 63. */
function defaultHostname(name: string): string {
  return name.slice(0, 63).replace(/[-.]+$/, '');
}
