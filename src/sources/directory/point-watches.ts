import { watch, type FSWatcher } from 'node:fs';
import { basename } from 'node:path';
import { errnoOf } from '../../lib/errors.ts';
import type { WatchPoint } from './find-files.ts';

interface Point {
  readonly watcher: FSWatcher;
  /** Names whose events matter; undefined for all of them. */
  names: ReadonlySet<string> | undefined;
}

/** inotify watches on single folders, for what a watch on the tree doesn't see: the way to it, and what links lead through and to. */
export class PointWatches {
  readonly #onEvent: (event: string) => void;
  readonly #onError: (error: unknown) => void;
  readonly #points = new Map<string, Point>();

  constructor(onEvent: (event: string) => void, onError: (error: unknown) => void) {
    this.#onEvent = onEvent;
    this.#onError = onError;
  }

  /** Watches just these. True when a folder is watched that wasn't before: what was read of it before may have changed unseen. */
  set(wanted: readonly WatchPoint[]): boolean {
    const byFolder = Map.groupBy(wanted, ({ folder }) => folder);
    for (const folder of this.#points.keys()) if (!byFolder.has(folder)) this.#drop(folder);
    let added = false;
    for (const [folder, points] of byFolder) {
      const names = points.some(({ name }) => name === undefined) ? undefined : new Set(points.flatMap(({ name }) => name ?? []));
      const present = this.#points.get(folder);
      if (present === undefined) added = this.#add(folder, names) || added;
      else present.names = names;
    }
    return added;
  }

  close(): void {
    for (const folder of this.#points.keys()) this.#drop(folder);
  }

  #add(folder: string, names: ReadonlySet<string> | undefined): boolean {
    try {
      const watcher = watch(folder);
      this.#points.set(folder, { watcher, names });
      watcher.on('change', (event, name) => this.#heard(folder, watcher, event, String(name)));
      watcher.on('error', (error) => {
        this.#drop(folder);
        this.#onError(error);
      });
      return true;
    } catch (error) {
      // Gone since it was found: another event, or the next reading, says so.
      if (errnoOf(error) !== 'ENOENT') this.#onError(error);
      return false;
    }
  }

  #heard(folder: string, watcher: FSWatcher, event: string, name: string): void {
    const point = this.#points.get(folder);
    if (point?.watcher !== watcher) return;
    // A folder's own removal comes under its own name, and the watch is dead after it. Were it a child's name, a new watch does no harm.
    const self = event === 'rename' && name === basename(folder);
    if (self) this.#drop(folder);
    if (self || point.names === undefined || point.names.has(name)) this.#onEvent(event);
  }

  #drop(folder: string): void {
    this.#points.get(folder)?.watcher.close();
    this.#points.delete(folder);
  }
}
