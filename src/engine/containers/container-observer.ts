import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Native } from '../../native/native.ts';
import type { EngineEvent, ObservedProcess } from '../engine.ts';
import type { DataDir } from '../store/data-dir.ts';
import { killCgroup } from './cgroup-folders.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import { type ContainerSnapshot, readSnapshot } from './container-snapshot.ts';
import { ContainerWatches } from './container-watches.ts';
import { freezerFile } from './freezer.ts';
import { limitFiles } from './limit-files.ts';
import { limitsOf } from './limits.ts';
import { type ManagedContainer, type Run, sameProcess, sharesProcesses } from './managed-container.ts';
import { judgeProcess, settleUnrecorded } from './process-verdict.ts';

export interface ContainerObserverOptions {
  readonly native: Native;
  readonly dataDir: DataDir;
  readonly logger: Logger;
  readonly layout: CgroupLayout;
  readonly hint: (managed: ManagedContainer, reason: EngineEvent['reason']) => void;
}

/** Looks at containers, and listens to the kernel on behalf of those that it found running. */
export class ContainerObserver {
  readonly #options: ContainerObserverOptions;

  constructor(options: ContainerObserverOptions) {
    this.#options = options;
  }

  /** What a container is and does now. Follows a process that is found running, and settles an end that nobody recorded. */
  async look(managed: ManagedContainer): Promise<{ readonly snapshot: ContainerSnapshot; readonly process: ObservedProcess }> {
    const { native } = this.#options;
    await managed.settling;
    const { watches } = managed;
    let snapshot = await readSnapshot(native, managed);
    let verdict = judgeProcess(snapshot);
    if (verdict.state === 'Unrecorded') {
      // The monitor may have made its record after that was read and ended before it was looked for: now that it is gone, look again.
      snapshot = await readSnapshot(native, managed);
      verdict = judgeProcess(snapshot);
    }
    if (verdict.state === 'Unrecorded') {
      managed.settling ??= settleUnrecorded(verdict, managed, this.#options).finally(() => (managed.settling = undefined));
      await managed.settling;
      return this.look(managed);
    }
    if (verdict.state === 'Running') {
      this.follow(managed, verdict);
    } else if (verdict.state === 'Creating') {
      this.#awaitMonitor(managed, verdict.monitor);
    } else if (watches === managed.watches) {
      if (managed.run && sharesProcesses(managed)) this.#endOthers(managed); // should this be known before its first process's end was heard of
      this.unfollow(managed); // unless a start came in between: then what was read is of the run before
    }
    return { snapshot, process: verdict };
  }

  /** Hears of everything that the kernel tells about a run. */
  follow(managed: ManagedContainer, { monitor, init, startedAt }: Run): void {
    const { native, logger, layout } = this.#options;
    const followed = managed.run !== undefined && managed.watches !== undefined && sameProcess(managed.run.init, init);
    managed.run = { monitor, init, startedAt };
    if (followed) return;
    managed.watches?.close();
    const watches = new ContainerWatches(logger, (reason) => this.#options.hint(managed, reason));
    managed.watches = watches;
    watches.watchMonitor(native, monitor);
    if (sharesProcesses(managed)) watches.watchFirst(native, init, () => this.#endOthers(managed));
    watches.watchMounts(native, init);
    watches.watchLimits(limitFiles(layout, managed.paths.cgroup, limitsOf(managed.record.container.spec)));
    const freezer = freezerFile(layout, managed.paths.cgroup);
    if (freezer !== undefined) watches.watchFreezer(freezer);
    for (const { folder } of managed.record.config?.folders ?? []) watches.watchContent(folder);
    watches.watchBundle(managed.paths.config);
  }

  /** Its first process has ended, with which the kernel ends no other one. Nobody takes it for ended before they are. */
  #endOthers(managed: ManagedContainer): void {
    const { native, logger, layout } = this.#options;
    managed.settling ??= killCgroup(native, layout, managed.paths.cgroup)
      .catch((error: unknown) => logger.warn({ container: managed.record.name, error: messageOf(error) }, 'processes that the first one left behind could not be ended'))
      .finally(() => (managed.settling = undefined));
    this.#options.hint(managed, 'Exited');
  }

  /** Hears of a monitor's work that this daemon did not ask for, or that is about to end. */
  #awaitMonitor(managed: ManagedContainer, monitor: Run['monitor']): void {
    const { native, logger } = this.#options;
    if (managed.watches) return;
    managed.watches = new ContainerWatches(logger, (reason) => this.#options.hint(managed, reason));
    managed.watches.watchState(managed.paths.stateDir);
    managed.watches.watchMonitor(native, monitor);
  }

  /** Forgets the run, and closes every watch of it. */
  unfollow(managed: ManagedContainer): void {
    managed.watches?.close();
    managed.watches = undefined;
    managed.run = undefined;
    managed.wantedMounts = undefined;
  }
}
