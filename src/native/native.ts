/**
 * The typed face of the native addon. Everything here is asynchronous or O(1); nothing forks the daemon and nothing blocks its event loop.
 */

import type { ExecMonitorOptions, RefusedProgram } from './exec.ts';
import type { NetworkNative } from './network.ts';

/** A process, named so that a recycled pid is never mistaken for it: `startTime` is field 22 of `/proc/<pid>/stat`, in clock ticks since boot (proc(5)). */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: number;
}

export interface MonitorLog {
  /** CRI-format log file; rotated files get `.1`, `.2`, … */
  readonly path: string;
  /** Rotate once the file holds this many bytes. */
  readonly maxBytes: number;
  /** Files kept, the current one included; at least 1. */
  readonly maxFiles: number;
  /** Rotate once the first line of the file is so many seconds old; without it, age does not count. */
  readonly maxAgeSeconds?: number;
  /** Whether the container waits for its log (default), or what the log has no time for is dropped and counted in `log-loss.json` in the state folder. */
  readonly mode?: 'block' | 'drop';
}

export interface MonitorOptions {
  /** Absolute path of the static `mooring-runtime` binary. */
  readonly runtime: string;
  readonly id: string;
  /** OCI bundle: holds `config.json`; the monitor writes `exit.json` here. */
  readonly bundle: string;
  /** Folder for `state.json` and `attach.sock`, on a file system that a reboot empties. */
  readonly stateDir: string;
  readonly log: MonitorLog;
  /** The process's standard input: /dev/null (default); attached clients'; or theirs until the first of those who write has no more. */
  readonly stdin?: 'none' | 'open' | 'once';
  /** So many attached clients are to see all that the container writes: it waits for them with that, for ten seconds at first, and for their reading. */
  readonly clients?: number;
}

/** Both processes of a started container: the monitor, and the container's own first process, which has passed its `execve`. */
export interface StartedContainer {
  readonly monitor: ProcessIdentity;
  readonly init: ProcessIdentity;
}

/** A monitor made ahead, whose container's first process stands in its namespaces and in the cgroup `cgroup`. It keeps the event loop alive until it is used or dismissed. */
export interface PreparedMonitor {
  /** Below each hierarchy. A bundle that it is to run must want that cgroup. */
  readonly cgroup: string;
  /** It is not wanted any more, and ends; its cgroup goes with it. Idempotent, and of no effect once it is used. */
  dismiss(): void;
}

/** Something the addon's event thread follows until it is closed. Closing is idempotent. */
export interface Watch {
  close(): void;
}

export interface ProcessWatch extends Watch {
  /** Sends a signal through the pidfd, so it can't reach a recycled pid. False when the process is gone. Throws on EPERM or EINVAL. */
  signal(signal: number): boolean;
}

/** A name in a followed folder that was made, removed, moved, written to and closed, or given other rights. */
export interface FolderChange {
  /** Absolute. */
  readonly path: string;
  /** The process that did it. */
  readonly pid: number;
  /** Its `/proc/<pid>/status` and `/proc/<pid>/cgroup`, unless it had ended before they could be read. */
  readonly status?: string;
  readonly cgroup?: string;
}

/** Follows folders of one file system. */
export interface FolderWatch extends Watch {
  /**
   * Follows a folder and, but for those at the paths `skipped` (relative to it, with all that is in them), every one below it, `most` at the most: how many there are. What is made in
   * them is told of, and followed once this is called again. A folder is followed for as long as it exists.
   */
  follow(folder: string, options: { readonly skipped: readonly string[]; readonly most: number }): Promise<number>;
}

/** What became of one path in `readFiles`: its content, or the errno name that the kernel gave. */
export type FileContent = { readonly text: string } | { readonly errno: string };

/** Extended attributes by name (xattr(7)), or the errno name that the kernel gave. */
export type FileAttributes = { readonly attributes: ReadonlyMap<string, Buffer> } | { readonly errno: string };

export interface Native extends NetworkNative {
  /**
   * Spawns the monitor for one bundle, or has one that was made ahead take it, which by that is used up; settles when the container's process has been exec'ed
   * or has failed. Rejects with a MooringError naming the failing step and object.
   */
  startMonitor(options: MonitorOptions, prepared?: PreparedMonitor): Promise<StartedContainer>;
  /** Makes a monitor ahead; native/runtime/sandbox.h says which bundles fit it. Settles once it stands. */
  prepareMonitor(options: Pick<MonitorOptions, 'runtime'> & { readonly cgroup: string }): Promise<PreparedMonitor>;
  /** Spawns the monitor of one more process in a running container; settles when that has been exec'ed, or could not be. */
  startExec(options: ExecMonitorOptions): Promise<StartedContainer | RefusedProgram>;
  /**
   * Follows a process by pidfd and reaps it if it is our child. `onExit` runs once. Undefined when no such process is alive.
   * A watch keeps the event loop alive until it fires or is closed.
   */
  watchProcess(process: ProcessIdentity, onExit: () => void): ProcessWatch | undefined;
  /** Calls back after the mount table of the process's mount namespace changed (poll(2) on mountinfo, proc_pid_mountinfo(5)). Undefined when the process is gone. */
  watchMounts(pid: number, onChange: () => void): Watch | undefined;
  /**
   * A watch over folders of the file system that the folder `root` is on (fanotify(7)); it follows none yet. `onChange` is told what changed since it was called last, each path
   * once, and whether there was more. Throws `Unsupported` where the kernel can't do that.
   */
  watchFolders(root: string, onChange: (changes: readonly FolderChange[], lost: boolean) => void): FolderWatch;
  /** Reads many small files (procfs, cgroupfs, sysfs) in one trip to a worker thread, in the order given. Never rejects for a single file. At most 1 MiB is read of each. */
  readFiles(paths: readonly string[]): Promise<FileContent[]>;
  /** Takes the exclusive lock of an open file (flock(2)), which goes with the descriptor, so with the process. False where another process has it. */
  lockFile(fd: number): boolean;
  /** Whether a folder's file system keeps projects within their limits (quotactl(2)): `limitFolder` wants that. */
  hasProjectQuota(folder: string): Promise<boolean>;
  /** What is made in the folder from now on may take so many bytes in all, 0 for any number. Rejects with the errno as `code`. */
  limitFolder(folder: string, bytes: number): Promise<void>;
  /** What is made in the folder from now on counts under the limit of `model`, into which it may then be moved (rename(2) refuses that between projects). */
  shareLimit(folder: string, model: string): Promise<void>;
  /** Reads all extended attributes of many files, of symbolic links themselves, in the order given. Never rejects for a single file. */
  readAttributes(paths: readonly string[]): Promise<FileAttributes[]>;
}
