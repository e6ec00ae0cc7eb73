import { open, readFile } from 'node:fs/promises';

import { readBootId } from '../../lib/boot-id.ts';
import { errnoOf } from '../../lib/errors.ts';
import type { DataDir } from '../store/data-dir.ts';
import type { Digest } from './digest.ts';

/** A blob, or an unpacked layer: one archive may be both, under the same digest. */
export type Unflushed = Digest | `layer ${Digest}`;

export function layerNames(chainIds: readonly Digest[]): Unflushed[] {
  return chainIds.map((chainId) => `layer ${chainId}` as const);
}

export interface FlushLedgerOptions {
  readonly dataDir: DataDir;
  /** Has everything in the data directory written to disk: syncfs(2). */
  readonly flush: () => Promise<unknown>;
  /** Finds out what of these blobs and layers is whole, and makes the store do without the rest. The machine went down before they were flushed. */
  readonly recover: (suspects: ReadonlySet<Unflushed>) => Promise<void>;
  /** Told of a flush that failed. What it was for stays in the ledger. */
  readonly onFailure: (error: unknown) => void;
}

interface Entry {
  /** Operations that may still bring it in. */
  holds: number;
  /** Grows whenever another one may: what was flushed before that says nothing of it. */
  version: number;
}

/** What comes in within this time is flushed together. */
const FLUSH_AFTER_MS = 5_000;
/** Kept free behind the names. What is written there changes the file's content and nothing else of it, so that its flush does not take a commit of the file system's journal. */
const ROOM_BYTES = 16 * 1024;

/**
 * Names on disk the blobs and layers that may be in their place without being on disk, so that nobody has to wait until they are. A name is
 * written and flushed before its thing gets its place, and struck out after a flush of everything. A machine that goes down in between finds the
 * name when it is up again, whatever the file system made of the thing, and trusts it no more. The page cache outlives a daemon, so the death of
 * that alone leaves nothing in doubt.
 */
export class FlushLedger {
  readonly #options: FlushLedgerOptions;
  readonly #entries = new Map<Unflushed, Entry>();
  /** One change of the file at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  #opening: Promise<void> | undefined;
  #boot = '';
  /** Where the file has room, from and to; none where another daemon has written it. */
  #room = { from: 0, to: 0 };
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: FlushLedgerOptions) {
    this.#options = options;
  }

  /** Settles once nothing in the store is in doubt: at once, unless the machine went down in the middle of something. To be awaited before the store is used. */
  open(): Promise<void> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** Names what may get its place from now on. Settles once that is on disk. Each digest has to be released as often as it was noted. */
  async note(digests: readonly Unflushed[]): Promise<void> {
    await this.open();
    await this.#inTurn(async () => {
      const fresh = new Set(digests.filter((digest) => !this.#entries.has(digest)));
      if (fresh.size > 0) await this.#append(fresh);
      for (const digest of digests) {
        const { holds, version } = this.#entries.get(digest) ?? { holds: 0, version: 0 };
        this.#entries.set(digest, { holds: holds + 1, version: version + 1 });
      }
    });
  }

  /** The operation that noted them has brought them in, or never will. */
  release(digests: readonly Unflushed[]): void {
    for (const digest of digests) {
      const entry = this.#entries.get(digest);
      if (entry) entry.holds--;
    }
    this.#schedule();
  }

  /** Settles once what of these has come in is on disk: at once where that has been flushed. What is coming in for an operation under way stays in doubt until that has ended. */
  async settle(digests: readonly Unflushed[]): Promise<void> {
    await this.open();
    if (digests.some((digest) => this.#entries.has(digest))) await this.flush();
  }

  /** Flushes what has come in, and strikes it out. */
  async flush(): Promise<void> {
    const settled = new Map([...this.#entries].flatMap(([digest, { holds, version }]) => (holds === 0 ? [[digest, version] as const] : [])));
    if (settled.size === 0) return;
    await this.#options.flush();
    await this.#inTurn(async () => {
      for (const [digest, version] of settled) if (this.#entries.get(digest)?.version === version) this.#entries.delete(digest);
      await this.#write(this.#entries.keys());
    });
    this.#schedule();
  }

  /** Flushes no more: what is in the ledger stays there for the next to open it. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#flushing;
    await this.#turn;
  }

  async #open(): Promise<void> {
    this.#boot = await readBootId();
    const { boot, digests } = await this.#read();
    if (boot !== this.#boot) {
      if (digests.size > 0) await this.#options.recover(digests);
      await this.#write(digests);
    }
    for (const digest of digests) this.#entries.set(digest, { holds: 0, version: 0 });
    this.#schedule();
  }

  async #read(): Promise<{ readonly boot: string; readonly digests: Set<Unflushed> }> {
    try {
      const [boot = '', ...lines] = (await readFile(this.#options.dataDir.unflushed, 'utf8')).split('\n');
      // A line that was not flushed whole named nothing yet that got its place.
      return { boot, digests: new Set(lines.filter((line): line is Unflushed => /^(layer )?sha256:[0-9a-f]{64}$/.test(line))) };
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return { boot: '', digests: new Set() };
      throw error;
    }
  }

  async #append(digests: Iterable<Unflushed>): Promise<void> {
    // On lines of their own, whatever broke off before.
    const lines = Buffer.from(`\n${[...digests].join('\n')}\n`);
    const fits = this.#room.from + lines.length <= this.#room.to;
    await using handle = await open(this.#options.dataDir.unflushed, fits ? 'r+' : 'a');
    if (fits) await handle.write(lines, 0, lines.length, this.#room.from);
    else await handle.writeFile(lines);
    await handle.datasync();
    if (fits) this.#room.from += lines.length;
  }

  async #write(digests: Iterable<Unflushed>): Promise<void> {
    const text = [this.#boot, ...digests, ''].join('\n');
    await this.#options.dataDir.writeDurably(this.#options.dataDir.unflushed, text + '\n'.repeat(ROOM_BYTES));
    this.#room = { from: text.length, to: text.length + ROOM_BYTES };
  }

  #schedule(): void {
    if (this.#closed || this.#timer !== undefined || ![...this.#entries.values()].some(({ holds }) => holds === 0)) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#flushing = this.flush().catch(this.#options.onFailure);
    }, FLUSH_AFTER_MS).unref();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {}); // its own caller is told
    return turn;
  }
}
