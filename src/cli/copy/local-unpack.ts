import { execFile } from 'node:child_process';
import { createWriteStream, type Stats } from 'node:fs';
import { chmod, lchown, link, lstat, lutimes, mkdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { extract, type Header } from 'tar-stream';

import { errnoOf, MooringError } from '../../lib/errors.ts';

export interface UnpackOptions {
  /** An existing folder. Nothing outside of it is made or changed. */
  readonly folder: string;
  /** What the archive's top is to be called. */
  readonly name: string;
  /** Owners as the archive says; else everything belongs to whoever runs this. */
  readonly keepOwners: boolean;
}

/** Unpacks an archive whose names a stranger chose. A folder never replaces a file, nor the other way round. */
export async function unpackLocal(archive: AsyncIterable<Buffer>, { folder, name, keepOwners }: UnpackOptions): Promise<void> {
  const root = path.resolve(folder);
  const dates: { readonly target: string; readonly mtime: Date }[] = [];
  const entries = extract();
  const feeding = pipeline(Readable.from(archive, { objectMode: false }), entries);
  feeding.catch(() => {}); // told by the loop, or below
  for await (const entry of entries) {
    const { header } = entry;
    const parts = renamed(header.name, name);
    const target = path.join(root, ...parts);
    await requirePlainFolders(root, parts);
    await make(target, root, header, entry as AsyncIterable<Buffer>, name);
    if (header.type === 'link') continue;
    if (keepOwners) await lchown(target, header.uid ?? 0, header.gid ?? 0);
    if (header.type !== 'symlink') await chmod(target, header.mode ?? 0o644);
    if (header.type === 'directory') dates.push({ target, mtime: header.mtime ?? new Date() });
    else await lutimes(target, new Date(), header.mtime ?? new Date());
  }
  await feeding;
  // After what is in them, which changes a folder's date.
  for (const { target, mtime } of dates.reverse()) await lutimes(target, new Date(), mtime);
}

/** The parts of an entry's path, its first being called `name`. */
function renamed(text: string, name: string): string[] {
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new MooringError('Invalid', `the archive has the name "${text}", which leads upwards`);
  // "./x" is what is in the thing itself.
  const below = /^\.?\/|^\.$/.test(text) ? parts : parts.slice(1);
  return name === '.' ? below : [name, ...below];
}

/** No folder on the way may be a link, which the archive itself may have made. */
async function requirePlainFolders(root: string, parts: readonly string[]): Promise<void> {
  for (let depth = 1; depth < parts.length; depth++) {
    const folder = path.join(root, ...parts.slice(0, depth));
    const found = await lstatOrNothing(folder);
    if (!found) await mkdir(folder);
    else if (!found.isDirectory()) throw new MooringError('Invalid', `${folder} is no folder, and something is to be copied into it`);
  }
}

async function make(target: string, root: string, header: Header, content: AsyncIterable<Buffer>, name: string): Promise<void> {
  const found = await lstatOrNothing(target);
  const isFolder = header.type === 'directory';
  if (found && found.isDirectory() !== isFolder) throw new MooringError('Invalid', `${target} is ${isFolder ? 'a file, which a folder' : 'a folder, which a file'} can't replace`);
  if (isFolder) {
    if (!found) await mkdir(target);
    return;
  }
  if (found) await rm(target);
  switch (header.type) {
    case 'link': {
      const parts = renamed(header.linkname ?? '', name);
      await requirePlainFolders(root, parts);
      return link(path.join(root, ...parts), target);
    }
    case 'symlink':
      return symlink(header.linkname ?? '', target);
    case 'fifo':
      await promisify(execFile)('mkfifo', ['--', target]);
      return;
    case 'character-device':
    case 'block-device':
      await promisify(execFile)('mknod', ['--', target, header.type === 'character-device' ? 'c' : 'b', String(header.devmajor ?? 0), String(header.devminor ?? 0)]);
      return;
    default:
      return pipeline(content, createWriteStream(target, { flags: 'wx', mode: 0o600 }));
  }
}

export async function lstatOrNothing(target: string): Promise<Stats | undefined> {
  try {
    return await lstat(target);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
