import { readdir } from 'node:fs/promises';
import path from 'node:path';

import { errnoOf } from '../../lib/errors.ts';
import { LogFile } from './log-file.ts';

/** Files held open beyond their removal for a reader that is behind; what is rotated away after so many is lost to it. */
const MOST = 64;

/** The files of a rotated log in the order in which they were written, each opened before a rotation can take it away. */
export class LogChain implements AsyncDisposable {
  readonly #path: string;
  readonly #files: LogFile[] = [];
  /** Those before which others may have gone unseen. */
  readonly #afterGap = new Set<LogFile>();
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #lostTrack = false;
  #closed = false;

  constructor(file: string) {
    this.#path = file;
  }

  /** The oldest that was not left yet. */
  get current(): LogFile | undefined {
    return this.#files[0];
  }

  /** Whether `current` is written to no more. */
  get hasSuccessor(): boolean {
    return this.#files.length > 1;
  }

  /** Opens what has come since it was last called. A call during another's look has that look again, since it may have passed by what the call is about. */
  collect(): Promise<void> {
    this.#lookAgain = true;
    this.#looking ??= this.#lookUntilSettled().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  /** Goes on to the next file. True when lines between the two may be lost. */
  async advance(): Promise<boolean> {
    await this.#files.shift()?.close();
    return this.current !== undefined && this.#afterGap.delete(this.current);
  }

  /** Lets go of the only file, which was removed. */
  async drop(): Promise<void> {
    await this.advance();
    this.#lostTrack = true;
  }

  /** Leaves only the files that hold the last `count` lines, each at its place. */
  async seekTail(count: number): Promise<void> {
    let wanted = count;
    let kept = 0;
    for (const file of this.#files.toReversed()) {
      if (kept > 0 && wanted === 0) break;
      wanted = await file.seekTail(wanted);
      kept++;
    }
    while (this.#files.length > kept) await this.advance();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#looking?.catch(() => {}); // whoever asked for it was told
    await Promise.all(this.#files.map((file) => file.close()));
  }

  async #lookUntilSettled(): Promise<void> {
    while (this.#lookAgain) {
      this.#lookAgain = false;
      await this.#look();
    }
  }

  async #look(): Promise<void> {
    if (this.#files.length >= MOST) return;
    const last = this.#files.at(-1);
    const { newer, met } = await openNewer(this.#path, last);
    if (this.#closed) await Promise.all(newer.splice(0).map((file) => file.close()));
    const [first] = newer;
    if (first === undefined) return;
    if (last === undefined ? this.#lostTrack : !met) this.#afterGap.add(first);
    this.#lostTrack = false;
    this.#files.push(...newer);
  }
}

/**
 * The files that have come after `last`, oldest first; all of them without one. `met`: it was found, so that none between can be missing.
 *
 * From the newest name to the oldest: a rotation moves every file one name further back, the oldest first. So none is passed by; one may be met
 * again, and behind it then stands nothing that is newer: its place is where it was met last.
 */
async function openNewer(log: string, last: LogFile | undefined): Promise<{ readonly newer: LogFile[]; readonly met: boolean }> {
  const newestFirst: LogFile[] = [];
  try {
    const highest = await highestNumber(log);
    // A rotation under way leaves one name empty for a moment.
    for (let number = 0, missing = 0; number <= highest || missing < 2; number++) {
      const file = await LogFile.open(number === 0 ? log : `${log}.${number}`);
      missing = file === undefined ? missing + 1 : 0;
      if (file === undefined) continue;
      const again = newestFirst.findIndex(({ inode }) => inode === file.inode);
      const isLast = file.inode === last?.inode;
      if (again >= 0) newestFirst.push(...newestFirst.splice(again, 1));
      else if (!isLast) newestFirst.push(file);
      if (again >= 0 || isLast) await file.close();
      if (isLast) return { newer: newestFirst.toReversed(), met: true };
    }
  } catch (error) {
    await Promise.all(newestFirst.map((file) => file.close()));
    throw error;
  }
  return { newer: newestFirst.toReversed(), met: false };
}

/** The N of the oldest `log.N`, 0 where there is none. */
async function highestNumber(file: string): Promise<number> {
  const base = `${path.basename(file)}.`;
  try {
    const names = await readdir(path.dirname(file));
    return Math.max(0, ...names.filter((name) => name.startsWith(base) && /^[1-9][0-9]{0,8}$/.test(name.slice(base.length))).map((name) => Number(name.slice(base.length))));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0;
    throw error;
  }
}
