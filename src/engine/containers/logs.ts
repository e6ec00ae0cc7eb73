import { watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';

import { errnoOf } from '../../lib/errors.ts';
import type { LogLine, LogOptions } from '../engine.ts';
import { LogFile } from './log-file.ts';

/** Rotations that may come between looking for the files and opening them. */
const ATTEMPTS = 10;

/** The lines of a rotated log, oldest first; with `follow`, also those to come, until the signal aborts or the log's folder is gone. */
export async function* readLog(file: string, options: LogOptions): AsyncGenerator<LogLine> {
  const { follow, tail, since, signal } = options;
  using changes = follow ? new FolderChanges(path.dirname(file), signal) : undefined;
  const started = since === undefined ? () => true : after(since);
  let files = await openAll(file);
  try {
    if (tail !== undefined) files = await seekTail(files, tail);
    while (!signal.aborted) {
      for (const each of files) {
        for await (const line of each.read()) {
          if (signal.aborted) return;
          if (started(line)) yield line;
        }
      }
      if (!changes) return;
      await Promise.all(files.splice(0, files.length - 1).map((each) => each.close()));
      // The last one was still written to until it was rotated, so it is read once more, before its successors.
      const newer = await openNewer(file, files[0]);
      files.push(...newer);
      // An open file keeps its folder from ending.
      if (await files[0]?.isDeleted()) await files.shift()?.close();
      if (newer.length === 0 && !(await changes.next())) return;
    }
  } finally {
    await Promise.all(files.map((each) => each.close()));
  }
}

/** Lines come in the order of time, so that one look at each is enough until the first that is late enough. */
function after(since: number): (line: LogLine) => boolean {
  let reached = false;
  return (line) => (reached ||= Date.parse(line.time) >= since);
}

/** Leaves only the files that hold the last `count` lines, each at its place. */
async function seekTail(files: readonly LogFile[], count: number): Promise<LogFile[]> {
  const kept: LogFile[] = [];
  let wanted = count;
  for (const file of files.toReversed()) {
    if (kept.length > 0 && wanted === 0) {
      await file.close();
      continue;
    }
    wanted = await file.seekTail(wanted);
    kept.unshift(file);
  }
  return kept;
}

/** All files of the log, oldest first: `log.2`, `log.1`, `log`. */
async function openAll(file: string): Promise<LogFile[]> {
  for (let attempt = 1; ; attempt++) {
    const opened = (await Promise.all((await namesOf(file)).map((name) => LogFile.open(name)))).filter((each) => each !== undefined);
    // A rotation in between renames one file into another's place, or leaves a gap: then the newest isn't the one we have.
    const newest = await LogFile.open(file);
    const consistent = newest?.inode === opened.at(-1)?.inode && new Set(opened.map((each) => each.inode)).size === opened.length;
    await newest?.close();
    if (consistent || attempt === ATTEMPTS) return opened;
    await Promise.all(opened.map((each) => each.close()));
  }
}

/** The files that have come after `current`. */
async function openNewer(file: string, current: LogFile | undefined): Promise<LogFile[]> {
  const newest = await LogFile.open(file);
  await newest?.close();
  if (newest === undefined || newest.inode === current?.inode) return [];
  const all = await openAll(file);
  const index = all.findIndex((each) => each.inode === current?.inode); // -1, which keeps all, when it was rotated away
  await Promise.all(all.slice(0, index + 1).map((each) => each.close()));
  return all.slice(index + 1);
}

async function namesOf(file: string): Promise<string[]> {
  const base = path.basename(file);
  let names: string[];
  try {
    names = await readdir(path.dirname(file));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
  const age = (name: string) => (name === base ? 0 : Number(name.slice(base.length + 1)));
  return names
    .filter((name) => name === base || (name.startsWith(`${base}.`) && /^[0-9]+$/.test(name.slice(base.length + 1))))
    .sort((a, b) => age(b) - age(a))
    .map((name) => path.join(path.dirname(file), name));
}

/** Says when anything in a folder has changed since it was last asked. */
class FolderChanges implements Disposable {
  readonly #close: () => void;
  #changed = false;
  #over = false;
  #wake: () => void = () => {};

  constructor(folder: string, signal: AbortSignal) {
    const watcher = watch(folder, (event, name) => {
      this.#changed = true;
      // inotify tells of the folder's own end under its own name.
      if (event === 'rename' && name === path.basename(folder)) this.#over = true;
      this.#wake();
    });
    // At once, and not when the reader comes back: one that was aborted may never do so.
    const end = () => {
      this.#over = true;
      watcher.close();
      this.#wake();
    };
    watcher.on('error', end);
    signal.addEventListener('abort', end, { once: true });
    this.#close = () => {
      watcher.close();
      signal.removeEventListener('abort', end);
    };
  }

  /** True after a change, false once there will be none any more. */
  async next(): Promise<boolean> {
    while (!this.#changed && !this.#over) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    const changed = this.#changed && !this.#over;
    this.#changed = false;
    return changed;
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}
