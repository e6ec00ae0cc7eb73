import { watch, type FSWatcher } from 'chokidar';
import { basename, extname } from 'node:path';
import { errnoOf } from '../../lib/errors.ts';
import type { WatchPoint } from './find-files.ts';
import { isHidden, isSpecFile } from './names.ts';
import { PointWatches } from './point-watches.ts';
import { resolvePath } from './resolve-path.ts';

/** The path may change between looking and watching; the rescan finds what these many looks don't. */
const MAX_LOOKS = 5;

/**
 * Says when to read the tree again, and nothing else: chokidar watches its folders, plain watches the way to the folder and the links'.
 * Chokidar alone misses that a link on the way to the folder is swapped (git-sync), and changes behind links.
 */
export class TreeWatch {
  readonly #dir: string;
  readonly #onDirty: () => void;
  readonly #way: PointWatches;
  readonly #links: PointWatches;
  #tree: { readonly root: string; readonly watcher: FSWatcher } | undefined;
  #watching = false;
  /** The folder may be another one under the same path: only a new watcher is sure to watch it. */
  #stale = false;
  #error: unknown;
  #failedSinceRenewal = false;
  #closing: Promise<unknown> = Promise.resolve();

  constructor(dir: string, onDirty: () => void) {
    this.#dir = dir;
    this.#onDirty = onDirty;
    const failed = (error: unknown): void => this.#failed(error);
    this.#way = new PointWatches((event) => {
      if (event === 'rename') this.#stale = true;
      onDirty();
    }, failed);
    this.#links = new PointWatches(onDirty, failed);
  }

  /** Why events are missing, such as no inotify watches left; undefined while all is watched. */
  get error(): unknown {
    return this.#error;
  }

  /** Whether every change is heard since before now. */
  get watching(): boolean {
    return this.#watching;
  }

  /** Follows the path to where it leads now and watches there. Returns that place; undefined when there is none. */
  async aim(): Promise<string | undefined> {
    let root: string | undefined;
    for (let look = 0; look < MAX_LOOKS; look += 1) {
      const way = await resolvePath('/', this.#dir);
      root = way.real;
      if (!this.#way.set(way.hops)) break;
    }
    if (this.#stale || this.#tree?.root !== root) this.#watchTree(root);
    return root;
  }

  /** Watches what the links in the tree lead through and to. True when something is watched that wasn't before. */
  follow(linked: readonly WatchPoint[]): boolean {
    return this.#links.set(linked);
  }

  /** Watches everything anew at the next `aim`, after an error. */
  renew(): void {
    this.#failedSinceRenewal = false;
    this.#way.close();
    this.#links.close();
    this.#closeTree();
  }

  async close(): Promise<void> {
    this.#way.close();
    this.#links.close();
    this.#closeTree();
    await this.#closing;
  }

  #watchTree(root: string | undefined): void {
    this.#closeTree();
    this.#stale = false;
    if (root === undefined) return;
    const watcher = watch(root, {
      ignoreInitial: true,
      followSymlinks: false,
      // The folders' own events tell of the files in them: a watch for each file would only use up the user's watches.
      ignored: (path, stats) => path !== root && path.startsWith(`${root}/`) && (isHidden(basename(path)) || stats?.isDirectory() === false),
    });
    this.#tree = { root, watcher };
    const dirty = (): void => {
      if (this.#tree?.watcher === watcher) this.#onDirty();
    };
    watcher.on('all', dirty).on('ready', () => {
      if (this.#tree?.watcher !== watcher) return;
      this.#watching = true;
      if (!this.#failedSinceRenewal) this.#error = undefined;
      this.#onDirty();
    });
    watcher.on('raw', (event, name) => {
      if (name === null || !isNoise(event, name)) dirty();
    });
    watcher.on('error', (error) => {
      if (this.#tree?.watcher === watcher) this.#failed(error);
    });
  }

  #closeTree(): void {
    const watcher = this.#tree?.watcher;
    this.#tree = undefined;
    this.#watching = false;
    if (watcher !== undefined) this.#closing = Promise.all([this.#closing, watcher.close()]);
  }

  #failed(error: unknown): void {
    // What can't be read or has gone, the reading itself reports.
    const code = errnoOf(error);
    if (code === 'EACCES' || code === 'EPERM' || code === 'ENOENT' || code === 'ENOTDIR') return;
    this.#failedSinceRenewal = true;
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#onDirty();
  }
}

/** Editors' swap files come and go, logs grow; `..data` is a ConfigMap volume's new content, and what has no suffix may be a folder. */
function isNoise(event: string, name: string): boolean {
  if (isHidden(name)) return !name.startsWith('..');
  return event === 'change' && extname(name) !== '' && !isSpecFile(name);
}
