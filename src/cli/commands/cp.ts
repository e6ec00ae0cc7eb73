import { readlink, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

import type { CopyBody, FileStat } from '../../api/v1/file-types.ts';
import { MooringError } from '../../lib/errors.ts';
import { hostFolder } from '../../lib/host-folder.ts';
import type { Client } from '../client.ts';
import { type CopyEnd, type LocalPlace, assertsFolder, parsePlace, planCopy, splitEntry } from '../copy/copy-plan.ts';
import { packLocal } from '../copy/local-archive.ts';
import { lstatOrNothing, unpackLocal } from '../copy/local-unpack.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { pathOfContainer } from '../find-container.ts';

export interface CopyOptions {
  readonly namespace: string;
  /** Keep owners as they are at the source. */
  readonly archive?: boolean;
  /** Copy what a link as the source leads to. */
  readonly followLink?: boolean;
}

interface InContainer {
  readonly container: string;
  readonly path: string;
}

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;

/** Links followed at the last name before it counts as a loop, as in the kernel. */
const MAX_LINKS = 40;

/** `mooring cp SOURCE DESTINATION`, by the rules of "docker cp". */
export async function copy(client: Client, io: Io, source: string, destination: string, options: CopyOptions): Promise<number> {
  const [from, to] = [parsePlace(source), parsePlace(destination)];
  if (from.kind === 'container') {
    if (to.kind === 'container') throw new MooringError('Invalid', "can't copy from one container to another", { fix: `pipe it: mooring cp ${source} - | mooring cp - ${destination}` });
    await copyOut(client, io, from, to, options);
  } else if (to.kind === 'container') await copyIn(client, io, from, to, options);
  else throw new MooringError('Invalid', 'one of both must be in a container', { fix: 'write NAME:PATH' });
  return EXIT.ok;
}

async function copyOut(client: Client, io: Io, source: InContainer, to: LocalPlace, options: CopyOptions): Promise<void> {
  const base = await pathOfContainer(client, source.container, options.namespace);
  const own = splitEntry(source.path).name;
  const { path: from, stat: found } = await statInContainer(client, base, source.path, options.followLink === true);
  const archive = `${base}/archive?${new URLSearchParams({ path: from }).toString()}`;
  if (to.kind === 'stream') {
    if (io.terminal) throw new MooringError('Invalid', 'an archive is not for a terminal', { fix: 'redirect the output' });
    return io.outBytes(client.bytes(archive));
  }
  if (found === undefined) throw new MooringError('NotFound', `there is no ${source.path} in ${source.container}`);
  const plan = planCopy({ isFolder: isFolder(found), name: own }, await localEnd(to.path));
  if (!(await lstatOrNothing(path.resolve(plan.folder)))) throw new MooringError('NotFound', `there is no folder ${plan.folder}`, { fix: `mkdir -p ${plan.folder}` });
  const keepOwners = options.archive === true;
  if (await copied(client, base, async () => ({ direction: 'out', path: from, to: await hostFolder(path.resolve(plan.folder)), name: plan.name, keepOwners }))) return;
  await unpackLocal(client.bytes(archive), { ...plan, keepOwners });
}

async function copyIn(client: Client, io: Io, from: LocalPlace, destination: InContainer, options: CopyOptions): Promise<void> {
  const base = await pathOfContainer(client, destination.container, options.namespace);
  const { path: to, stat: found } = await statInContainer(client, base, destination.path, true);
  const end: CopyEnd = { path: to, exists: found !== undefined, isFolder: found !== undefined && isFolder(found) };
  const put = (folder: string, archive: AsyncIterable<Buffer>) => client.upload(`${base}/archive?${new URLSearchParams({ path: folder, ...(options.archive === true && { keepOwners: '1' }) }).toString()}`, archive);
  if (from.kind === 'stream') {
    if (!end.isFolder) throw new MooringError('Invalid', `${destination.container}:${destination.path} must be a folder, to unpack standard input in`);
    await put(end.path, io.stdinBytes());
    return;
  }
  const source = await localSource(from.path, options.followLink === true);
  const plan = planCopy(source, end);
  const [folder, file] = source.isFolder ? [source.file, '.'] : [path.dirname(source.file), path.basename(source.file)];
  if (await copied(client, base, async () => ({ direction: 'in', from: await hostFolder(folder), file, to: plan.folder, name: plan.name, keepOwners: options.archive === true }))) return;
  await put(plan.folder, packLocal(source.file, plan.name));
}

/** Has the daemon copy by itself, which spares the bytes the way through two programs. False where that can't be: it may be on another machine, have another root or other rights than this process. */
async function copied(client: Client, base: string, body: () => Promise<CopyBody>): Promise<boolean> {
  if (process.geteuid?.() !== 0) return false;
  try {
    await client.send(`${base}/copy`, await body());
    return true;
  } catch (error) {
    if (error instanceof MooringError && error.code === 'Unsupported') return false;
    throw error;
  }
}

/** What is at a path, which stands for what a link there leads to where that is asked for. Nothing there is no error. */
async function statInContainer(client: Client, base: string, given: string, follow: boolean): Promise<{ readonly path: string; readonly stat: FileStat | undefined }> {
  let at = given;
  for (let links = 0; ; links++) {
    const found = await statOrNothing(client, `${base}/files/stat?${new URLSearchParams({ path: at }).toString()}`);
    if (!follow || found?.linkTarget === undefined || (found.mode & S_IFMT) !== S_IFLNK) return { path: at, stat: found };
    if (links === MAX_LINKS) throw new MooringError('Invalid', `${given} is a loop of links`);
    at = path.posix.resolve(splitEntry(at).folder, found.linkTarget);
  }
}

async function statOrNothing(client: Client, request: string): Promise<FileStat | undefined> {
  try {
    return await client.get<FileStat>(request);
  } catch (error) {
    // That there is no such container comes with a fix, that there is no such file does not.
    if (error instanceof MooringError && error.code === 'NotFound' && error.fix === undefined) return undefined;
    throw error;
  }
}

function isFolder({ mode }: FileStat): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

async function localEnd(text: string): Promise<CopyEnd> {
  const found = await lstatOrNothing(text.replace(/(?<=.)\/+$/, ''));
  if (!found?.isSymbolicLink()) return { path: text, exists: found !== undefined, isFolder: found?.isDirectory() === true };
  // What is to be replaced is what the link leads to, there or not.
  const target = path.resolve(path.dirname(text), await readlink(text.replace(/(?<=.)\/+$/, '')));
  return localEnd(assertsFolder(text) ? `${target}/` : target);
}

/** The file to read, and the name that its copy keeps. */
async function localSource(text: string, follow: boolean): Promise<{ readonly file: string; readonly name: string; readonly isFolder: boolean }> {
  const { name } = splitEntry(path.resolve(text) === '/' ? '/' : text.replace(/^\.\.?$/, (dots) => `${path.resolve(dots)}${dots === '.' ? '/.' : ''}`));
  if (follow || assertsFolder(text)) {
    const file = await realpath(text);
    const found = await stat(file);
    if (assertsFolder(text) && !found.isDirectory()) throw new MooringError('Invalid', `${text} is no folder`);
    return { file, name, isFolder: found.isDirectory() };
  }
  const found = await lstatOrNothing(text);
  if (!found) throw new MooringError('NotFound', `there is no ${text}`);
  return { file: path.resolve(text), name, isFolder: found.isDirectory() };
}
