import { randomBytes } from 'node:crypto';
import { watch } from 'node:fs';
import { appendFile, chmod, chown, lstat, readFile, rm } from 'node:fs/promises';

import { errnoOf, MooringError } from '../../lib/errors.ts';
import type { Native, ProcessIdentity } from '../../native/native.ts';
import { type Container, containerSchema } from '../../spec/container.ts';
import type { ContainerId, ExitRecord, LogLine } from '../engine.ts';
import { nameFilePaths } from '../network/name-files.ts';
import type { DataDir } from '../store/data-dir.ts';
import { makeBundle } from './bundle.ts';
import { writeBundle } from './bundle-files.ts';
import { removeCgroup } from './cgroup-folders.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import { type ContainerPaths, containerPaths, type EngineFolders } from './container-paths.ts';
import type { HostFacts } from './host-facts.ts';
import { LogFile } from './log-file.ts';
import { parseExit } from './monitor-files.ts';
import { endStrays, killAndWait } from './process-end.ts';
import type { ResolvedUser } from './process-user.ts';
import type { RuntimeConfig, RuntimeMount } from './runtime-spec.ts';

/** A network namespace with an address on the node's default network, for as long as it is not disposed of. */
export interface LentNetwork extends AsyncDisposable {
  /** Where the namespace is found. */
  readonly path: string;
}

export interface TransientOptions {
  readonly native: Native;
  readonly dataDir: DataDir;
  readonly layout: CgroupLayout;
  readonly folders: EngineFolders;
  readonly host: HostFacts;
  /** The static `mooring-runtime` binary. */
  readonly runtimePath: string;
  /** Connects a container that no record knows. Writes its name files into the bundle. */
  readonly lend: (id: ContainerId, bundle: string, hostname: string) => Promise<LentNetwork>;
  /** To be waited for before anything is started. */
  readonly ready?: () => Promise<void>;
  /** A run, with all that was its, has gone. */
  readonly onEnd?: () => Promise<void>;
}

export interface TransientRun {
  /** Folders of unpacked layers, top first. */
  readonly layers: readonly string[];
  readonly args: readonly string[];
  /** `KEY=value`. */
  readonly env: readonly string[];
  readonly workingDir: string;
  readonly user: ResolvedUser;
  readonly network: 'Bridge' | 'Host' | 'None';
  readonly hostname: string;
  /** Lines of hosts(5) beyond the usual ones. */
  readonly hosts: readonly string[];
  /** Made once its folders are there; `private` is on a file system that a reboot empties, `work` is on disk. Both go with the run. */
  readonly mounts: (folders: { readonly private: string; readonly work: string }) => Promise<readonly RuntimeMount[]>;
  readonly onOutput: (line: LogLine) => void;
  readonly signal: AbortSignal;
}

/** A run that has ended, with what it wrote. Goes, with all that is left of it, once it is disposed of. */
export interface EndedRun extends AsyncDisposable {
  readonly exit: ExitRecord;
  /** The overlay's writable folder, which may be taken away. */
  readonly upper: string;
  /** Where the runtime has mounted something. */
  readonly mountPoints: readonly string[];
}

/** Output kept of one run, at least; what is beyond is lost to a reader who is slow. */
const LOG = { maxBytes: 256 * 1024 * 1024, maxFiles: 2 };

/**
 * Containers that run once and have no record. Everything of one bears its id, in the places where the engine's own have theirs: what a killed daemon
 * leaves of it is collected when the next one starts.
 */
export class TransientContainers {
  readonly #options: TransientOptions;
  #running = 0;

  constructor(options: TransientOptions) {
    this.#options = options;
  }

  /** Runs that are not gone yet. */
  get running(): number {
    return this.#running;
  }

  /** Runs a process to its end. Rejects when it can't be started, or is aborted; how it ended is the result. */
  async run(run: TransientRun): Promise<EndedRun> {
    const { dataDir, folders, layout, native } = this.#options;
    const id = randomBytes(32).toString('hex') as ContainerId;
    const paths = containerPaths(folders, id);
    await this.#options.ready?.();
    this.#running++;
    await using resources = new AsyncDisposableStack();
    resources.defer(async () => {
      this.#running--;
      await this.#options.onEnd?.();
    });
    resources.defer(async () => {
      await Promise.all([removeCgroup(native, layout, paths.cgroup), rm(paths.stateDir, { recursive: true, force: true })]);
      await (await dataDir.discard(paths.bundle)).discarded;
    });
    const config = await this.#prepare(id, paths, run, resources);
    const exit = await this.#follow(id, paths, run);
    const kept = resources.move();
    return { exit, upper: paths.upper, mountPoints: config.mounts.map(({ destination }) => destination), [Symbol.asyncDispose]: () => kept.disposeAsync() };
  }

  async #prepare(id: ContainerId, paths: ContainerPaths, run: TransientRun, resources: AsyncDisposableStack): Promise<RuntimeConfig> {
    const { host, folders, lend } = this.#options;
    await writeBundle(paths, '');
    await copyRoot(run.layers[0], paths.upper);
    const network = run.network === 'Bridge' ? resources.use(await lend(id, paths.bundle, run.hostname)) : undefined;
    const nameFiles = run.network === 'Bridge' ? nameFilePaths(paths.bundle) : await ownHosts(paths, run);
    if (run.network === 'Bridge' && run.hosts.length > 0) await appendFile(nameFilePaths(paths.bundle)['/etc/hosts'], run.hosts.map((line) => `${line}\n`).join(''));
    const { config } = makeBundle({
      container: containerOf(run),
      image: { name: run.hostname, id: '', config: { Env: run.env }, layers: run.layers.length > 0 ? run.layers : [paths.rootfs] },
      user: run.user,
      host,
      cgroupPath: paths.cgroup,
      upper: paths.upper,
      work: paths.work,
      volatile: true,
      networkPath: network?.path,
      nameFiles,
      seccompCache: folders.seccompCache,
    });
    const mounts = await run.mounts({ private: paths.stateDir, work: paths.bundle });
    // What builds run may change its user as it would on an installed system, by a set-user-ID program.
    const whole: RuntimeConfig = { ...config, process: { ...config.process, noNewPrivileges: false }, mounts: [...config.mounts, ...mounts] };
    await writeBundle(paths, JSON.stringify(whole));
    return whole;
  }

  async #follow(id: ContainerId, paths: ContainerPaths, { onOutput, signal }: TransientRun): Promise<ExitRecord> {
    const { native, runtimePath, layout } = this.#options;
    signal.throwIfAborted();
    const { monitor, init } = await native.startMonitor({ runtime: runtimePath, id, bundle: paths.bundle, stateDir: paths.stateDir, log: { path: paths.log, ...LOG }, stdin: 'none' });
    const kill = (): void => void killAndWait(native, init);
    signal.addEventListener('abort', kill);
    try {
      await followLog(paths, endOf(native, monitor), onOutput);
    } finally {
      signal.removeEventListener('abort', kill);
      await endStrays(native, layout, paths.cgroup, id);
    }
    signal.throwIfAborted();
    const exit = parseExit(await readFile(paths.exit, 'utf8'));
    if (!exit) throw new MooringError('Internal', `container ${id} has left no record of its end`);
    return exit;
  }
}

/** Settles when the process is gone. */
function endOf(native: Native, process: ProcessIdentity): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (!native.watchProcess(process, resolve)) resolve();
  return promise;
}

/** Hands on the lines of a log until its writer has ended and all of it was read. */
async function followLog({ bundle, log }: ContainerPaths, ended: Promise<void>, onOutput: (line: LogLine) => void): Promise<void> {
  let isOver = false;
  let changed = Promise.withResolvers<void>();
  const wake = (): void => changed.resolve();
  const over = ended.finally(() => {
    isOver = true;
    wake();
  });
  const watcher = watch(bundle, wake);
  watcher.on('error', wake);
  const file = await LogFile.open(log);
  try {
    for (;;) {
      const last = isOver; // what is read after this is all there is
      changed = Promise.withResolvers<void>();
      if (file) for await (const lines of file.read()) lines.forEach(onOutput);
      if (last) return;
      if (!isOver) await changed.promise;
    }
  } finally {
    watcher.close();
    await file?.close();
    await over;
  }
}

/** The upper folder's owner and mode are those of the container's root. */
async function copyRoot(layer: string | undefined, upper: string): Promise<void> {
  if (layer === undefined) return;
  const { uid, gid, mode } = await lstat(layer);
  await chown(upper, uid, gid);
  await chmod(upper, mode & 0o7777);
}

/** In the host's network its hosts file is shown; with additions, a copy that has them. */
async function ownHosts({ bundle }: ContainerPaths, { hosts }: TransientRun): Promise<Readonly<Record<string, string>>> {
  if (hosts.length === 0) return {};
  const file = nameFilePaths(bundle)['/etc/hosts'];
  const text = await readFile('/etc/hosts', 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  });
  await appendFile(file, `${text}\n${hosts.map((line) => `${line}\n`).join('')}`);
  return { '/etc/hosts': file };
}

function containerOf({ args, workingDir, network, hostname }: TransientRun): Container {
  return containerSchema.parse({
    apiVersion: 'mooring.dev/v1alpha1',
    kind: 'Container',
    metadata: { name: 'build', namespace: 'default' },
    spec: { image: 'mooring.local/build', command: [...args], workingDir, hostname, network: { mode: network } },
  });
}
