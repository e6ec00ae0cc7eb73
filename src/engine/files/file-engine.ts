import path from 'node:path';
import { text } from 'node:stream/consumers';

import { readBootId } from '../../lib/boot-id.ts';
import { MooringError } from '../../lib/errors.ts';
import type { HostFolder } from '../../lib/host-folder.ts';
import type { ContainerFiles } from '../containers/container-files.ts';
import type { ContainerId } from '../engine.ts';
import type { CommitOptions, CopyIn, CopyOptions, CopyOut, FileChange, FileEngine, FileStat } from '../files.ts';
import { ArchiverProcess } from '../images/archiver-process.ts';
import { packUpper } from '../images/pack-upper.ts';
import type { ImageEngine, ImageSummary } from '../images.ts';
import { changedConfig, configOfContainer } from './commit-config.ts';
import type { ContainerFileSystem } from './container-file-system.ts';
import { listChanges, upperOf } from './list-changes.ts';

export interface FileEngineOptions {
  readonly files: ContainerFiles;
  readonly images: Pick<ImageEngine, 'commit'>;
  /** The static `mooring-archive` binary. */
  readonly archiver: string;
}

export function createFileEngine(options: FileEngineOptions): FileEngine {
  return new LocalFileEngine(options);
}

/** What one command of the archiver does to which container. */
interface Task {
  readonly command: string;
  readonly words?: readonly string[];
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
}

/** Every path from or in a container is looked up by `mooring-archive`, shut in with the container's files. */
class LocalFileEngine implements FileEngine {
  readonly #files: ContainerFiles;
  readonly #images: Pick<ImageEngine, 'commit'>;
  readonly #archiver: string;

  constructor({ files, images, archiver }: FileEngineOptions) {
    this.#files = files;
    this.#images = images;
    this.#archiver = archiver;
  }

  async changes(id: ContainerId): Promise<FileChange[]> {
    using use = await this.#files.begin(id);
    const found = await Array.fromAsync(listChanges(this.#archiver, await upperOf(await this.#files.locate(id)), use.signal));
    return found.map(({ kind, path: place }) => ({ kind, path: place })).sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async stat(id: ContainerId, file: string): Promise<FileStat> {
    const [found] = await this.#stats(id, { command: 'stat', words: [absolute(file)], what: 'look at a file of a container' });
    if (!found) throw new MooringError('Internal', `${file} was found, and nothing said of it`);
    return { ...found, name: nameOf(file) };
  }

  list(id: ContainerId, folder: string): Promise<FileStat[]> {
    return this.#stats(id, { command: 'list', words: [absolute(folder)], what: 'list files of a container' });
  }

  read(id: ContainerId, file: string, signal?: AbortSignal): AsyncIterable<Buffer> {
    return this.#out(id, { command: 'cat', words: [absolute(file)], what: 'read a file of a container', signal });
  }

  write(id: ContainerId, file: string, content: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<void> {
    return this.#in(id, { command: 'write', words: [absolute(file)], what: 'write a file of a container', signal }, content);
  }

  get(id: ContainerId, file: string, signal?: AbortSignal): AsyncIterable<Buffer> {
    return this.#out(id, { command: 'get', words: [absolute(file), nameOf(file)], what: 'copy from a container', signal });
  }

  put(id: ContainerId, folder: string, archive: AsyncIterable<Buffer>, { keepOwners, signal }: CopyOptions): Promise<void> {
    return this.#in(id, { command: 'put', words: [absolute(folder), '--owners', keepOwners ? 'archive' : 'root'], what: 'copy to a container', signal }, archive);
  }

  async copyIn(id: ContainerId, { from, file, to, name }: CopyIn, options: CopyOptions): Promise<void> {
    if (file.includes('/') || file === '..') throw new MooringError('Invalid', `"${file}" is no name in a folder`);
    await this.#copy(id, { command: 'copy-in', words: [from.path, from.identity, file, name, absolute(to)], what: 'copy to a container' }, from, options);
  }

  async copyOut(id: ContainerId, { path: file, to, name }: CopyOut, options: CopyOptions): Promise<void> {
    await this.#copy(id, { command: 'copy-out', words: [absolute(file), name, to.path, to.identity], what: 'copy from a container' }, to, options);
  }

  async #copy(id: ContainerId, { command, words = [], what }: Task, folder: HostFolder, { keepOwners, signal }: CopyOptions): Promise<void> {
    if (folder.bootId !== (await readBootId())) throw new MooringError('Unsupported', `${folder.path} is a folder of another machine`);
    using use = await this.#files.begin(id, signal);
    using process = new ArchiverProcess(this.#archiver, [command, ...words, ...(keepOwners ? ['--owners', 'archive'] : []), ...containerArguments(await this.#files.locate(id))], { signal: use.signal });
    await process.report(what);
  }

  export(id: ContainerId, signal?: AbortSignal): AsyncIterable<Buffer> {
    return this.#out(id, { command: 'export', what: 'export a container', signal });
  }

  async *exportChanges(id: ContainerId, signal?: AbortSignal): AsyncGenerator<Buffer, void, void> {
    using use = await this.#files.begin(id, signal);
    yield* packUpper(this.#archiver, await upperOf(await this.#files.locate(id)), use.signal);
  }

  async commit(id: ContainerId, { name, author, message, changes = [], pause, signal }: CommitOptions): Promise<ImageSummary> {
    using use = await this.#files.begin(id, signal);
    const place = await this.#files.locate(id);
    const { spec } = place.container;
    return await this.#images.commit({
      name,
      imageId: place.imageId,
      upper: await upperOf(place),
      config: (base) => changedConfig(configOfContainer(spec, base), changes),
      createdBy: [...(spec.command ?? []), ...(spec.args ?? [])].join(' '),
      whilePacking: (pack) => (pause && place.init ? this.#files.whileFrozen(place, pack) : pack()),
      signal: use.signal,
      ...(author !== undefined && { author }),
      ...(message !== undefined && { message }),
    });
  }

  async #stats(id: ContainerId, task: Task): Promise<FileStat[]> {
    return jsonLines<FileStat>(await text(this.#out(id, task)));
  }

  async *#out(id: ContainerId, { command, words = [], what, signal }: Task): AsyncGenerator<Buffer, void, void> {
    using use = await this.#files.begin(id, signal);
    using process = new ArchiverProcess(this.#archiver, [command, ...words, ...containerArguments(await this.#files.locate(id))], { signal: use.signal });
    yield* process.stdout as AsyncIterable<Buffer>;
    use.signal.throwIfAborted();
    await process.report(what);
  }

  async #in(id: ContainerId, { command, words = [], what, signal }: Task, content: AsyncIterable<Buffer>): Promise<void> {
    using use = await this.#files.begin(id, signal);
    using process = new ArchiverProcess(this.#archiver, [command, ...words, ...containerArguments(await this.#files.locate(id))], { signal: use.signal });
    try {
      await process.feed(content, what);
    } catch (error) {
      use.signal.throwIfAborted();
      throw error;
    }
  }
}

/** How `mooring-archive` is told of a container; native/archive/container_tree.h. */
function containerArguments({ init, lower, upper, work, readOnly, binds }: ContainerFileSystem): string[] {
  if (init) return ['--pid', String(init.pid), '--start-time', String(init.startTime)];
  return [
    ...lower.flatMap((layer) => ['--lower', layer]),
    ...['--upper', upper, '--work', work],
    ...(readOnly ? ['--read-only', 'yes'] : []),
    ...binds.flatMap(({ source, part, place, readOnly: fixed }) => ['--bind', source, '--part', part, '--at', place, '--access', fixed ? 'ro' : 'rw']),
  ];
}

function absolute(file: string): string {
  if (!file.startsWith('/')) throw new MooringError('Invalid', `"${file}" is no absolute path`, { fix: `write /${file}` });
  if (file.includes('\0')) throw new MooringError('Invalid', `"${file}" holds a NUL character`);
  return file;
}

/** The name that an archive gives to what is at a path: its last one, or `.` where only what is in it is meant. */
function nameOf(file: string): string {
  const name = path.posix.basename(file);
  return name === '' || name === '.' || name === '..' || file.endsWith('/.') ? '.' : name;
}

function jsonLines<T>(lines: string): T[] {
  return lines.split('\n').filter(Boolean).map((line) => JSON.parse(line) as T);
}
