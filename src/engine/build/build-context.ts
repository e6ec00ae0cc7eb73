import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { errnoOf, MooringError } from '../../lib/errors.ts';
import type { Native } from '../../native/native.ts';
import type { ImageRoom } from '../images/room.ts';
import { resolveIn } from './file-tree.ts';
import { FolderTree } from './folder-tree.ts';
import { checkOut, parseGitSource } from './git.ts';
import { IGNORE_NOTHING, type IgnoreRules, parseIgnoreFile } from './ignore.ts';

/** Where the files of a build are. */
export type ContextSource =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'archive'; readonly content: AsyncIterable<Buffer> }
  | { readonly kind: 'git'; readonly address: string }
  | { readonly kind: 'none' };

/** Where the Dockerfile is. */
export type DockerfileSource =
  | { readonly kind: 'context'; readonly path: string } // below the context
  | { readonly kind: 'file'; readonly path: string } // of the node, absolute
  | { readonly kind: 'text'; readonly name: string; readonly content: string };

export interface LoadedContext {
  readonly context: BuildContext;
  readonly dockerfile: { readonly name: string; readonly content: string };
}

/** The files of a build, without those that `.dockerignore` leaves out. */
export class BuildContext {
  readonly #root: string;
  readonly #native: Native;
  readonly #ignore: IgnoreRules;

  constructor(root: string, native: Native, ignore: IgnoreRules) {
    this.#root = root;
    this.#native = native;
    this.#ignore = ignore;
  }

  /** For one caller, who disposes of it. */
  open(): FolderTree {
    return new FolderTree(this.#root, this.#native, this.#ignore);
  }
}

const MAX_TEXT_BYTES = 1024 * 1024;

/** Brings the context to this node, and reads its Dockerfile and what it leaves out. What is temporary goes with `resources`. */
export async function loadContext(room: ImageRoom, native: Native, source: ContextSource, dockerfile: DockerfileSource, resources: AsyncDisposableStack, signal: AbortSignal): Promise<LoadedContext> {
  const root = await bring(room, native, source, resources, signal);
  await using tree = new FolderTree(root, native);
  const found = await readDockerfile(tree, dockerfile);
  const own = dockerfile.kind === 'text' ? undefined : await readIgnore(tree, dockerfile, `${dockerfile.path}.dockerignore`);
  const ignore = own ?? (await readIgnore(tree, { kind: 'context', path: '' }, '.dockerignore')) ?? IGNORE_NOTHING;
  return { context: new BuildContext(root, native, ignore), dockerfile: found };
}

async function bring(room: ImageRoom, native: Native, source: ContextSource, resources: AsyncDisposableStack, signal: AbortSignal): Promise<string> {
  if (source.kind === 'folder') {
    const found = await stat(source.path).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
      throw error;
    });
    if (!found?.isDirectory()) throw new MooringError('NotFound', `the context ${source.path} is no folder of this node`);
    return source.path;
  }
  const folder = room.dataDir.temporaryPath();
  await mkdir(folder, { mode: 0o700 });
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  if (source.kind === 'archive') await room.layers.unpackInto(folder, source.content, signal);
  if (source.kind !== 'git') return folder;
  const git = parseGitSource(source.address);
  if (!git) throw new MooringError('Invalid', `"${source.address}" is no repository`, { fix: 'write it like https://host/repository.git#branch:folder' });
  await checkOut(git, path.join(folder, 'repository'), { keepGitFolder: false, signal });
  const repository = path.join(folder, 'repository');
  await using tree = new FolderTree(repository, native);
  // A link in the repository must not lead out of it.
  return path.join(repository, await resolveIn(tree, git.folder));
}

async function readDockerfile(tree: FolderTree, source: DockerfileSource): Promise<LoadedContext['dockerfile']> {
  if (source.kind === 'text') return { name: source.name, content: source.content };
  const content = await readText(tree, source);
  if (content === undefined) throw new MooringError('NotFound', `there is no ${source.path}`, { fix: 'name the Dockerfile with -f' });
  return { name: path.basename(source.path), content };
}

async function readIgnore(tree: FolderTree, source: DockerfileSource & { readonly kind: 'context' | 'file' }, file: string): Promise<IgnoreRules | undefined> {
  const content = await readText(tree, { ...source, path: file });
  return content === undefined ? undefined : parseIgnoreFile(content, path.basename(file));
}

async function readText(tree: FolderTree, source: DockerfileSource & { readonly kind: 'context' | 'file' }): Promise<string | undefined> {
  if (source.kind === 'file') {
    return readFile(source.path, 'utf8').catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
      throw new MooringError('Unavailable', `read ${source.path}`, { cause: error });
    });
  }
  const place = await resolveIn(tree, source.path);
  const found = await tree.look(place);
  if (!found) return undefined;
  if (found.kind !== 'file' || found.size > MAX_TEXT_BYTES) throw new MooringError('Invalid', `${source.path} is no file of at most ${MAX_TEXT_BYTES} bytes`);
  const pieces: Buffer[] = [];
  for await (const piece of tree.read(place)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}
