import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, lstat, mkdir, readdir, readFile, rename, rm, rmdir, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { errnoOf, MooringError } from '../../lib/errors.ts';
import { Semaphore } from '../../lib/semaphore.ts';
import { MAX_CONFIG_BYTES } from '../../spec/config-data.ts';
import type { GivenConfig, GivenMount } from '../config.ts';
import type { Drift } from '../engine.ts';
import type { ContainerRecord } from '../store/container-records.ts';
import { SHARED_MEMORY } from './container-paths.ts';

/** f_type of file systems that are nowhere but in memory, statfs(2). */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/** A mount of a container's, and the folder that it shows. */
export interface ConfigFolder {
  readonly mountPath: string;
  readonly folder: string;
}

export interface ConfigFoldersOptions {
  readonly runDir: string;
  readonly instance: string;
}

/**
 * The files that containers see of ConfigMaps and Secrets: `<root>/<container>/<digest of the content>`, each folder made whole by one rename and never written to again.
 * The root is `<run-dir>/config` where that is in memory, else beside other shared memory: a reboot takes it away, and nothing of it is ever on a disk.
 */
export class ConfigFolders {
  readonly #options: ConfigFoldersOptions;
  /** The root comes and goes with what is in it. */
  readonly #turns = new Semaphore(1);

  constructor(options: ConfigFoldersOptions) {
    this.#options = options;
  }

  /** Where the content of each mount is, or will be once `prepare` has come back. */
  async places(id: string, mounts: readonly GivenMount[]): Promise<ConfigFolder[]> {
    if (mounts.length === 0) return [];
    const root = await this.#root();
    if (root === undefined) throw new MooringError('Unsupported', `neither ${this.#options.runDir} nor ${SHARED_MEMORY} is a file system in memory, and Secrets are written to no other`, { fix: `mount a tmpfs on ${SHARED_MEMORY}` });
    return mounts.map((mount) => ({ mountPath: mount.mountPath, folder: path.join(root, id, digestOf(mount)) }));
  }

  /** Makes what is missing of it, or is not as it was made. Nothing may show it meanwhile. */
  async prepare(id: string, { mounts }: GivenConfig): Promise<void> {
    for (const mount of mounts) {
      const [place] = await this.places(id, [mount]);
      if (place === undefined || (await foundDigest(place.folder)) === path.basename(place.folder)) continue;
      await this.#turns.run(async () => {
        await makePrivate(path.dirname(path.dirname(place.folder)));
        await makePrivate(path.dirname(place.folder));
      });
      const unfinished = path.join(path.dirname(place.folder), `.${randomBytes(8).toString('hex')}`);
      await writeContent(unfinished, mount);
      await rm(place.folder, { recursive: true, force: true });
      await rename(unfinished, place.folder);
    }
  }

  /** What somebody has done to it since. */
  async drift(folders: readonly ConfigFolder[]): Promise<Drift[]> {
    const found = await Promise.all(folders.map(async ({ mountPath, folder }) => ({ mountPath, isWhole: (await foundDigest(folder)) === path.basename(folder) })));
    return found.flatMap(({ mountPath, isWhole }) => (isWhole ? [] : [{ kind: 'Mounts' as const, message: `what ${mountPath} shows of ConfigMaps and Secrets was changed by hand` }]));
  }

  /** Of a container that is gone. */
  async remove(id: string): Promise<void> {
    await this.collect((other) => other !== id);
  }

  /** What no container is known of. */
  async collect(isKnown: (id: string) => boolean): Promise<void> {
    const root = await this.#root();
    if (root === undefined) return;
    await this.#turns.run(async () => {
      for (const id of await namesIn(root)) if (!isKnown(id)) await rm(path.join(root, id), { recursive: true, force: true });
      await removeIfEmpty(root);
    });
  }

  async #root(): Promise<string | undefined> {
    const { runDir, instance } = this.#options;
    if (IN_MEMORY.has((await statfs(runDir)).type)) return path.join(runDir, 'config');
    return IN_MEMORY.has((await statfs(SHARED_MEMORY)).type) ? path.join(SHARED_MEMORY, `mooring-${instance}-config`) : undefined;
  }
}

/** What a container is started with is what it was made with: throws `Unavailable` where it has to be made anew. */
export function requireSameConfig({ name, config: made }: ContainerRecord, config: GivenConfig | undefined): void {
  if (isDeepStrictEqual(made?.digests, config?.digests)) return;
  throw new MooringError('Unavailable', `what container ${name} has of ConfigMaps and Secrets has changed since it was made`);
}

interface Entry {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sha256: string;
}

function digestOf({ files, uid, gid }: GivenMount): string {
  return digestOfEntries(files.map(({ path: at, mode, content }) => ({ path: at, mode, uid, gid, sha256: createHash('sha256').update(content).digest('hex') })));
}

function digestOfEntries(entries: readonly Entry[]): string {
  const rows = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1)).map(({ path: at, mode, uid, gid, sha256 }) => [at, mode, uid, gid, sha256]);
  return createHash('sha256').update(JSON.stringify(rows)).digest('hex');
}

/** What the folder's name would have to be; undefined where it is no such folder. */
async function foundDigest(folder: string): Promise<string | undefined> {
  try {
    return digestOfEntries(await entriesIn(folder, ''));
  } catch (error) {
    if (error instanceof Unlike || errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Something that is never made here. */
class Unlike extends Error {}

async function entriesIn(folder: string, below: string): Promise<Entry[]> {
  const own = await lstat(folder);
  if (!own.isDirectory() || (own.mode & MODE_BITS) !== FOLDER_MODE || own.uid !== 0) throw new Unlike();
  const all = await Promise.all(
    (await readdir(folder)).map(async (name): Promise<Entry[]> => {
      const [full, at] = [path.join(folder, name), path.posix.join(below, name)];
      const stats = await lstat(full);
      if (stats.isDirectory()) return entriesIn(full, at);
      if (!stats.isFile() || stats.size > MAX_CONFIG_BYTES || stats.nlink !== 1) throw new Unlike();
      return [{ path: at, mode: stats.mode & MODE_BITS, uid: stats.uid, gid: stats.gid, sha256: createHash('sha256').update(await readFile(full)).digest('hex') }];
    }),
  );
  return all.flat();
}

const FOLDER_MODE = 0o755;
/** Permissions, set-user-ID bits and stickiness, inode(7). */
const MODE_BITS = 0o7777;

async function writeContent(folder: string, { files, uid, gid }: GivenMount): Promise<void> {
  await makeShown(folder);
  for (const { path: at, mode, content } of files) {
    let parent = folder;
    for (const name of at.split('/').slice(0, -1)) {
      parent = path.join(parent, name);
      await makeShown(parent);
    }
    const file = path.join(folder, at);
    await writeFile(file, content, { flag: 'wx', mode: 0o600 });
    await chown(file, uid, gid);
    await chmod(file, mode); // behind chown, and whatever the umask is
  }
}

/** A folder that the container sees. */
async function makeShown(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, FOLDER_MODE);
}

/** A folder for root alone. One that somebody else has made there before is refused. */
async function makePrivate(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== 0) throw new MooringError('Conflict', `${folder} is not Mooring's own: content of Secrets is not put there`, { fix: `remove it: rm -r ${folder}` });
  if ((found.mode & MODE_BITS) !== 0o700) await chmod(folder, 0o700);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY'].includes(errnoOf(error) ?? '')) throw error;
  }
}
