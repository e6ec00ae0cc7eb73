import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

import type { ImageList } from '../../api/v1/image-types.ts';
import { MooringError } from '../../lib/errors.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { query } from './image.ts';

/** `mooring image save`: to a file, which appears whole or not at all, or to standard output. */
export async function saveImages(client: Client, io: Io, images: readonly string[], { file, format }: { readonly file?: string; readonly format: string }): Promise<number> {
  if (file === undefined && io.terminal) throw new MooringError('Invalid', 'an archive is not for a terminal', { fix: 'give --file FILE, or redirect the output' });
  const archive = client.bytes(`/v1/images/save?${new URLSearchParams([['format', format], ...images.map((image): [string, string] => ['image', image])]).toString()}`);
  if (file === undefined) {
    await io.outBytes(archive);
    return EXIT.ok;
  }
  const half = `${file}.${process.pid}.part`;
  try {
    await pipeline(archive, createWriteStream(half, { flags: 'wx' }));
    await rename(half, file);
  } catch (error) {
    await rm(half, { force: true });
    throw error;
  }
  return EXIT.ok;
}

export async function loadImages(client: Client, io: Io, file: string | undefined): Promise<number> {
  const { items } = await client.upload<ImageList>('/v1/images/load', bytesOf(file, io));
  for (const { names, id } of items) io.out(`loaded ${names.join(', ')} (${id})\n`);
  return EXIT.ok;
}

export async function importImage(client: Client, io: Io, file: string, name: string): Promise<number> {
  const { items } = await client.upload<ImageList>(`/v1/images/import?${query({ name })}`, bytesOf(file, io));
  for (const { names, id } of items) io.out(`imported ${names.join(', ')} (${id})\n`);
  return EXIT.ok;
}

function bytesOf(file: string | undefined, io: Io): AsyncIterable<Buffer> {
  return file === undefined || file === '-' ? io.stdinBytes() : createReadStream(file, { highWaterMark: 256 * 1024 });
}
