import { createReadStream } from 'node:fs';

import type { ChangeList, CommitBody, CommitResult, Done, FileList, FileStat } from '../../api/v1/file-types.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { pathOfContainer } from '../find-container.ts';
import { printable, renderTable } from '../output/table.ts';
import { serialize, type OutputFormat } from './get.ts';
import { refuseTerminal, writeArchive } from '../write-archive.ts';

export interface NamespaceOptions {
  readonly namespace: string;
}

export interface ListOptions extends NamespaceOptions {
  readonly output?: OutputFormat;
}

/** `mooring diff`: a letter and a path a line, as "docker diff" has it. */
export async function diff(client: Client, io: Io, word: string, { namespace, output }: ListOptions): Promise<number> {
  const { items } = await client.get<ChangeList>(`${await pathOfContainer(client, word, namespace)}/changes`);
  if (output === 'json' || output === 'yaml') io.out(await serialize(items, output));
  else io.out(items.map(({ kind, path }) => `${kind} ${io.terminal ? printable(path) : path}\n`).join(''));
  return EXIT.ok;
}

export interface CommitFlags extends NamespaceOptions {
  readonly change?: readonly string[];
  readonly author?: string;
  readonly message?: string;
  readonly pause: boolean;
}

/** `mooring commit`: prints the image's ID. */
export async function commit(client: Client, io: Io, word: string, name: string, { namespace, change, author, message, pause }: CommitFlags): Promise<number> {
  const body: CommitBody = { name, pause, ...(change && { changes: change }), ...(author !== undefined && { author }), ...(message !== undefined && { message }) };
  const { image } = await client.send<CommitResult>(`${await pathOfContainer(client, word, namespace)}/commit`, body);
  io.out(`${image.id}\n`);
  return EXIT.ok;
}

/** `mooring export` and `mooring tar`: to a file, which appears whole or not at all, or to standard output. */
export async function exportFiles(client: Client, io: Io, word: string, { namespace, file, changes }: NamespaceOptions & { readonly file?: string; readonly changes?: boolean }): Promise<number> {
  refuseTerminal(io, file);
  const archive = client.bytes(`${await pathOfContainer(client, word, namespace)}/export${changes ? '?changes=1' : ''}`);
  await writeArchive(io, archive, file);
  return EXIT.ok;
}

/** `mooring ls`: names; with --long what "ls -l" would say. */
export async function listFiles(client: Client, io: Io, word: string, path: string, { namespace, output, long }: ListOptions & { readonly long?: boolean }): Promise<number> {
  const { items } = await client.get<FileList>(`${await pathOfContainer(client, word, namespace)}/files?${query({ path })}`);
  const show = (text: string): string => (io.terminal ? printable(text) : text);
  if (output === 'json' || output === 'yaml') io.out(await serialize(items, output));
  else if (long !== true) io.out(items.map(({ name }) => `${show(name)}\n`).join(''));
  else if (items.length > 0) io.out(renderTable(['MODE', 'OWNER', 'SIZE', 'CHANGED', 'NAME'], items.map((item) => [modeText(item.mode), `${item.uid}:${item.gid}`, String(item.size), new Date(item.mtime * 1000).toISOString(), show(nameText(item))])));
  return EXIT.ok;
}

function nameText({ name, linkTarget }: FileStat): string {
  return linkTarget === undefined ? name : `${name} -> ${linkTarget}`;
}

const TYPES: Readonly<Record<number, string>> = { 0o14: 's', 0o12: 'l', 0o10: '-', 0o06: 'b', 0o04: 'd', 0o02: 'c', 0o01: 'p' };

/** `drwxr-xr-x`, as ls(1) writes it. */
export function modeText(mode: number): string {
  const triple = (bits: number, special: boolean, letter: string): string => `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${special ? (bits & 1 ? letter : letter.toUpperCase()) : bits & 1 ? 'x' : '-'}`;
  return `${TYPES[mode >> 12] ?? '?'}${triple(mode >> 6, (mode & 0o4000) !== 0, 's')}${triple(mode >> 3, (mode & 0o2000) !== 0, 's')}${triple(mode, (mode & 0o1000) !== 0, 't')}`;
}

/** `mooring cat`: files one after the other. */
export async function catFiles(client: Client, io: Io, word: string, paths: readonly string[], { namespace }: NamespaceOptions): Promise<number> {
  const container = await pathOfContainer(client, word, namespace);
  for (const path of paths) await io.outBytes(client.bytes(`${container}/files/content?${query({ path })}`));
  return EXIT.ok;
}

/** `mooring write`: standard input becomes the file's content. */
export async function writeFile(client: Client, io: Io, word: string, path: string, { namespace, file }: NamespaceOptions & { readonly file?: string }): Promise<number> {
  await client.upload(`${await pathOfContainer(client, word, namespace)}/files/content?${query({ path })}`, file === undefined ? io.stdinBytes() : createReadStream(file));
  return EXIT.ok;
}

/** `mooring reset`: settles once the changes are gone. */
export async function resetContainer(client: Client, word: string, { namespace }: NamespaceOptions): Promise<number> {
  await client.call<Done>(`${await pathOfContainer(client, word, namespace)}/reset`);
  return EXIT.ok;
}

function query(parameters: Readonly<Record<string, string>>): string {
  return new URLSearchParams(parameters).toString();
}
