import { lstat } from 'node:fs/promises';
import path from 'node:path';

import type { Clock, TimerHandle } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { FolderChange, FolderWatch, Native } from '../../native/native.ts';
import type { ContainerName } from '../../spec/name.ts';
import { leadsToGlob, pathGlobs, wholeFolder } from '../../spec/path-glob.ts';
import type { ContainerFiles } from '../containers/container-files.ts';
import type { ContainerId } from '../engine.ts';
import type { ChangedFile, FileFindings, FileWatcher, FileWriter } from '../file-watcher.ts';
import { resolveLayeredPath } from '../images/layered-file.ts';
import type { ContainerFileSystem } from './container-file-system.ts';
import { listChanges, upperOf } from './list-changes.ts';

export interface FileWatchOptions {
  readonly native: Pick<Native, 'watchFolders'>;
  readonly files: Pick<ContainerFiles, 'begin' | 'locate'>;
  /** `<data-dir>/containers`, which holds the containers' folders by their ids. */
  readonly containers: string;
  /** The static `mooring-archive` binary. */
  readonly archiver: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Paths that are told of one by one. */
const MOST_TOLD = 100;
/** Paths after which a container is not read on. */
const MOST_COUNTED = 10_000;
/** Folders followed of one container; what changes in others is found by the resync. */
const MOST_FOLDERS = 4_096;
/** Writers remembered of one container. */
const MOST_WRITERS = 1_024;
/** What no event told is looked for by a look that comes so long after the last. Milliseconds. */
const STALE_MS = 60_000;
/** A look at the files of a container takes at most this long. Milliseconds. */
const PATIENCE_MS = 30_000;
/** Between two looks for events, in milliseconds and as times of what the last one took: a container that writes all the time costs a twentieth of a processor at most. */
const PAUSE = { least: 250, times: 20 };

const NOTHING: FileFindings = { files: [], more: 0 };

interface Watched {
  readonly name: ContainerName;
  readonly id: ContainerId;
  readonly upper: string;
  readonly allowedPaths: readonly string[];
  /** Inode of the writable folder that is followed: another one is there after a reset. */
  inode: number;
  /** `allowedPaths`, and what they are once the image's links are followed. */
  patterns: readonly string[];
  isAllowed: (file: string) => boolean;
  dirty: boolean;
  findings: FileFindings;
  lookedAt: number;
  took: number;
  looking: Promise<void> | undefined;
  timer: TimerHandle | undefined;
  readonly writers: Map<string, FileWriter>;
}

/** One watch of the kernel's (fanotify) over the writable folders of all containers that ask for it, which only says when to look, and who it was; and the looks. */
export class FileWatch implements FileWatcher {
  readonly #options: FileWatchOptions;
  readonly #watched = new Map<ContainerName, Watched>();
  readonly #byId = new Map<string, Watched>();
  readonly #listeners = new Set<(name: ContainerName) => void>();
  /** Null where the kernel has none. */
  #watch: FolderWatch | null | undefined;

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  async find(name: ContainerName, id: ContainerId, allowedPaths: readonly string[]): Promise<FileFindings> {
    const watched = this.#watchedOf(name, id, allowedPaths);
    await watched.looking;
    if (!(await this.#isCurrent(watched))) {
      watched.looking ??= this.#look(watched).finally(() => (watched.looking = undefined));
      await watched.looking;
    }
    return watched.findings;
  }

  release(name: ContainerName): void {
    const watched = this.#watched.get(name);
    if (watched === undefined) return;
    this.#options.clock.clearTimeout(watched.timer);
    this.#watched.delete(name);
    this.#byId.delete(watched.id);
    // The folders' marks go with the watch, which is for all; the last one who asks for it takes it along.
    if (this.#watched.size > 0) return;
    this.#watch?.close();
    this.#watch = undefined;
  }

  subscribe(listener: (name: ContainerName) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#listeners.clear();
    for (const name of [...this.#watched.keys()]) this.release(name);
  }

  #watchedOf(name: ContainerName, id: ContainerId, allowedPaths: readonly string[]): Watched {
    const known = this.#watched.get(name);
    if (known?.id === id && known.allowedPaths.length === allowedPaths.length && known.allowedPaths.every((each, index) => each === allowedPaths[index])) return known;
    const upper = path.join(this.#options.containers, id, 'upper');
    const watched: Watched = { name, id, upper, allowedPaths, inode: 0, patterns: allowedPaths, isAllowed: pathGlobs(allowedPaths), dirty: true, findings: NOTHING, lookedAt: 0, took: 0, looking: undefined, timer: undefined, writers: known?.id === id ? known.writers : new Map() };
    if (known) {
      this.#options.clock.clearTimeout(known.timer);
      this.#byId.delete(known.id);
    }
    this.#watched.set(name, watched);
    this.#byId.set(id, watched);
    return watched;
  }

  async #isCurrent(watched: Watched): Promise<boolean> {
    const inode = await inodeOf(watched.upper);
    if (inode !== watched.inode) watched.writers.clear();
    return !watched.dirty && inode === watched.inode && this.#options.clock.now() - watched.lookedAt < STALE_MS;
  }

  /** Never rejects. */
  async #look(watched: Watched): Promise<void> {
    const { clock, logger, files } = this.#options;
    const began = clock.now();
    clock.clearTimeout(watched.timer);
    watched.timer = undefined;
    // What changes from now on makes it dirty again.
    watched.dirty = false;
    try {
      using use = await files.begin(watched.id, AbortSignal.timeout(PATIENCE_MS));
      const place = await files.locate(watched.id);
      watched.inode = await inodeOf(watched.upper);
      watched.patterns = await whereTheyLead(watched.allowedPaths, place);
      watched.isAllowed = pathGlobs(watched.patterns);
      // Followed first and read then, so that nothing happens in between.
      await this.#follow(watched);
      watched.findings = await this.#read(watched, place, use.signal);
    } catch (error) {
      watched.dirty = true;
      logger.warn({ container: watched.name, error: messageOf(error) }, 'the files of a container could not be looked at; the next look tries again');
    }
    watched.lookedAt = clock.now();
    watched.took = watched.lookedAt - began;
  }

  async #follow({ name, upper, patterns }: Watched): Promise<void> {
    const watch = this.#openWatch();
    if (!watch) return;
    const skipped = patterns.flatMap((pattern) => wholeFolder(pattern)?.slice(1) ?? []);
    try {
      const count = await watch.follow(upper, { skipped, most: MOST_FOLDERS });
      if (count >= MOST_FOLDERS) this.#options.logger.warn({ container: name, folders: count }, 'a container has changed more folders than are followed; what changes in the others is found by the resync. Allow the paths that it is to write to.');
    } catch (error) {
      this.#options.logger.warn({ container: name, error: messageOf(error) }, 'the files of a container can not be followed; the resync finds what changes');
    }
  }

  #openWatch(): FolderWatch | null {
    if (this.#watch !== undefined) return this.#watch;
    try {
      this.#watch = this.#options.native.watchFolders(this.#options.containers, (changes, lost) => this.#heard(changes, lost));
    } catch (error) {
      this.#options.logger.warn({ error: messageOf(error) }, 'the files of containers can not be followed; the resync finds what changes');
      this.#watch = null;
    }
    return this.#watch;
  }

  async #read({ writers, patterns, isAllowed }: Watched, place: ContainerFileSystem, signal: AbortSignal): Promise<FileFindings> {
    const upper = await upperOf(place, place.mountPoints);
    const found: ChangedFile[] = [];
    let more = 0;
    for await (const { kind, path: file, implied } of listChanges(this.#options.archiver, upper, signal)) {
      if (implied === true || isAllowed(file) || (kind === 'A' && leadsToGlob(patterns, file))) continue;
      if (found.length + more >= MOST_COUNTED) break;
      const by = writerOf(writers, file);
      if (found.length < MOST_TOLD) found.push({ kind, path: file, ...(by && { by }) });
      else more++;
    }
    return { files: found.sort((a, b) => (a.path < b.path ? -1 : 1)), more };
  }

  #heard(changes: readonly FolderChange[], lost: boolean): void {
    const changed = new Set(lost ? this.#watched.values() : []);
    for (const change of changes) {
      const [id = '', layer = '', ...names] = path.relative(this.#options.containers, change.path).split('/');
      const watched = this.#byId.get(id);
      const file = `/${names.join('/')}`;
      if (watched === undefined || layer !== 'upper' || watched.isAllowed(file)) continue;
      if (watched.writers.size < MOST_WRITERS || watched.writers.has(file)) watched.writers.set(file, writerFrom(change, id));
      changed.add(watched);
    }
    for (const watched of changed) this.#hint(watched);
  }

  #hint(watched: Watched): void {
    const { clock } = this.#options;
    watched.dirty = true;
    if (watched.timer !== undefined) return;
    const due = watched.lookedAt + Math.max(PAUSE.least, watched.took * PAUSE.times);
    watched.timer = clock.setTimeout(() => {
      watched.timer = undefined;
      for (const listener of this.#listeners) listener(watched.name);
    }, Math.max(0, due - clock.now()));
  }
}

/** 0 where there is none. */
async function inodeOf(folder: string): Promise<number> {
  return lstat(folder).then(({ ino }) => ino, () => 0);
}

/** The patterns, and what they are once the links of the image are followed: `/var/run` is `/run` in most. The container's own links say nothing. */
async function whereTheyLead(patterns: readonly string[], { lower }: Pick<ContainerFileSystem, 'lower'>): Promise<string[]> {
  const led = patterns.map(async (pattern) => {
    const fixed = /^[^*?]*(?=\/|$)/.exec(pattern)?.[0] ?? '';
    return fixed === '' ? pattern : (await resolveLayeredPath(lower, fixed)) + pattern.slice(fixed.length);
  });
  return [...new Set([...patterns, ...(await Promise.all(led))])];
}

/** Who was told of for a path, or for the nearest folder above it: who makes a folder has made what is found in it. */
function writerOf(writers: ReadonlyMap<string, FileWriter>, file: string): FileWriter | undefined {
  for (let place = file; ; place = path.posix.dirname(place)) {
    const writer = writers.get(place);
    if (writer !== undefined || place === '/') return writer;
  }
}

function writerFrom({ pid, status, cgroup = '' }: FolderChange, id: string): FileWriter {
  const program = /^Name:\t(.*)$/m.exec(status ?? '')?.[1];
  const uid = /^Uid:\t(\d+)/m.exec(status ?? '')?.[1];
  return { pid, ...(program !== undefined && uid !== undefined && { program, uid: Number(uid), isInside: cgroup.includes(id) }) };
}
