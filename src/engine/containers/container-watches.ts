import { type FSWatcher, watch } from 'node:fs';
import path from 'node:path';

import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Native, ProcessIdentity, ProcessWatch, Watch } from '../../native/native.ts';
import type { EngineEvent } from '../engine.ts';
import type { LimitFile } from './limit-files.ts';

type Reason = EngineEvent['reason'];

/** Everything about one run of a container that the kernel tells by itself. Each word is a hint to look. */
export class ContainerWatches {
  readonly #open: Watch[] = [];
  readonly #logger: Logger;
  readonly #hint: (reason: Reason) => void;
  #closed = false;

  constructor(logger: Logger, hint: (reason: Reason) => void) {
    this.#logger = logger;
    this.#hint = hint;
  }

  /** The monitor ends after it has written the exit record. */
  watchMonitor(native: Native, monitor: ProcessIdentity): void {
    const process: ProcessWatch | undefined = native.watchProcess(monitor, () => this.#tell('Exited'));
    if (process) this.#open.push(process);
    else setImmediate(() => this.#tell('Exited')); // it ended before we came; nobody hears of that in the middle of a call
  }

  /** Calls back once the first process has ended. */
  watchFirst(native: Native, init: ProcessIdentity, ended: () => void): void {
    const process: ProcessWatch | undefined = native.watchProcess(init, ended);
    if (process) this.#open.push(process);
    else setImmediate(ended);
  }

  /** Also told when the mount namespace ends with its process. */
  watchMounts(native: Native, init: ProcessIdentity): void {
    const mounts = native.watchMounts(init.pid, () => this.#tell('MountsChanged'));
    if (mounts) this.#open.push(mounts);
  }

  /** The kernel's cgroup files tell of writes to them as files on disk do: a watch a folder, heard for the files that matter. */
  watchLimits(files: readonly LimitFile[]): void {
    for (const [folder, limits] of Map.groupBy(files, ({ file }) => path.dirname(file))) {
      const names = new Set(limits.map(({ name }) => name));
      this.#watchPath(folder, (name) => {
        if (name === null || names.has(name)) this.#tell('LimitsChanged');
      });
    }
  }

  /** Folders of files that nobody is to change. */
  watchContent(folder: string): void {
    this.#watchPath(folder, () => this.#tell('MountsChanged'));
  }

  /** A kernel's file as well. */
  watchFreezer(file: string): void {
    this.#watchPath(path.dirname(file), (name) => {
      if (name === null || name === path.basename(file)) this.#tell('FreezerChanged');
    });
  }

  /** The file and not its folder, which the log is written in. */
  watchBundle(configFile: string): void {
    this.#watchPath(configFile, () => this.#tell('BundleChanged'));
  }

  /** A start under way that is not our own ends with the state file renamed into this folder. */
  watchState(stateDir: string): void {
    this.#watchPath(stateDir, () => this.#tell('Started'));
  }

  close(): void {
    this.#closed = true;
    for (const each of this.#open.splice(0)) each.close();
  }

  #tell(reason: Reason): void {
    if (!this.#closed) this.#hint(reason);
  }

  #watchPath(target: string, onChange: (name: string | null) => void): void {
    let watcher: FSWatcher;
    try {
      watcher = watch(target, (_, name) => onChange(name));
    } catch (error) {
      // Without it the resync still finds what it would have told; gone already, or out of watches (fs.inotify.max_user_watches).
      this.#logger.warn({ path: target, error: messageOf(error) }, 'can not watch for changes');
      return;
    }
    watcher.on('error', (error) => this.#logger.warn({ path: target, error: messageOf(error) }, 'watch ended'));
    this.#open.push(watcher);
  }
}
