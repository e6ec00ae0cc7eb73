import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { readCompose } from '../../spec/compose/read-compose.ts';
import type { ParseResult } from '../../spec/parsed.ts';
import type { WatchPoint } from './find-files.ts';
import { type FileIdentity, fileIdentity, MAX_FILE_BYTES, readFileBytes } from './read-file.ts';

/** A file that was read for another one, and how it was then; undefined where there was none. */
export interface Input {
  readonly path: string;
  readonly identity: FileIdentity | undefined;
}

export interface ComposeReading {
  readonly result: ParseResult;
  readonly inputs: readonly Input[];
  /** Files and folders, by path below the specs folder, that are the project's own and no documents: what it is read from, mounts and builds. */
  readonly own: readonly string[];
}

/** A file that a compose file names is being written right now. */
export class UnsettledInput extends Error {}

/** A file that a compose file names is none that can be read. */
export class UnusableInput extends Error {}

/** Where the specs folder is, and where its files are read. */
export interface Root {
  /** As users know it: paths in documents go by it, whatever links lie behind it. */
  readonly dir: string;
  /** Without links. */
  readonly real: string;
}

/** Reads a compose file of the specs folder with all that it names. Throws `UnsettledInput`, and the system's errors. */
export async function readComposeFile(bytes: Uint8Array, path: string, { dir, real }: Root, clock: Clock, settleMs: number): Promise<ComposeReading> {
  const inputs: Input[] = [];
  const read = async (named: string): Promise<Uint8Array | undefined> => {
    const at = named.startsWith(`${dir}/`) ? `${real}${named.slice(dir.length)}` : named;
    const content = await readFileBytes(at, undefined, clock, settleMs);
    switch (content.kind) {
      case 'Bytes':
        inputs.push({ path: at, identity: content.identity });
        return content.bytes;
      case 'Gone':
        inputs.push({ path: at, identity: undefined });
        return undefined;
      case 'TooLarge':
        throw new UnusableInput(`${named} has ${content.size} bytes, more than the ${MAX_FILE_BYTES} a file may have`);
      case 'NotRegular':
        throw new UnusableInput(`${named} is not a regular file`);
      case 'Unsettled':
      case 'Same':
        throw new UnsettledInput(named);
      default:
        return content satisfies never;
    }
  };
  const result = await readCompose(bytes, { file: path, path: join(dir, path), read });
  return { result, inputs, own: [...inputs.map((input) => below(input.path, real)), ...placesOf(result).map((place) => below(place, dir))].filter((place) => place !== undefined) };
}

/** Whether a file that a reading was made from is another one now. */
export async function inputsChanged(inputs: readonly Input[]): Promise<boolean> {
  for (const { path, identity } of inputs) if ((await fileIdentity(path)) !== identity) return true;
  return false;
}

export function watchPoints(inputs: readonly Input[]): WatchPoint[] {
  return inputs.map(({ path }) => ({ folder: dirname(path), name: basename(path) }));
}

/** What of the node its containers mount and are built from. */
function placesOf({ documents }: ParseResult): string[] {
  return documents.flatMap(({ resource }) => {
    if (resource.kind !== 'Container') return [];
    const { build, mounts } = resource.spec;
    return [...(build === undefined ? [] : [build.context]), ...mounts.flatMap(({ bind }) => bind?.source ?? [])];
  });
}

/** The path below a folder; undefined for one that is not below it. */
function below(path: string, folder: string): string | undefined {
  if (path === folder) return '';
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : undefined;
}
