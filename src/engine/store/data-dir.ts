import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { errnoOf } from '../../lib/errors.ts';

/** The data directory's folders, and how things come to be in them and leave them whole. */
export class DataDir {
  /** `<blobs>/<hex>`: content-addressed. */
  readonly blobs: string;
  /** `<layers>/<hex of the chain ID>`: unpacked, never changed. */
  readonly layers: string;
  /** `<containers>/<id>`: bundle, writable layer, log, exit record. */
  readonly containers: string;
  /** Folders of `RUN --mount=type=cache`. */
  readonly buildCaches: string;
  /** `<volumes>/<folder>/_data`: what containers keep. Deleted through its record only. */
  readonly volumes: string;
  /** What is half made or half removed. Nothing in here is worth keeping over a restart. */
  readonly temporary: string;
  /** File of the names of blobs and layers that may not be on disk yet. */
  readonly unflushed: string;

  private constructor(root: string) {
    this.blobs = path.join(root, 'blobs', 'sha256');
    this.layers = path.join(root, 'layers');
    this.containers = path.join(root, 'containers');
    this.buildCaches = path.join(root, 'build', 'caches');
    this.volumes = path.join(root, 'volumes');
    this.temporary = path.join(root, 'tmp');
    this.unflushed = path.join(root, 'unflushed');
  }

  /** Makes the folders that are missing. */
  static async open(root: string): Promise<DataDir> {
    const dir = new DataDir(path.resolve(root));
    await mkdir(root, { recursive: true, mode: 0o700 });
    await Promise.all([dir.blobs, dir.layers, dir.containers, dir.buildCaches, dir.volumes, dir.temporary].map((folder) => mkdir(folder, { recursive: true, mode: 0o700 })));
    return dir;
  }

  /** A path in `temporary` that nothing has. */
  temporaryPath(): string {
    return path.join(this.temporary, randomBytes(12).toString('hex'));
  }

  /** A folder in `temporary` of its user's own, gone with it. */
  async temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
    const folder = this.temporaryPath();
    await mkdir(folder, { mode: 0o700 });
    return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
  }

  /** Writes a file so that after a crash at any point it is there whole, or not at all. */
  async writeDurably(file: string, content: string | Uint8Array): Promise<void> {
    const half = this.temporaryPath();
    await writeFile(half, content, { flag: 'wx', mode: 0o600, flush: true });
    await this.publish(half, file);
  }

  /** Renames what was made (and flushed) in `temporary` to its place, durably. */
  async publish(made: string, place: string): Promise<void> {
    await rename(made, place);
    await syncFolder(path.dirname(place));
  }

  /** Renames what was made in `temporary` to its place: whole for every process, and on disk some time later. Only for what a ledger names as such. */
  async place(made: string, place: string): Promise<void> {
    await rename(made, place);
  }

  /** Takes `target` out of its place at once, and deletes it when there is time. Settles after the first; the second is `discarded`. */
  async discard(target: string): Promise<{ readonly discarded: Promise<void> }> {
    const grave = this.temporaryPath();
    try {
      await rename(target, grave);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return { discarded: Promise.resolve() };
      throw error;
    }
    return { discarded: rm(grave, { recursive: true, force: true }) };
  }

  /** Deletes what a killed daemon left half made or half removed. Only while nobody makes or removes anything. */
  async collectTemporary(): Promise<void> {
    const names = await readdir(this.temporary);
    await Promise.all(names.map((name) => rm(path.join(this.temporary, name), { recursive: true, force: true })));
  }
}

/** fsync(2) of a folder, which makes the names in it durable. */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}
