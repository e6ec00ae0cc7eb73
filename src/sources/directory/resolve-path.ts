import { lstat, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf } from '../../lib/errors.ts';

/** A name in a folder without links: what it stands for decides where a path leads. */
export interface Hop {
  readonly folder: string;
  readonly name: string;
}

export interface ResolvedPath {
  /** The path without symbolic links; undefined when something on the way does not exist, or its links go in a circle. */
  readonly real: string | undefined;
  /** Every name on the way, up to the missing one: where one of them changes, the path may lead elsewhere. */
  readonly hops: readonly Hop[];
}

/** As the kernel's MAXSYMLINKS. */
const MAX_LINKS = 40;

/** Follows `path` from `base`, a folder without links, and remembers the way. */
export async function resolvePath(base: string, path: string): Promise<ResolvedPath> {
  const hops: Hop[] = [];
  let rest = path.split('/');
  let folder = path.startsWith('/') ? '/' : base;
  let links = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      folder = dirname(folder);
      continue;
    }
    hops.push({ folder, name });
    const target = await follow(join(folder, name));
    if (target === 'Missing') return { real: undefined, hops };
    if (target === 'NoLink') {
      folder = join(folder, name);
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) return { real: undefined, hops };
    if (target.link.startsWith('/')) folder = '/';
    rest = [...target.link.split('/'), ...rest];
  }
  return { real: folder, hops };
}

async function follow(path: string): Promise<'Missing' | 'NoLink' | { readonly link: string }> {
  try {
    return (await lstat(path)).isSymbolicLink() ? { link: await readlink(path) } : 'NoLink';
  } catch (error) {
    // ENOTDIR: a file stands where the path wants a folder. EINVAL: the link was replaced between the two calls.
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EINVAL') return 'Missing';
    throw error;
  }
}
