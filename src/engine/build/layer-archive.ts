import { createHash } from 'node:crypto';

import { MooringError } from '../../lib/errors.ts';
import type { NewFile } from './copy-plan.ts';
import type { FileKind } from './file-tree.ts';
import type { LayerContent } from './layer-content.ts';
import { padding, TAR_BLOCK, tarHeader } from './tar-header.ts';

export interface ArchiveTimes {
  /** Seconds since the epoch, of what has no time of its own. */
  readonly now: number;
  /** No time is later than this (SOURCE_DATE_EPOCH). */
  readonly latest: number | undefined;
}

const TYPES: Readonly<Record<Exclude<FileKind, 'socket'>, string>> = { file: '0', link: '2', character: '3', block: '4', folder: '5', pipe: '6' };
const HARD_LINK = '1';

/** The tar archive of a layer. The same content and times give the same bytes. Throws `Conflict` for a file that is not what it was any more. */
export async function* layerArchive({ files, contents }: Pick<LayerContent, 'files' | 'contents'>, { now, latest }: ArchiveTimes): AsyncGenerator<Buffer, void, void> {
  /** The first of the names that one file has. */
  const first = new Map<string, string>();
  for (const file of files) {
    const { path, kind, source, mode, uid, gid, device } = file;
    if (kind === 'socket') throw new MooringError('Internal', `${path} is a socket, which no layer can have`);
    const identity = source?.file.identity;
    const earlier = identity === undefined ? undefined : first.get(identity);
    if (identity !== undefined && earlier === undefined) first.set(identity, path);
    const size = kind === 'file' && earlier === undefined ? (source?.file.size ?? 0) : 0;
    yield tarHeader({
      name: kind === 'folder' ? `${path}/` : path,
      type: earlier === undefined ? TYPES[kind] : HARD_LINK,
      mode,
      uid,
      gid,
      size,
      mtime: Math.min(file.mtime ?? now, latest ?? Infinity),
      target: earlier ?? (kind === 'link' && source ? await source.tree.readLink(source.path) : ''),
      device,
      attributes: source && earlier === undefined ? await source.tree.attributes(source.path) : new Map(),
    });
    if (size === 0) continue;
    yield* content(file, size, contents.get(path));
    yield padding(size);
  }
  yield Buffer.alloc(2 * TAR_BLOCK);
}

async function* content({ path, source }: NewFile, size: number, digest: string | undefined): AsyncGenerator<Buffer, void, void> {
  const hash = createHash('sha256');
  let taken = 0;
  if (source) {
    for await (const piece of source.tree.read(source.path)) {
      taken += piece.length;
      if (taken > size) break;
      hash.update(piece);
      yield piece;
    }
  }
  if (taken !== size || (digest !== undefined && hash.digest('hex') !== digest)) throw new MooringError('Conflict', `${path} changed while it was copied`, { fix: 'build again' });
}
