import { open } from 'node:fs/promises';

import { ArchiverProcess, type ArchiverReport } from './archiver-process.ts';
import type { GrowingFile } from './blob-store.ts';
import { type Digest, parseDigest } from './digest.ts';

export type LayerBlob = string | GrowingFile | AsyncIterable<Buffer>;

/** What one layer may take at most. Beyond any of these it is refused as a whole. */
export interface LayerBounds {
  /** Of disk, and of the uncompressed archive itself. */
  readonly bytes: number;
  readonly entries: number;
  /** Of one file, holes included. */
  readonly fileBytes: number;
  /** Folders above a file. */
  readonly depth: number;
}

export const DEFAULT_LAYER_BOUNDS: LayerBounds = { bytes: 64 * 2 ** 30, entries: 2_000_000, fileBytes: 1024 * 2 ** 30, depth: 256 };

export interface UnpackOptions {
  /** The static `mooring-archive` binary. */
  readonly archiver: string;
  /** The layer: a tar archive, plain or compressed by gzip or zstd, as a file, a file that still grows, or as it comes. */
  readonly blob: LayerBlob;
  /** An empty folder. */
  readonly folder: string;
  readonly bounds: LayerBounds;
  readonly signal?: AbortSignal;
}

export interface Unpacked {
  /** SHA-256 of the uncompressed archive. */
  readonly diffId: Digest;
  /** Length of the uncompressed archive. */
  readonly size: number;
  readonly entries: number;
}

/**
 * Unpacks a layer in a process that is shut in with `folder`: whatever the archive says, nothing else can be touched. It decompresses and hashes, too: of a file
 * nothing passes through here, and what comes piece by piece is handed on as it is.
 * `Invalid` when the archive is at fault, `Unavailable` when the disk is.
 */
export async function unpackLayer({ archiver, blob, folder, bounds, signal }: UnpackOptions): Promise<Unpacked> {
  const args = ['unpack', folder, ...[bounds.bytes, bounds.entries, bounds.fileBytes, bounds.depth].map(String)];
  if (typeof blob !== 'string' && !('growth' in blob)) {
    using unpacker = new ArchiverProcess(archiver, args, { signal });
    return unpacked(await unpacker.feed(blob, 'unpack layer'));
  }
  const growth = typeof blob === 'string' ? undefined : blob.growth;
  await using file = await (typeof blob === 'string' ? open(blob) : blob.open());
  using unpacker = new ArchiverProcess(archiver, growth ? [...args, '--growth', 'told'] : args, { signal, input: file.fd });
  return unpacked(await (growth ? unpacker.feed(growth, 'unpack layer') : unpacker.report('unpack layer')));
}

function unpacked({ digest, size, entries }: ArchiverReport): Unpacked {
  return { diffId: parseDigest(`sha256:${digest}`), size: Number(size), entries: Number(entries) };
}
