import { createReadStream, type Stats } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Header, pack, type Pack } from 'tar-stream';

type EntryHeader = Partial<Header> & { readonly name: string };

/** What an octal field of seven digits holds. */
const MAX_OCTAL_ID = 0o7777777;

/** A file or folder of this machine as a tar archive that calls it `name`. Links in it are kept as links; sockets are left out. */
export function packLocal(source: string, name: string): AsyncIterable<Buffer> {
  const archive = pack();
  const files = new Map<string, string>();
  add(archive, source, name, files).then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return archive as AsyncIterable<Buffer>;
}

async function add(archive: Pack, source: string, name: string, files: Map<string, string>): Promise<void> {
  const found = await lstat(source);
  const header = headerOf(found, name);
  if (found.isDirectory()) {
    await entry(archive, { ...header, name: `${name}/`, type: 'directory' });
    for (const child of (await readdir(source)).sort()) await add(archive, path.join(source, child), `${name}/${child}`, files);
    return;
  }
  const key = `${found.dev}:${found.ino}`;
  const first = files.get(key);
  if (found.nlink > 1 && first !== undefined) return entry(archive, { ...header, type: 'link', linkname: first, size: 0 });
  if (found.nlink > 1) files.set(key, name);
  if (found.isFile()) return file(archive, { ...header, type: 'file', size: found.size }, source);
  if (found.isSymbolicLink()) return entry(archive, { ...header, type: 'symlink', linkname: await readlink(source) });
  if (found.isFIFO()) return entry(archive, { ...header, type: 'fifo' });
  if (found.isSocket()) return;
  const [devmajor, devminor] = deviceOf(found.rdev);
  return entry(archive, { ...header, type: found.isBlockDevice() ? 'block-device' : 'character-device', devmajor, devminor });
}

function headerOf(found: Stats, name: string): EntryHeader {
  const large = { ...(found.uid > MAX_OCTAL_ID && { uid: String(found.uid) }), ...(found.gid > MAX_OCTAL_ID && { gid: String(found.gid) }) };
  return {
    name,
    mode: found.mode & 0o7777,
    uid: Math.min(found.uid, MAX_OCTAL_ID),
    gid: Math.min(found.gid, MAX_OCTAL_ID),
    mtime: found.mtime,
    size: 0,
    pax: { ...large, mtime: (found.mtimeMs / 1000).toFixed(3) },
  };
}

function entry(archive: Pack, header: EntryHeader): Promise<void> {
  return new Promise((resolve, reject) => void archive.entry(header, '', (error) => (error ? reject(error) : resolve())));
}

/** Exactly as much as the header says: a file that grows meanwhile must not shift what comes behind it. */
async function file(archive: Pack, header: EntryHeader & { readonly size: number }, source: string): Promise<void> {
  if (header.size === 0) return entry(archive, header);
  await pipeline(createReadStream(source, { end: header.size - 1, highWaterMark: 256 * 1024 }), archive.entry(header));
}

/** Major and minor of glibc's makedev(3). */
function deviceOf(device: number): [number, number] {
  const bits = BigInt(device);
  return [Number(((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n)), Number((bits & 0xffn) | ((bits >> 12n) & 0xffffff00n))];
}
