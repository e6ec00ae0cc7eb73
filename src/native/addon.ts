import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { errnoOf, messageOf, MooringError } from '../lib/errors.ts';
import { execArguments, execOutcome, type MonitorOutcome, refusalOf } from './exec.ts';
import type { FileAttributes, FileContent, FolderChange, MonitorOptions, Native, PreparedMonitor, ProcessIdentity } from './native.ts';
import { type NetworkAddon, networkNative } from './network.ts';

/** What `native/addon/addon.cc` exports. A watch is a number there. */
interface Addon extends NetworkAddon {
  readonly statusFd: number;
  spawnMonitor(binary: string, args: readonly string[]): Promise<MonitorWord>;
  prepareMonitor(binary: string, args: readonly string[]): Promise<MonitorWord>;
  /** Undefined where it has ended while it stood by. */
  orderMonitor(watch: number, args: readonly string[]): Promise<MonitorWord> | undefined;
  dismissMonitor(watch: number): void;
  watchProcess(pid: number, startTime: number, onExit: () => void): number | undefined;
  signalProcess(watch: number, signal: number): boolean;
  watchMounts(pid: number, onChange: () => void): number | undefined;
  watchFolders(root: string, onChange: (changes: readonly FolderChange[], lost: boolean) => void): number;
  markFolders(watch: number, folder: string, skipped: readonly string[], most: number): Promise<number>;
  closeWatch(watch: number): void;
  lockFile(fd: number): boolean;
  hasProjectQuota(folder: string): Promise<boolean>;
  limitFolder(folder: string, bytes: number): Promise<true>;
  shareLimit(folder: string, model: string): Promise<true>;
  readFiles(paths: readonly string[]): Promise<FileContent[]>;
  readAttributes(paths: readonly string[]): Promise<Readonly<Record<string, Buffer | string>>[]>;
}

type MonitorWord = { readonly report: string; readonly watch?: number } | { readonly ended: string };

/** A line that a monitor writes to its status pipe; native/monitor/status_pipe.h. */
type MonitorReport =
  | ({ readonly event: 'started'; readonly monitor: ProcessIdentity } & ProcessIdentity)
  | { readonly event: 'standing' }
  | { readonly event: 'failed'; readonly message: string; readonly errno: number };

/** Loads the addon, by default the one that `make native` left in this checkout. */
export function loadNative(path: string = fileURLToPath(new URL('../../native/build/mooring.node', import.meta.url))): Native {
  const addon = load(path);
  return {
    startMonitor: async (options, prepared) => {
      const object = `container ${options.id}`;
      const [command, ...words] = monitorArguments(options, addon.statusFd);
      const ordered = prepared instanceof StandingMonitor ? addon.orderMonitor(prepared.watch, words) : undefined;
      const outcome = await outcomeOf(ordered ?? addon.spawnMonitor(options.runtime, [command, ...words]), object);
      if (!('failed' in outcome)) return outcome;
      const exitCode = refusalOf(outcome);
      throw new MooringError(exitCode === undefined ? 'Unavailable' : 'Invalid', `start ${object}: ${outcome.failed}`, exitCode === undefined ? {} : { exitCode });
    },

    prepareMonitor: async ({ runtime, cgroup }) => {
      const object = `a sandbox in ${cgroup}`;
      const { report, watch } = await lineOf(addon.prepareMonitor(runtime, ['standby', '--cgroup', cgroup, '--status-fd', String(addon.statusFd)]), object);
      if (report.event === 'failed') throw new MooringError('Unavailable', `start ${object}: ${report.message}`);
      if (report.event === 'started' || watch === undefined) throw new MooringError('Internal', `start ${object}: its monitor reported a start that nobody asked for`);
      return new StandingMonitor(addon, watch, cgroup);
    },

    startExec: async (options) => {
      const object = `a process in container ${options.container}`;
      return execOutcome(await outcomeOf(addon.spawnMonitor(options.runtime, execArguments(options, addon.statusFd)), object), `start ${object}`);
    },

    watchProcess(process, onExit) {
      const watch = addon.watchProcess(process.pid, process.startTime, onExit);
      if (watch === undefined) return undefined;
      let closed = false;
      return {
        signal(signal) {
          if (closed) throw new MooringError('Internal', `signal ${signal} to process ${process.pid} through a closed watch`);
          return addon.signalProcess(watch, signal);
        },
        close() {
          closed = true;
          addon.closeWatch(watch);
        },
      };
    },

    watchMounts(pid, onChange) {
      const watch = addon.watchMounts(pid, onChange);
      return watch === undefined ? undefined : { close: () => addon.closeWatch(watch) };
    },

    watchFolders(root, onChange) {
      try {
        const watch = addon.watchFolders(root, onChange);
        return { follow: (folder, { skipped, most }) => addon.markFolders(watch, folder, skipped, most), close: () => addon.closeWatch(watch) };
      } catch (cause) {
        throw new MooringError('Unsupported', `follow folders below ${root}: ${messageOf(cause)}`, { cause, fix: 'run Mooring on Linux 5.15 or later, as root' });
      }
    },

    readFiles: (paths) => addon.readFiles(paths),

    lockFile: (fd) => addon.lockFile(fd),

    hasProjectQuota: (folder) => addon.hasProjectQuota(folder),
    limitFolder: async (folder, bytes) => void (await addon.limitFolder(folder, bytes)),
    shareLimit: async (folder, model) => void (await addon.shareLimit(folder, model)),
    readAttributes: async (paths) => (await addon.readAttributes(paths)).map(fileAttributes),

    ...networkNative(addon),
  };
}

/** Every attribute's name has a dot (xattr(7)), so that `errno` can't be one. */
function fileAttributes(found: Readonly<Record<string, Buffer | string>>): FileAttributes {
  const { errno } = found;
  if (typeof errno === 'string') return { errno };
  return { attributes: new Map(Object.entries(found).filter((entry): entry is [string, Buffer] => typeof entry[1] !== 'string')) };
}

function load(path: string): Addon {
  try {
    return createRequire(import.meta.url)(path) as Addon;
  } catch (cause) {
    throw new MooringError('Unavailable', `load the native addon ${path}`, { cause, fix: 'build it with `make native`' });
  }
}

class StandingMonitor implements PreparedMonitor {
  readonly watch: number;
  readonly cgroup: string;
  readonly #addon: Addon;

  constructor(addon: Addon, watch: number, cgroup: string) {
    this.#addon = addon;
    this.watch = watch;
    this.cgroup = cgroup;
  }

  dismiss(): void {
    this.#addon.dismissMonitor(this.watch);
  }
}

/** `object` is what the monitor is to start. */
async function outcomeOf(word: Promise<MonitorWord>, object: string): Promise<MonitorOutcome> {
  const { report } = await lineOf(word, object);
  if (report.event === 'failed') return { failed: report.message, errno: report.errno };
  if (report.event === 'standing') throw new MooringError('Internal', `start ${object}: its monitor stands by, and nobody asked it to`);
  return { monitor: report.monitor, init: { pid: report.pid, startTime: report.startTime } };
}

async function lineOf(word: Promise<MonitorWord>, object: string): Promise<{ readonly report: MonitorReport; readonly watch: number | undefined }> {
  const outcome = await word.catch((cause: unknown) => {
    const details = errnoOf(cause) === 'ENOENT' ? { cause, fix: 'build it with `make native`, or install it' } : { cause };
    throw new MooringError('Unavailable', `start the monitor of ${object}`, details);
  });
  if ('ended' in outcome) throw new MooringError('Internal', `start ${object}: its monitor ended before it reported: ${outcome.ended}`);
  const report = parseReport(outcome.report);
  if (report === undefined) throw new MooringError('Internal', `start ${object}: its monitor reported what this version does not understand: ${outcome.report}`);
  return { report, watch: outcome.watch };
}

function monitorArguments(options: MonitorOptions, statusFd: number): [command: string, ...words: string[]] {
  const { id, bundle, stateDir, log, stdin = 'none', clients = 0 } = options;
  return [
    'monitor',
    ...['--id', id, '--bundle', bundle, '--state-dir', stateDir],
    ...['--log', log.path, '--log-max-bytes', String(log.maxBytes), '--log-max-files', String(log.maxFiles)],
    ...(log.maxAgeSeconds === undefined ? [] : ['--log-max-age', String(log.maxAgeSeconds)]),
    ...['--log-mode', log.mode ?? 'block', '--stdin', stdin],
    ...(clients === 0 ? [] : ['--clients', String(clients)]),
    ...['--status-fd', String(statusFd)],
  ];
}

function parseReport(line: string): MonitorReport | undefined {
  const report: unknown = parseJson(line);
  if (!isRecord(report)) return undefined;
  const { message, errno } = report;
  if (report['event'] === 'standing') return { event: 'standing' };
  if (report['event'] === 'failed' && typeof message === 'string' && typeof errno === 'number') return { event: 'failed', message, errno };
  const monitor = report['monitor'];
  if (report['event'] === 'started' && isIdentity(report) && isIdentity(monitor)) return { event: 'started', pid: report.pid, startTime: report.startTime, monitor };
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller tells of a report that it can't read
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isIdentity(value: unknown): value is ProcessIdentity {
  return isRecord(value) && Number.isSafeInteger(value['pid']) && Number.isSafeInteger(value['startTime']);
}
