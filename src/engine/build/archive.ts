import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';

import { MooringError } from '../../lib/errors.ts';
import type { FileTree } from './file-tree.ts';

const MAGIC: readonly (readonly [string, string])[] = [
  ['1f8b', 'gzip'],
  ['28b52ffd', 'zstd'],
  ['fd377a585a00', 'xz'],
  ['425a68', 'bzip2'],
];
const HEADER_BYTES = 512;

/** The tar archive that a file is, decompressed; undefined where it is none. What it is says its content, not its name, as in Docker. */
export async function openArchive(tree: FileTree, path: string, signal: AbortSignal): Promise<AsyncIterable<Buffer> | undefined> {
  const head = await headOf(tree.read(path));
  const form = MAGIC.find(([magic]) => head.toString('hex').startsWith(magic))?.[1] ?? 'tar';
  if (form === 'tar') return isTarHeader(head) ? tree.read(path) : undefined;
  const inside = await headOf(decompressed(tree.read(path), form, signal)).catch((error: unknown) => {
    if (error instanceof MooringError) throw error;
    return Buffer.alloc(0); // it only begins like a compressed file
  });
  return isTarHeader(inside) ? decompressed(tree.read(path), form, signal) : undefined;
}

async function headOf(content: AsyncIterable<Buffer>): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  for await (const piece of content) {
    head = Buffer.concat([head, piece]);
    if (head.length >= HEADER_BYTES) break;
  }
  return head.subarray(0, HEADER_BYTES);
}

/** By the header's checksum, which every form of tar has (pax(1), "ustar Interchange Format"). */
function isTarHeader(head: Buffer): boolean {
  if (head.length < HEADER_BYTES) return false;
  const stated = Number.parseInt(head.toString('latin1', 148, 156).replace(/[\0 ]/g, ''), 8);
  const sum = head.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  return sum === stated;
}

async function* decompressed(content: AsyncIterable<Buffer>, form: string, signal: AbortSignal): AsyncGenerator<Buffer, void, void> {
  if (form === 'gzip' || form === 'zstd') {
    const stream = form === 'gzip' ? createGunzip() : createZstdDecompress();
    const fed = pipeline(Readable.from(content, { objectMode: false }), stream, { signal });
    fed.catch(() => {}); // whoever reads the stream is told
    yield* stream as AsyncIterable<Buffer>;
    return;
  }
  const child = spawn(form, ['-dc'], { stdio: ['pipe', 'pipe', 'ignore'], env: { PATH: process.env['PATH'] }, signal, killSignal: 'SIGKILL' });
  const failed = once(child, 'error').then(([cause]) => {
    throw new MooringError('Unavailable', `decompress an archive: ${form} can't be run`, { cause, fix: `install ${form === 'xz' ? 'xz-utils' : form} on the node` });
  });
  const fed = pipeline(Readable.from(content, { objectMode: false }), child.stdin);
  fed.catch(() => {}); // that it reads no further is its own affair; its status says the rest
  try {
    const ended = once(child, 'close');
    await Promise.race([once(child, 'spawn'), failed]);
    yield* child.stdout as AsyncIterable<Buffer>;
    const [code] = (await ended) as [number | null];
    if (code !== 0) throw new MooringError('Invalid', `the archive's ${form} data is damaged`);
  } finally {
    failed.catch(() => {});
    child.kill('SIGKILL');
  }
}
