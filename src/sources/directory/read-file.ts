import type { BigIntStats } from 'node:fs';
import { constants, open, stat, type FileHandle } from 'node:fs/promises';
import type { Clock } from '../../lib/clock.ts';
import { errnoOf } from '../../lib/errors.ts';

/** Larger files are refused: parsing blocks the daemon, and a whole etcd object is no larger. */
export const MAX_FILE_BYTES = 1024 * 1024;

/** Equal for two looks at a file that nobody wrote to or replaced in between. */
export type FileIdentity = string;

export type FileBytes =
  | { readonly kind: 'Same' } // as when `known` was taken
  | { readonly kind: 'Bytes'; readonly bytes: Uint8Array; readonly identity: FileIdentity }
  | { readonly kind: 'Unsettled' } // being written right now
  | { readonly kind: 'Gone' }
  | { readonly kind: 'NotRegular' }
  | { readonly kind: 'TooLarge'; readonly size: number };

/** How a file is now; undefined where there is none. Throws the system's error for one that can't be looked at. */
export async function fileIdentity(path: string): Promise<FileIdentity | undefined> {
  try {
    return identityOf(await stat(path, { bigint: true }));
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/**
 * Reads a whole regular file, or says why not. A file changed within the last `settleMs`, or while it is read, is unsettled.
 * Throws the system's error for a file that can't be read.
 */
export async function readFileBytes(path: string, known: FileIdentity | undefined, clock: Clock, settleMs: number): Promise<FileBytes> {
  try {
    // Looked at before it is opened: opening a device or a FIFO can have effects of its own.
    const before = await stat(path, { bigint: true });
    if (!before.isFile()) return { kind: 'NotRegular' };
    if (identityOf(before) === known) return { kind: 'Same' };
    // A change in the future is a clock set back, not a write under way.
    const age = clock.now() - Number(before.ctimeMs);
    if (age >= 0 && age < settleMs) return { kind: 'Unsettled' };
    if (before.size > MAX_FILE_BYTES) return { kind: 'TooLarge', size: Number(before.size) };
    return await readOpened(path, before);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'Gone' };
    throw error;
  }
}

async function readOpened(path: string, before: BigIntStats): Promise<FileBytes> {
  // O_NONBLOCK: should a FIFO have taken the file's place since, opening it returns at once.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  const identity = identityOf(before);
  if (identityOf(await file.stat({ bigint: true })) !== identity) return { kind: 'Unsettled' };
  const bytes = await readUpTo(file, Number(before.size));
  // No length of its own decides that nothing was written meanwhile: the times and the size do.
  if (identityOf(await file.stat({ bigint: true })) !== identity || bytes.length !== Number(before.size)) return { kind: 'Unsettled' };
  return { kind: 'Bytes', bytes, identity };
}

async function readUpTo(file: FileHandle, size: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await file.read(buffer, filled, size - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileIdentity {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}
