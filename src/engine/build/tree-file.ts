import type { BigIntStats } from 'node:fs';

import type { FileKind, TreeFile } from './file-tree.ts';

/** A file's status as trees tell it. */
export function treeFile(found: BigIntStats): TreeFile {
  const kind = kindOf(found);
  const rdev = Number(found.rdev);
  return {
    kind,
    mode: Number(found.mode & 0o7777n),
    uid: Number(found.uid),
    gid: Number(found.gid),
    size: Number(found.size),
    mtime: Number(found.mtimeMs / 1000n),
    // gnu_dev_major and gnu_dev_minor of the 32-bit dev_t that Linux gives (makedev(3)).
    ...((kind === 'character' || kind === 'block') && { device: { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) } }),
    ...(kind === 'file' && found.nlink > 1n && { identity: `${found.dev}:${found.ino}` }),
    version: `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}:${found.ctimeNs}`,
  };
}

function kindOf(found: BigIntStats): FileKind {
  if (found.isFile()) return 'file';
  if (found.isDirectory()) return 'folder';
  if (found.isSymbolicLink()) return 'link';
  if (found.isCharacterDevice()) return 'character';
  if (found.isBlockDevice()) return 'block';
  return found.isFIFO() ? 'pipe' : 'socket';
}
