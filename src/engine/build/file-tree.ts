import path from 'node:path';

import { MooringError } from '../../lib/errors.ts';

export type FileKind = 'file' | 'folder' | 'link' | 'character' | 'block' | 'pipe' | 'socket';

/** What is at a path of a tree, the link itself where it is one. */
export interface TreeFile {
  readonly kind: FileKind;
  /** The lower twelve bits: permissions, set-ID and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  /** Of a device. */
  readonly device?: { readonly major: number; readonly minor: number };
  /** The same for all names of one file; undefined where it has one name only. */
  readonly identity?: string;
  /** Changes whenever the content may have; undefined where nothing vouches for that. */
  readonly version?: string;
}

/**
 * Files that can be copied from: a folder of the node, or the merged view of image layers. Paths are relative to its root, `a/b/c`; the root is the empty
 * path. Nothing outside of the root is ever reached, whatever links say.
 */
export interface FileTree {
  /** Undefined where nothing is, or where a folder above it is none. */
  look(path: string): Promise<TreeFile | undefined>;
  /** Names in a folder, sorted by their bytes. */
  names(folder: string): Promise<string[]>;
  readLink(path: string): Promise<string>;
  /** The content of a regular file. */
  read(path: string): AsyncIterable<Buffer>;
  /** Attributes that belong into a layer: `security.capability` and `user.*`. */
  attributes(path: string): Promise<ReadonlyMap<string, Buffer>>;
}

/** Links followed in one path before it counts as a loop, as in the kernel (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * Where a path leads once all links are followed within the tree, the last component included. What does not exist stays as it is written. The root is
 * its own parent. Throws `Invalid` for a loop.
 */
export async function resolveIn(tree: FileTree, target: string): Promise<string> {
  const pending = partsOf(target);
  let place: string[] = [];
  let links = 0;
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (name === '..') {
      place.pop();
      continue;
    }
    const here = [...place, name].join('/');
    if ((await tree.look(here))?.kind !== 'link') {
      place.push(name);
      continue;
    }
    if (++links > MAX_LINKS) throw new MooringError('Invalid', `${target} is a loop of symbolic links`);
    const link = await tree.readLink(here);
    if (link.startsWith('/')) place = [];
    pending.unshift(...partsOf(link));
  }
  return place.join('/');
}

/** A path's components without empty ones and `.`. */
export function partsOf(text: string): string[] {
  return text.split('/').filter((part) => part !== '' && part !== '.');
}

/** A path as it is written, cleaned, relative to the root: `..` never leads above it. */
export function cleanPath(text: string): string {
  return path.posix.join('/', text).replace(/^\/|\/$/g, '');
}

export function joined(folder: string, name: string): string {
  return folder === '' ? name : name === '' ? folder : `${folder}/${name}`;
}

export function parentOf(file: string): string {
  const slash = file.lastIndexOf('/');
  return slash < 0 ? '' : file.slice(0, slash);
}

/** In the order of their bytes, which no locale changes. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
