import { constants, type Stats } from 'node:fs';
import { lstat, open, readlink } from 'node:fs/promises';
import path from 'node:path';

import { errnoOf, MooringError } from '../../lib/errors.ts';

/** Links followed in one path before it counts as a loop, as in the kernel (path_resolution(7)). */
const MAX_LINKS = 40;

/** What a file read from an image may hold at most. */
const MAX_BYTES = 1024 * 1024;

/** A place in the merged view of layers: its path from the root, and what each layer holds there, top first. Empty where nothing is. */
interface Place {
  readonly path: string;
  readonly found: readonly { readonly host: string; readonly stat: Stats }[];
}

/**
 * Reads a file out of unpacked layers (top first) as the container would see it. Links are resolved within the image: whatever an
 * image's author makes them say, no file of the host is opened. Undefined when there is no such file.
 * `Invalid` for a loop of links, or for what is not a regular file or is too large.
 */
export async function readLayeredFile(layers: readonly string[], file: string): Promise<string | undefined> {
  const top = (await resolve(layers, file)).found[0];
  if (!top) return undefined;
  if (!top.stat.isFile() || top.stat.size > MAX_BYTES) throw new MooringError('Invalid', `${file} of the image is not a regular file of at most ${MAX_BYTES} bytes`);
  // Layers don't change and only root can write to them; O_NOFOLLOW and O_NONBLOCK cost nothing and hold even so.
  await using handle = await open(top.host, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  return await handle.readFile('utf8');
}

/** Where `target` really is once the links of the layers (top first) are followed; what does not exist there stays as it is written. */
export async function resolveLayeredPath(layers: readonly string[], target: string): Promise<string> {
  return (await resolve(layers, target)).path;
}

/** What is at `target` once its links are followed: where it really is, whose it is, whether it is a folder. Undefined where nothing is. */
export async function layeredStat(layers: readonly string[], target: string): Promise<{ readonly path: string; readonly uid: number; readonly gid: number; readonly isFolder: boolean } | undefined> {
  const place = await resolve(layers, target);
  const top = place.found[0]?.stat;
  return top && { path: place.path, uid: top.uid, gid: top.gid, isFolder: top.isDirectory() };
}

async function resolve(layers: readonly string[], target: string): Promise<Place> {
  const root: Place = { path: '/', found: await Promise.all(layers.map(async (host) => ({ host, stat: await lstat(host) }))) };
  const trail = [root];
  const pending = parts(target);
  let links = 0;
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (name === '..') {
      if (trail.length > 1) trail.pop(); // the root is its own parent
      continue;
    }
    const child = await lookUp(trail.at(-1) ?? root, name);
    const top = child.found[0];
    if (!top?.stat.isSymbolicLink()) {
      trail.push(child);
      continue;
    }
    if (++links > MAX_LINKS) throw new MooringError('Invalid', `${target} of the image is a loop of symbolic links`);
    const link = await readlink(top.host);
    if (link.startsWith('/')) trail.length = 1;
    pending.unshift(...parts(link));
  }
  return trail.at(-1) ?? root;
}

/** Looks one name up in a merged folder, as overlayfs does: a folder is merged with the folders below it, anything else hides them. */
async function lookUp(folder: Place, name: string): Promise<Place> {
  const candidates = await Promise.all(folder.found.filter(({ stat }) => stat.isDirectory()).map(({ host }) => lstatOrNothing(path.join(host, name))));
  const found = [];
  for (const candidate of candidates) {
    if (!candidate) continue;
    if (isWhiteout(candidate.stat)) break;
    if (found.length > 0 && !candidate.stat.isDirectory()) break;
    found.push(candidate);
    if (!candidate.stat.isDirectory()) break;
  }
  return { path: path.posix.join(folder.path, name), found };
}

/** A deleted name: a character device 0:0 (kernel, filesystems/overlayfs, "whiteouts and opaque directories"). */
function isWhiteout(stat: Stats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0;
}

async function lstatOrNothing(host: string): Promise<{ host: string; stat: Stats } | undefined> {
  try {
    return { host, stat: await lstat(host) };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function parts(text: string): string[] {
  return text.split('/').filter((part) => part !== '' && part !== '.');
}
