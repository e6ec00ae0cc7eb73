import type { IdMapping } from '../volumes/id-map.ts';
import type { DeviceNumber } from './device-number.ts';

export const OVERLAY_ANNOTATION = 'dev.mooring.rootfs.overlay';
export const INIT_ANNOTATION = 'dev.mooring.init';
export const SECCOMP_CACHE_ANNOTATION = 'dev.mooring.seccomp.cache';
/** "required": a limit that the host can't give is an error; else the runtime warns and goes as far as it can. */
export const LIMITS_ANNOTATION = 'dev.mooring.limits';

/** Absolute folders. */
export interface RootOverlay {
  /** Top first. */
  readonly lower: readonly string[];
  readonly upper: string;
  readonly work: string;
  /** Nothing that is written waits for the disk, nor does the end of the mount: for what is of no use after a crash. */
  readonly volatile?: true;
}

/** The part of the OCI runtime spec's config.json (version 1.2, config.md and config-linux.md) that bundles are written with. */
export interface RuntimeConfig {
  readonly ociVersion: string;
  readonly process: {
    readonly terminal: boolean;
    readonly user: ProcessUser;
    readonly args: readonly string[];
    readonly env: readonly string[];
    readonly cwd: string;
    readonly capabilities: Readonly<Record<'bounding' | 'effective' | 'permitted' | 'inheritable' | 'ambient', readonly string[]>>;
    readonly rlimits?: readonly { readonly type: string; readonly soft: RuntimeLimit; readonly hard: RuntimeLimit }[];
    readonly noNewPrivileges: boolean;
    readonly oomScoreAdj: number;
    readonly apparmorProfile?: string;
  };
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname?: string;
  readonly domainname?: string;
  readonly mounts: readonly RuntimeMount[];
  readonly annotations: {
    /** A RootOverlay as JSON: the root file system is mounted by the runtime, inside the container's mount namespace. */
    readonly [OVERLAY_ANNOTATION]: string;
    /** The runtime's own init is the container's first process, and the program its child. */
    readonly [INIT_ANNOTATION]?: 'true';
    /** Folder of compiled filters. */
    readonly [SECCOMP_CACHE_ANNOTATION]: string;
    readonly [LIMITS_ANNOTATION]: 'required';
  };
  readonly linux: {
    readonly namespaces: readonly { readonly type: string; readonly path?: string }[];
    readonly devices?: readonly RuntimeDevice[];
    readonly cgroupsPath: string;
    readonly resources: RuntimeResources;
    readonly rootfsPropagation: 'private';
    readonly maskedPaths: readonly string[];
    readonly readonlyPaths: readonly string[];
    readonly sysctl?: Readonly<Record<string, string>>;
    readonly seccomp?: Seccomp;
  };
}

/** Of setrlimit(2). */
export type RuntimeLimit = number | typeof RLIM_INFINITY;

interface RawNumber {
  readonly rawJSON: string;
}

declare global {
  interface JSON {
    /** A number that a double does not hold, as JSON.stringify is to write it (ECMAScript, "JSON.parse source text access"). */
    rawJSON(text: string): RawNumber;
    parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
  }
}

/** Reads a config.json to be written again: numbers that a double does not hold stay what they are. */
export function parseRuntimeConfig(text: string): RuntimeConfig {
  return JSON.parse(text, (_, value, { source }) => (typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined ? JSON.rawJSON(source) : value)) as RuntimeConfig;
}

/** "Without limit", the largest number of 64 bits. */
export const RLIM_INFINITY = JSON.rawJSON('18446744073709551615');

/** A node to make. */
export interface RuntimeDevice extends DeviceNumber {
  readonly path: string;
  readonly type: 'c' | 'b';
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A rule of the devices' cgroup; what it leaves out is any. */
export interface RuntimeDeviceRule {
  readonly allow: boolean;
  readonly type?: 'a' | 'c' | 'b';
  readonly major?: number;
  readonly minor?: number;
  readonly access: string;
}

export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  readonly umask?: number;
}

export interface RuntimeMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
}

export interface RuntimeResources {
  readonly devices: readonly RuntimeDeviceRule[];
  readonly memory?: { readonly limit?: number; readonly reservation?: number; readonly swap?: number; readonly swappiness?: number; readonly disableOOMKiller?: true };
  readonly cpu?: { readonly quota?: number; readonly period?: number; readonly shares?: number; readonly cpus?: string; readonly mems?: string };
  readonly pids?: { readonly limit: number };
  readonly blockIO?: {
    readonly weight?: number;
    readonly weightDevice?: readonly (DeviceNumber & { readonly weight: number })[];
    readonly throttleReadBpsDevice?: readonly RuntimeRate[];
    readonly throttleWriteBpsDevice?: readonly RuntimeRate[];
    readonly throttleReadIOPSDevice?: readonly RuntimeRate[];
    readonly throttleWriteIOPSDevice?: readonly RuntimeRate[];
  };
}

/** Bytes or operations a second. */
type RuntimeRate = DeviceNumber & { readonly rate: number };

export interface SyscallRule {
  readonly names: readonly string[];
  /** `SCMP_ACT_ALLOW`, … (config-linux.md, seccomp). */
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly { readonly index: number; readonly value: number; readonly valueTwo?: number; readonly op: string }[];
}

export interface Seccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly flags?: readonly string[];
  /** Socket of the agent that `SCMP_ACT_NOTIFY` asks. */
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls: readonly SyscallRule[];
}
