import { createReadStream } from 'node:fs';

import type { ImageList } from '../../api/v1/image-types.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { query } from './image.ts';
import { refuseTerminal, writeArchive } from '../write-archive.ts';

/** `mooring image save`: to a file, which appears whole or not at all, or to standard output. */
export async function saveImages(client: Client, io: Io, images: readonly string[], { file, format }: { readonly file?: string; readonly format: string }): Promise<number> {
  refuseTerminal(io, file);
  const archive = client.bytes(`/v1/images/save?${new URLSearchParams([['format', format], ...images.map((image): [string, string] => ['image', image])]).toString()}`);
  await writeArchive(io, archive, file);
  return EXIT.ok;
}

export async function loadImages(client: Client, io: Io, file: string | undefined): Promise<number> {
  const { items } = await client.upload<ImageList>('/v1/images/load', bytesOf(file, io));
  for (const { names, id } of items) io.out(`loaded ${names.join(', ')} (${id})\n`);
  return EXIT.ok;
}

export interface ImportFlags {
  readonly change?: readonly string[];
  readonly message?: string;
  /** Print only the ID. */
  readonly quiet?: boolean;
}

/** `mooring import`: a file, standard input, or an address that the daemon fetches from. */
export async function importImage(client: Client, io: Io, file: string, name: string, { change = [], message, quiet }: ImportFlags): Promise<number> {
  const isAddress = /^https?:\/\//i.test(file);
  const parameters = new URLSearchParams([['name', name], ...change.map((each): [string, string] => ['change', each]), ...(message === undefined ? [] : [['message', message] as [string, string]]), ...(isAddress ? [['url', file] as [string, string]] : [])]);
  const request = `/v1/images/import?${parameters.toString()}`;
  const { items } = isAddress ? await client.call<ImageList>(request) : await client.upload<ImageList>(request, bytesOf(file, io));
  for (const { names, id } of items) io.out(quiet === true ? `${id}\n` : `imported ${names.join(', ')} (${id})\n`);
  return EXIT.ok;
}

export interface InsertFlags {
  readonly mode?: string;
  readonly tag?: string;
}

/** `mooring insert`: prints the new image's ID. */
export async function insertFile(client: Client, io: Io, image: string, url: string, path: string, { mode, tag }: InsertFlags): Promise<number> {
  const { items } = await client.call<ImageList>(`/v1/images/insert?${query({ image, url, path, ...(mode !== undefined && { mode }), ...(tag !== undefined && { name: tag }) })}`);
  for (const { id } of items) io.out(`${id}\n`);
  return EXIT.ok;
}

function bytesOf(file: string | undefined, io: Io): AsyncIterable<Buffer> {
  return file === undefined || file === '-' ? io.stdinBytes() : createReadStream(file, { highWaterMark: 256 * 1024 });
}
