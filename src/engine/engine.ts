import type { Duplex } from 'node:stream';
import type { Brand } from '../lib/brand.ts';
import type { ProcessIdentity } from '../native/native.ts';
import type { Container } from '../spec/container.ts';
import type { ContainerName } from '../spec/name.ts';
import type { ConfigDigests, GivenConfig } from './config.ts';

/** 64 lower-case hexadecimal digits, random. */
export type ContainerId = Brand<string, 'ContainerId'>;

/** How a container's first process ended, as the monitor recorded it. Times are milliseconds since the epoch. */
export interface ExitRecord {
  /** 0–255; 128 + n when signal n ended it. */
  readonly exitCode: number;
  readonly signal: number | null;
  readonly oomKilled: boolean;
  readonly startedAt: number;
  readonly finishedAt: number;
}

export type ObservedProcess =
  | { readonly state: 'None' } // never started since it was created, or since the machine booted
  | { readonly state: 'Creating'; readonly monitor: ProcessIdentity } // the monitor is at work; an event follows
  | { readonly state: 'Running'; readonly init: ProcessIdentity; readonly monitor: ProcessIdentity; readonly startedAt: number; readonly frozen?: true } // frozen: its processes stand still, and not for a commit's while only
  | { readonly state: 'Exited'; readonly exit: ExitRecord };

export type DriftKind = 'Process' | 'Frozen' | 'Limits' | 'Mounts' | 'Rootfs' | 'Bundle' | 'Network' | 'NetworkNamespace' | 'Namespaces' | 'Image' | 'Files' | 'Exec';

/** One way in which the kernel differs from what was asked, though nobody changed what was asked. */
export interface Drift {
  readonly kind: DriftKind;
  /** What was found and what was wanted, for people: `memory.limit_in_bytes is 134217728, want 67108864`. */
  readonly message: string;
  /** Who made it, for people, where the kernel tells. */
  readonly who?: string;
}

/** What the kernel and the disk hold of one container, just read. */
export interface ObservedContainer {
  readonly id: ContainerId;
  readonly name: ContainerName;
  /** The document that it was created from. */
  readonly container: Container;
  /** Hash of the spec that it was created from. */
  readonly specHash: string;
  readonly imageId: string;
  /** What it was given of ConfigMaps and Secrets when it was created; undefined where its spec asks for nothing of them. */
  readonly config?: ConfigDigests;
  readonly createdAt: number;
  /** Its own addresses on the node's network, IPv4 first; none in the modes `Host` and `None`. */
  readonly addresses?: readonly string[];
  /** Who reaches its published ports from other machines while it runs, for people; undefined where it publishes none to them. */
  readonly exposure?: string;
  readonly process: ObservedProcess;
  /** Every drift but that of kind `Process`, which only the plan can judge: whether an exit is drift depends on the restart policy. */
  readonly drift: readonly Drift[];
}

/** Why to look at a container again. A hint, never a fact: whoever hears it observes. */
export interface EngineEvent {
  readonly name: ContainerName;
  readonly id: ContainerId;
  readonly reason: 'Started' | 'Exited' | 'MountsChanged' | 'LimitsChanged' | 'BundleChanged' | 'NetworkChanged' | 'FreezerChanged';
}

export interface LogOptions {
  readonly follow: boolean;
  /** Only the last so many lines; undefined for all that is kept. */
  readonly tail?: number;
  /** Only lines at or after this instant, milliseconds since the epoch. */
  readonly since?: number;
  /** Once aborted, nothing more will be written: it is followed to its end, and no further. */
  readonly over?: AbortSignal;
  readonly signal: AbortSignal;
}

export interface LogLine {
  /** RFC 3339 with nanoseconds, as in the file. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** As the container wrote it, without its end. */
  readonly bytes: Buffer;
  /** False where the line was longer than the pump's buffer and goes on in the next entry. */
  readonly complete: boolean;
}

/** What went through one interface of a container since it was made. */
export interface InterfaceStats {
  readonly interface: string;
  readonly receiveBytes: number;
  readonly receivePackets: number;
  readonly receiveErrors: number;
  readonly receiveDropped: number;
  readonly transmitBytes: number;
  readonly transmitPackets: number;
  readonly transmitErrors: number;
  readonly transmitDropped: number;
}

/** A process to run in a container beside its first. What is not given is as that has it. */
export interface ExecRequest {
  readonly command: readonly string[];
  readonly tty?: boolean;
  /** Its standard input comes from the clients that attach; else it is /dev/null. */
  readonly stdin?: boolean;
  /** Over the container's own. */
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly workingDir?: string;
  readonly user?: string;
  /** Nobody means to attach: its output waits for no client. */
  readonly detach?: boolean;
}

/** The process's id and its pid on the node, or why its program can't be run, with the exit code that a shell would give: 127 where there is none of that name, else 126. */
export type ExecResult = { readonly id: string; readonly pid: number } | { readonly exitCode: 126 | 127; readonly message: string };

/** Kernel counters of one running container. */
export interface ContainerStats {
  readonly name: ContainerName;
  readonly id: ContainerId;
  /** Its cgroup below the hierarchies' mount points: `/mooring-default/<id>`. */
  readonly cgroupPath: string;
  readonly image: string;
  /** Seconds since the epoch. */
  readonly startedAt: number;
  readonly cpuUsageSeconds: number;
  readonly cpuUserSeconds: number;
  readonly cpuSystemSeconds: number;
  readonly cpuThrottledSeconds: number;
  readonly memoryUsageBytes: number;
  readonly memoryWorkingSetBytes: number;
  readonly memoryRssBytes: number;
  readonly memoryCacheBytes: number;
  readonly pids: number;
  readonly oomKills: number;
  /** What the present run wrote and its log has not taken. */
  readonly logDroppedLines: number;
  readonly logDroppedBytes: number;
  /** Of each interface of a network of its own. */
  readonly network: readonly InterfaceStats[];
  /** What was asked for; undefined without a limit. */
  readonly limits: { readonly memoryBytes?: number; readonly cpuCores?: number; readonly pids?: number };
}

/**
 * The node-local container operations that the reconciler drives. Each is one short step (a stop's waiting is the reconciler's),
 * safe to repeat, and safe to be killed in at any syscall: what it leaves half done, `observe` or `collect` finds.
 * Failures are MooringErrors.
 */
export interface ContainerEngine {
  /** The container of that name, read from kernel and disk; undefined when there is none. */
  observe(name: ContainerName): Promise<ObservedContainer | undefined>;
  /** Makes record, bundle and writable layer; starts nothing. `NotFound` when the image isn't in the store. `config` is wanted where the spec asks for something of ConfigMaps and Secrets. */
  create(container: Container, specHash: string, config?: GivenConfig): Promise<ContainerId>;
  /**
   * Runs the container's process; settles once it has been exec'ed. Rewrites a damaged bundle first. The writable layer is kept. `config` as for its creation, of which the mounted
   * part is not kept where a reboot leaves it; `Unavailable` where it has changed since.
   */
  start(id: ContainerId, config?: GivenConfig): Promise<void>;
  /** Sends a signal (`SIGTERM`, …) to the container's first process. False when it is gone already. */
  signal(id: ContainerId, signal: string): Promise<boolean>;
  /** Has every process of a running container stand still; settles once all do. `Conflict` while it does not run, `Unsupported` without the kernel's freezer. */
  pause(id: ContainerId): Promise<void>;
  /** Lets them run on. */
  resume(id: ContainerId): Promise<void>;
  /** Ends every process of the container at once. */
  kill(id: ContainerId): Promise<void>;
  /**
   * Makes the container what `container` says, while it runs or not. That may differ from the document that it was made from by its networks, their bandwidth and its
   * ports, by its limits, which are changed at once, and by its logging, which is with its next start. From then on it passes for the one that it was made from.
   */
  update(id: ContainerId, container: Container, specHash: string): Promise<void>;
  /** Writes the container's limits to its cgroup again. */
  restoreLimits(id: ContainerId): Promise<void>;
  /** Makes the network of a running container what it should be. */
  restoreNetwork(id: ContainerId): Promise<void>;
  /** Gives an ended container an empty writable layer. `Conflict` while its process runs. */
  reset(id: ContainerId): Promise<void>;
  /** Removes an ended container and all it held. `Conflict` while its process runs. */
  remove(id: ContainerId): Promise<void>;
  /** Everything that has a record, without looking at the kernel. */
  list(): { readonly id: ContainerId; readonly name: ContainerName }[];
  /** Kernel counters of every running container, read in one batch. */
  stats(): Promise<ContainerStats[]>;
  logs(id: ContainerId, options: LogOptions): AsyncIterable<readonly LogLine[]>;
  /**
   * A connection to the running container's standard streams and terminal: frames as `lib/attach-frames.ts` has them, both ways. What was written
   * before is in the log. Closing it detaches, which the container does not notice. `Conflict` while it does not run.
   */
  attach(id: ContainerId): Promise<Duplex>;
  /**
   * Runs one more process in the running container; settles once it has been exec'ed. It waits with its output until `attachExec`, for ten seconds,
   * and outlives the daemon. `Conflict` while the container does not run, `Invalid` for a user that it does not know.
   * `onEnd` is told how it ended, unless this daemon ends before; undefined where nobody knows, as when its monitor was killed.
   */
  exec(id: ContainerId, request: ExecRequest, onEnd?: (exit: ExitRecord | undefined) => void): Promise<ExecResult>;
  /** The ids of those that run. */
  execs(id: ContainerId): Promise<string[]>;
  /** Ends such a process by SIGKILL; what it has begun in turn goes on. Nothing happens where it has ended. */
  killExec(exec: string): void;
  /** A connection to such a process, as `attach` gives one. `NotFound` once it has ended. */
  attachExec(id: ContainerId, exec: string): Promise<Duplex>;
  /** Hints that something changed. Returns the function that unsubscribes. */
  subscribe(listener: (event: EngineEvent) => void): () => void;
}
