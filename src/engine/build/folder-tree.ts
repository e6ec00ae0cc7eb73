import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink } from 'node:fs/promises';
import path from 'node:path';

import { errnoOf, MooringError } from '../../lib/errors.ts';
import type { Native } from '../../native/native.ts';
import { byBytes, type FileTree, parentOf, partsOf, type TreeFile } from './file-tree.ts';
import { IGNORE_NOTHING, type IgnoreRules } from './ignore.ts';
import { readPieces } from './read-pieces.ts';
import { treeFile } from './tree-file.ts';

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Folders kept open, so that a file is not looked for from the root each time. */
const MAX_OPEN = 64;

interface OpenFolder {
  /** Undefined where the folder is not. */
  readonly opened: Promise<FileHandle | undefined>;
  /** Those that do something in it now. */
  users: number;
}

/**
 * A folder of the node. Each component is opened from the one above it and never through a link, so that nobody who changes the folder meanwhile can have
 * anything outside of it read: `/proc/self/fd/N/name` is what openat(2) is elsewhere.
 */
export class FolderTree implements FileTree, AsyncDisposable {
  readonly #root: string;
  readonly #native: Pick<Native, 'readAttributes'>;
  readonly #ignore: IgnoreRules;
  /** In the order of their last use. */
  readonly #open = new Map<string, OpenFolder>();
  readonly #closing = new Set<Promise<void>>();

  constructor(root: string, native: Pick<Native, 'readAttributes'>, ignore: IgnoreRules = IGNORE_NOTHING) {
    this.#root = root;
    this.#native = native;
    this.#ignore = ignore;
  }

  async look(file: string): Promise<TreeFile | undefined> {
    const found = await this.#at(file, (place) => lstat(place, { bigint: true }));
    if (!found || !this.#isIgnored(file)) return found && treeFile(found);
    // A folder that is left out may yet hold what is let in again.
    return found.isDirectory() && this.#ignore.hasExceptions && (await this.names(file)).length > 0 ? treeFile(found) : undefined;
  }

  async names(folder: string): Promise<string[]> {
    const names = (await this.#at(folder, (place) => readdir(`${place}/`))) ?? [];
    const kept: string[] = [];
    for (const name of names) {
      const child = folder === '' ? name : `${folder}/${name}`;
      if (!this.#isIgnored(child) || (this.#ignore.hasExceptions && (await this.look(child)))) kept.push(name);
    }
    return kept.sort(byBytes);
  }

  async readLink(file: string): Promise<string> {
    return (await this.#at(file, (place) => readlink(place))) ?? '';
  }

  async *read(file: string): AsyncIterable<Buffer> {
    const handle = await this.#at(file, (place) => open(place, FILE));
    if (!handle) throw gone(file);
    await using opened = handle;
    const found = await opened.stat();
    if (!found.isFile()) throw gone(file);
    yield* readPieces(opened, found.size);
  }

  async attributes(file: string): Promise<ReadonlyMap<string, Buffer>> {
    const found = await this.#at(file, async (place) => (await this.#native.readAttributes([place]))[0]);
    return found && 'attributes' in found ? layerAttributes(found.attributes) : new Map();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const folder of this.#open.keys()) this.#close(folder);
    await Promise.all(this.#closing);
  }

  #isIgnored(file: string): boolean {
    return file !== '' && this.#ignore.ignores(file);
  }

  /** Does something with a file by a path that leads through no link; undefined where the file is not. */
  async #at<T>(file: string, work: (place: string) => Promise<T>): Promise<T | undefined> {
    const parts = partsOf(file);
    if (parts.includes('..')) throw new MooringError('Internal', `"${file}" was not resolved`);
    const name = parts.pop() ?? '.';
    return this.#in(parts.join('/'), async (folder) => {
      try {
        return await work(`/proc/self/fd/${folder.fd}/${name}`);
      } catch (error) {
        if (isAbsence(error)) return undefined;
        throw new MooringError('Unavailable', `read ${path.join(this.#root, file)}`, { cause: error });
      }
    });
  }

  /** Does something in a folder, which stays open meanwhile; undefined where the folder is not. */
  async #in<T>(folder: string, work: (handle: FileHandle) => Promise<T>): Promise<T | undefined> {
    const place = this.#folder(folder);
    place.users++;
    try {
      const handle = await place.opened;
      return handle && (await work(handle));
    } finally {
      place.users--;
      this.#trim();
    }
  }

  #folder(folder: string): OpenFolder {
    const place = this.#open.get(folder) ?? { opened: this.#openFolder(folder), users: 0 };
    this.#open.delete(folder);
    this.#open.set(folder, place);
    return place;
  }

  async #openFolder(folder: string): Promise<FileHandle | undefined> {
    try {
      if (folder === '') return await open(this.#root, constants.O_RDONLY | constants.O_DIRECTORY);
      return await this.#in(parentOf(folder), (above) => open(`/proc/self/fd/${above.fd}/${path.basename(folder)}`, FOLDER));
    } catch (error) {
      if (isAbsence(error)) return undefined;
      if (error instanceof MooringError) throw error;
      throw new MooringError('Unavailable', `open ${path.join(this.#root, folder)}`, { cause: error });
    }
  }

  /** Closes what was not used for long, and is not now. */
  #trim(): void {
    if (this.#open.size <= MAX_OPEN) return;
    for (const [folder, { users }] of this.#open) {
      if (users === 0) this.#close(folder);
      if (this.#open.size <= MAX_OPEN) return;
    }
  }

  #close(folder: string): void {
    const place = this.#open.get(folder);
    this.#open.delete(folder);
    const opened = place?.opened.catch(() => undefined); // told to whoever wanted it open
    const closing = Promise.resolve(opened)
      .then((handle) => handle?.close())
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

/** Of a file's attributes those that an image keeps; overlayfs' own and the host's stay behind. */
export function layerAttributes(attributes: ReadonlyMap<string, Buffer>): ReadonlyMap<string, Buffer> {
  return new Map([...attributes].filter(([name]) => name === 'security.capability' || (name.startsWith('user.') && !name.startsWith('user.overlay.'))).sort(([a], [b]) => byBytes(a, b)));
}

function isAbsence(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '');
}

function gone(file: string): MooringError {
  return new MooringError('Conflict', `${file} went or changed its kind while it was copied`, { fix: 'build again' });
}
