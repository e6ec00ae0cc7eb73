import { type FSWatcher, watch } from 'node:fs';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { VolumeName } from '../../spec/name.ts';

/** Hears when the folders of volumes go. One watch of inotify each, of the volume's own folder and of nothing in it: what containers write is not heard. */
export class FolderWatches {
  readonly #logger: Logger;
  readonly #onGone: (name: VolumeName) => void;
  readonly #watchers = new Map<VolumeName, FSWatcher>();

  constructor(logger: Logger, onGone: (name: VolumeName) => void) {
    this.#logger = logger;
    this.#onGone = onGone;
  }

  has(name: VolumeName): boolean {
    return this.#watchers.has(name);
  }

  /** Watches `folder` for changes of the name `entry` in it, and for its own end. A folder that was watched already is watched anew. */
  watch(name: VolumeName, folder: string, entry: string): void {
    this.close(name);
    let watcher: FSWatcher;
    try {
      watcher = watch(folder, { persistent: false }, (event, changed) => {
        if (event === 'rename' && (changed === entry || changed === null || changed === folder.slice(folder.lastIndexOf('/') + 1))) this.#onGone(name);
      });
    } catch (error) {
      // Without it the resync still finds what it would have told; gone already, or out of watches (fs.inotify.max_user_watches).
      this.#logger.warn({ path: folder, error: messageOf(error) }, 'can not watch for changes');
      return;
    }
    watcher.on('error', (error) => this.#logger.warn({ path: folder, error: messageOf(error) }, 'watch ended'));
    this.#watchers.set(name, watcher);
  }

  /** Ends one watch, or all. */
  close(name?: VolumeName): void {
    for (const [each, watcher] of this.#watchers) {
      if (name !== undefined && each !== name) continue;
      watcher.close();
      this.#watchers.delete(each);
    }
  }
}
