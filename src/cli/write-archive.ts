import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { MooringError } from '../lib/errors.ts';
import type { Io } from './io.ts';

/** Refuses an archive for a terminal, before it is asked for. */
export function refuseTerminal(io: Io, file: string | undefined): void {
  if (file === undefined && io.terminal) throw new MooringError('Invalid', 'an archive is not for a terminal', { fix: 'give --file FILE, or redirect the output' });
}

/** To the file, which appears whole or not at all, or to standard output. */
export async function writeArchive(io: Io, archive: AsyncIterable<Buffer>, file: string | undefined): Promise<void> {
  if (file === undefined) return io.outBytes(archive);
  const half = `${file}.${process.pid}.part`;
  try {
    await pipeline(archive, createWriteStream(half, { flags: 'wx' }));
    await rename(half, file);
  } catch (error) {
    await rm(half, { force: true });
    throw error;
  }
}
