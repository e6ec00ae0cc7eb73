import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Declared } from '../../reconcile/desired.ts';
import { keyOf, keyText } from '../../reconcile/desired-store.ts';
import { isComposeFile, overriddenBy } from '../../spec/compose/names.ts';
import { parseDocuments } from '../../spec/parse.ts';
import type { ParseResult } from '../../spec/parsed.ts';
import type { SpecProblem } from '../../spec/problem.ts';
import { type ComposeReading, inputsChanged, readComposeFile, type Root, UnsettledInput, UnusableInput, watchPoints } from './compose-file.ts';
import { findFiles, type FoundFile, type WatchPoint } from './find-files.ts';
import { MAX_FILE_BYTES, readFileBytes, type FileIdentity } from './read-file.ts';
import { treeProblem } from './tree-problem.ts';

/** What one file says, or why nothing can be taken from it now. */
export type FileReading =
  | { readonly kind: 'Documents'; readonly declared: readonly Declared[]; readonly warnings: readonly SpecProblem[] }
  | { readonly kind: 'Rejected'; readonly problems: readonly SpecProblem[] }
  | { readonly kind: 'Empty' } // of no length at all, as a file is that is about to be written
  | { readonly kind: 'Unsettled' }; // being written right now

/** One look at the whole tree. */
export interface TreeReading {
  /** By path below the folder, in path order. */
  readonly files: ReadonlyMap<string, FileReading>;
  /** What is wrong beside the files. */
  readonly problems: readonly SpecProblem[];
  /** False when part of the tree could not be read: then what is missing says nothing. */
  readonly complete: boolean;
  /** The tree changed while it was read: it should be read again. */
  readonly raced: boolean;
  readonly linked: readonly WatchPoint[];
}

/** Readings of files that did not change since, by path. */
export type ReadingCache = ReadonlyMap<string, CachedReading>;

interface CachedReading {
  readonly identity: FileIdentity;
  readonly reading: FileReading;
  /** Of a compose file: what it was read with. */
  readonly compose?: Omit<ComposeReading, 'result'>;
  /** Whether it may be a file of something else, that says nothing to us: no word in it is ours. */
  readonly foreign: boolean;
}

/** More than libuv's four threads, so that none waits for the event loop. */
const PARALLEL_READS = 16;

/** Reads the tree below `root.real` whole. Files that `cache` knows unchanged are not parsed again; the cache for the next time comes back. */
export async function readTree(root: Root, cache: ReadingCache, clock: Clock, settleMs: number): Promise<{ tree: TreeReading; cache: ReadingCache }> {
  const found = await findFiles(root.real);
  const files = new Map<string, FileReading>(found.files.map(({ path }) => [path, { kind: 'Unsettled' }]));
  const paths = new Set(files.keys());
  const nextCache = new Map<string, CachedReading>();
  let { complete, raced } = found;

  async function read({ path, real }: FoundFile): Promise<void> {
    if (real === undefined) return reject(path, `${path} is a link that leads nowhere`, 'mend or delete the link');
    if (overriddenBy(path, paths) !== undefined) return void files.set(path, { kind: 'Documents', declared: [], warnings: [] });
    const before = cache.get(path);
    const known = before?.compose !== undefined && (await inputsChanged(before.compose.inputs)) ? undefined : before;
    const result = await readFileBytes(real, known?.identity, clock, settleMs);
    switch (result.kind) {
      case 'Same':
        if (known !== undefined) keep(path, known);
        return;
      case 'Bytes':
        return keep(path, { identity: result.identity, foreign: !Buffer.from(result.bytes).includes('mooring.dev/'), ...(await readingOf(result.bytes, path)) });
      case 'Unsettled':
        raced = true;
        return;
      case 'Gone':
        raced = true;
        complete = false;
        files.delete(path);
        return;
      case 'NotRegular':
        return reject(path, `${path} is not a regular file`, 'delete it, or give it another name');
      case 'TooLarge':
        return reject(path, `${path} has ${result.size} bytes, more than the ${MAX_FILE_BYTES} a file may have`, 'split it into several files');
      default:
        return result satisfies never;
    }
  }

  async function readingOf(bytes: Uint8Array, path: string): Promise<Pick<CachedReading, 'reading' | 'compose'>> {
    if (bytes.length === 0) return { reading: { kind: 'Empty' } };
    if (!isComposeFile(path)) return { reading: readingFrom(parseDocuments(bytes, path), path) };
    const { result: parsed, ...compose } = await readComposeFile(bytes, path, root, clock, settleMs);
    return { reading: readingFrom(parsed, path), compose };
  }

  function keep(path: string, cached: CachedReading): void {
    files.set(path, cached.reading);
    nextCache.set(path, cached);
  }

  /** What a project mounts, builds or is read from may be YAML of its own: it is not told of, unless it speaks to us. */
  function muteOwnFiles(): void {
    const own = [...nextCache.values()].flatMap(({ compose }) => compose?.own ?? []);
    if (own.length === 0) return;
    for (const [path, { reading, foreign, compose }] of nextCache) {
      if (reading.kind !== 'Rejected' || !foreign || compose !== undefined) continue;
      if (own.some((place) => place === '' || path === place || path.startsWith(`${place}/`))) files.set(path, { kind: 'Rejected', problems: [] });
    }
  }

  function reject(path: string, message: string, fix: string): void {
    files.set(path, { kind: 'Rejected', problems: [treeProblem(path, message, fix)] });
  }

  const queue = found.files.values();
  async function work(): Promise<void> {
    for (const file of queue) {
      try {
        await read(file);
      } catch (error) {
        if (error instanceof UnsettledInput) {
          raced = true;
          continue;
        }
        if (error instanceof UnusableInput) {
          reject(file.path, `${file.path} can't be taken: ${error.message}`, 'name another file, or put one there');
          continue;
        }
        complete = false;
        reject(file.path, `cannot read ${file.path}: ${messageOf(error)}`, 'make it readable; until then nothing is removed');
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL_READS }, work));
  muteOwnFiles();
  const linked = [...found.linked, ...[...nextCache.values()].flatMap(({ compose }) => watchPoints(compose?.inputs ?? []))];
  return { tree: { files, problems: found.problems, complete, raced, linked }, cache: nextCache };
}

/** A file is taken whole or not at all: half of what somebody wrote is a surprise. */
function readingFrom({ documents, problems }: ParseResult, path: string): FileReading {
  const all = [...problems];
  const first = new Map<string, string>();
  for (const { resource, at } of documents) {
    const key = keyOf(resource);
    const earlier = first.get(keyText(key));
    if (earlier === undefined) first.set(keyText(key), at);
    if (resource.kind === 'Container' && resource.spec.autoRemove) {
      const message = 'is only for a container that is made on request: a file wants its container for as long as it is there';
      all.push({ file: path, at, field: 'spec.autoRemove', message, fix: 'leave it out; with restartPolicy Never it runs once, and goes with its file', ...key });
    }
    if (earlier !== undefined) all.push({ file: path, at, field: 'metadata.name', message: `${key.name} is declared twice in this file, first at ${earlier}`, fix: 'rename or delete one of the two', ...key });
  }
  if (all.some(({ warning }) => warning !== true)) return { kind: 'Rejected', problems: all };
  return { kind: 'Documents', declared: documents.map(({ resource, at }) => ({ resource, location: at })), warnings: all };
}
