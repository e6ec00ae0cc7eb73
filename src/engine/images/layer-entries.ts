import { chmod, lutimes, mkdir, open, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';

import { pack } from 'tar-stream';

import { syncFolder } from '../store/data-dir.ts';

/** One thing in a layer, owned by root, dated to the epoch. Paths are relative, without `.` and `..`, parents listed first. */
export type LayerEntry =
  | { readonly kind: 'folder'; readonly path: string; readonly mode: number }
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly content: string | Buffer }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

const EPOCH = new Date(0);

/** The layer as a tar archive. The same entries give the same bytes, on any machine at any time. */
export async function tarOf(entries: readonly LayerEntry[]): Promise<Buffer> {
  const archive = pack();
  const whole = buffer(archive);
  for (const entry of entries) {
    const header = { name: entry.path, uid: 0, gid: 0, mtime: EPOCH };
    if (entry.kind === 'folder') archive.entry({ ...header, name: `${entry.path}/`, type: 'directory', mode: entry.mode });
    else if (entry.kind === 'symlink') archive.entry({ ...header, type: 'symlink', mode: 0o777, linkname: entry.target });
    else archive.entry({ ...header, type: 'file', mode: entry.mode }, entry.content);
  }
  archive.finalize();
  return whole;
}

/** The layer as a folder, flushed to disk. `folder` must not exist. */
export async function unpackTo(folder: string, entries: readonly LayerEntry[]): Promise<void> {
  await mkdir(folder);
  await chmod(folder, 0o755); // the modes given to mkdir and open are narrowed by the umask
  const folders = [folder];
  for (const entry of entries) {
    const target = path.join(folder, entry.path);
    if (entry.kind === 'folder') {
      await mkdir(target);
      await chmod(target, entry.mode);
      folders.push(target);
    } else if (entry.kind === 'symlink') {
      await symlink(entry.target, target);
      await lutimes(target, EPOCH, EPOCH);
    } else {
      await writeFile(target, entry.content, { flag: 'wx' });
      await chmod(target, entry.mode);
      await lutimes(target, EPOCH, EPOCH);
      await using handle = await open(target, 'r');
      await handle.sync();
    }
  }
  for (const each of folders.reverse()) {
    await lutimes(each, EPOCH, EPOCH); // after its content, which changes a folder's date
    await syncFolder(each);
  }
}
