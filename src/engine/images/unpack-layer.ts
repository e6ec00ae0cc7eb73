import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';

import { MooringError } from '../../lib/errors.ts';
import { ArchiverProcess } from './archiver-process.ts';
import type { Digest } from './digest.ts';

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
  /** The layer: a tar archive, plain or compressed by gzip or zstd, as a file or as it comes. */
  readonly blob: string | AsyncIterable<Buffer>;
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

/** Handed on at a time. Each handing over between threads and processes waits for a processor, so fewer are faster where those are busy. */
const PIECE_BYTES = 1024 * 1024;

/**
 * Unpacks a layer in a process that is shut in with `folder`: whatever the archive says, nothing else can be touched. Bytes stream
 * through with back pressure and are decompressed on worker threads.
 * `Invalid` when the archive is at fault, `Unavailable` when the disk is.
 */
export async function unpackLayer({ archiver, blob, folder, bounds, signal }: UnpackOptions): Promise<Unpacked> {
  const measure = new Measure();
  const { compression, content } = await peek(typeof blob === 'string' ? createReadStream(blob, { highWaterMark: PIECE_BYTES }) : blob);
  using unpacker = new ArchiverProcess(archiver, ['unpack', folder, ...[bounds.bytes, bounds.entries, bounds.fileBytes, bounds.depth].map(String)], signal);
  const [fed, report] = await Promise.allSettled([
    pipeline([Readable.from(content, { objectMode: false }), ...decompressors(compression), measure, unpacker.stdin]),
    unpacker.report('unpack layer'),
  ]);
  signal?.throwIfAborted();
  if (fed.status === 'rejected' && !isBrokenPipe(fed.reason)) {
    // What it was to be fed with could not be had; or the unpacker, left without the rest, has less to say than this.
    throw fed.reason instanceof MooringError ? fed.reason : new MooringError('Invalid', 'unpack layer: its compressed data is damaged', { cause: fed.reason });
  }
  // What the unpacker says comes first: that its input then broke off is only a consequence.
  if (report.status === 'rejected') throw report.reason;
  if (fed.status === 'rejected') throw new MooringError('Internal', 'unpack layer: the unpacker stopped reading', { cause: fed.reason });
  return { ...measure.result(), entries: report.value['entries'] ?? 0 };
}

export type Compression = 'none' | 'gzip' | 'zstd';

/** By what the bytes are, not by what a manifest calls them: media types lie in the wild, and Docker looks at the bytes, too. */
export async function peek(source: AsyncIterable<Buffer>): Promise<{ readonly compression: Compression; readonly content: AsyncIterable<Buffer> }> {
  const pieces = source[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 4) {
    const next = await pieces.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  return { compression: compressionOf(head), content: rejoined(head, pieces) };
}

async function* rejoined(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, void> {
  try {
    if (head.length > 0) yield head;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

function compressionOf(head: Buffer): Compression {
  const magic = head.toString('hex', 0, 4);
  if (magic.startsWith('1f8b')) return 'gzip';
  return magic === '28b52ffd' || /^5.2a4d18$/.test(magic) ? 'zstd' : 'none';
}

function decompressors(compression: Compression): Transform[] {
  if (compression === 'gzip') return [createGunzip({ chunkSize: PIECE_BYTES })];
  return compression === 'zstd' ? [createZstdDecompress({ chunkSize: PIECE_BYTES })] : [];
}

/** Hashes and counts what passes. */
class Measure extends Transform {
  readonly #hash = createHash('sha256');
  #size = 0;

  constructor() {
    super({ highWaterMark: PIECE_BYTES });
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk);
    this.#size += chunk.length;
    done(null, chunk);
  }

  result(): { diffId: Digest; size: number } {
    return { diffId: `sha256:${this.#hash.digest('hex')}` as Digest, size: this.#size };
  }
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_PREMATURE_CLOSE' || error.code === 'ERR_STREAM_DESTROYED');
}
