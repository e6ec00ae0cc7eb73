import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, readdir, stat, utimes } from 'node:fs/promises';
import path from 'node:path';

import { errnoOf } from '../../lib/errors.ts';
import { diskBytes } from '../images/disk.ts';
import type { DataDir } from '../store/data-dir.ts';

export interface CacheFolderRequest {
  readonly id: string;
  readonly sharing: 'shared' | 'private' | 'locked';
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  /** Fills it when it is new. */
  readonly fill?: (folder: string) => Promise<void>;
}

/** Folders of `RUN --mount=type=cache`, which outlive their build. A folder is named for its id and, with `private`, for its number among them. */
export class CacheFolders {
  readonly #dataDir: DataDir;
  readonly #users = new Map<string, number>();
  readonly #turns = new Map<string, Promise<void>>();

  constructor(dataDir: DataDir) {
    this.#dataDir = dataDir;
  }

  /** The folder, for as long as what this gives back is not disposed of. With `locked`, waits until nobody else has it. */
  async open(request: CacheFolderRequest): Promise<AsyncDisposable & { readonly folder: string }> {
    const base = createHash('sha256').update(request.id).digest('hex');
    let name = `${base}-0`;
    if (request.sharing === 'private') for (let number = 0; this.#users.has(name); number++) name = `${base}-${number}`;
    const release = request.sharing === 'locked' ? await this.#lock(name) : () => {};
    this.#users.set(name, (this.#users.get(name) ?? 0) + 1);
    const close = (): void => {
      const left = (this.#users.get(name) ?? 1) - 1;
      if (left === 0) this.#users.delete(name);
      else this.#users.set(name, left);
      release();
    };
    try {
      const folder = path.join(this.#dataDir.buildCaches, name);
      await this.#make(folder, request);
      const now = new Date();
      await utimes(folder, now, now); // says when it was last used
      return { folder, [Symbol.asyncDispose]: () => Promise.resolve(close()) };
    } catch (error) {
      close();
      throw error;
    }
  }

  async list(): Promise<string[]> {
    return (await readdir(this.#dataDir.buildCaches)).map((name) => path.join(this.#dataDir.buildCaches, name));
  }

  /** Removes those that nobody has and that were not used since `latest`, and gives the bytes. */
  async prune(latest: number, dryRun: boolean): Promise<number> {
    let bytes = 0;
    for (const folder of await this.list()) {
      if (this.#users.has(path.basename(folder)) || (await stat(folder)).mtimeMs > latest) continue;
      bytes += await diskBytes(folder);
      if (!dryRun) await (await this.#dataDir.discard(folder)).discarded;
    }
    return bytes;
  }

  /** Made whole beside its place, so that a killed build leaves none that is half filled. */
  async #make(folder: string, { uid, gid, mode, fill }: CacheFolderRequest): Promise<void> {
    if (await isThere(folder)) return;
    const half = this.#dataDir.temporaryPath();
    await mkdir(half);
    await fill?.(half);
    await chown(half, uid, gid);
    await chmod(half, mode);
    await this.#dataDir.publish(half, folder).catch((error: unknown) => {
      // Another build was first.
      if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST') throw error;
    });
  }

  async #lock(name: string): Promise<() => void> {
    const before = this.#turns.get(name) ?? Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const mine = before.then(() => promise);
    this.#turns.set(name, mine);
    await before;
    return () => {
      if (this.#turns.get(name) === mine) this.#turns.delete(name);
      resolve();
    };
  }
}

async function isThere(folder: string): Promise<boolean> {
  try {
    return (await stat(folder)).isDirectory();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
