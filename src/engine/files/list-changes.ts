import readline from 'node:readline';

import type { FileChange } from '../files.ts';
import { ArchiverProcess } from '../images/archiver-process.ts';
import { resolveLayeredPath } from '../images/layered-file.ts';
import type { Upper } from '../images/pack-upper.ts';
import { type ContainerFileSystem, RUNTIME_MOUNT_POINTS } from './container-file-system.ts';

export interface ListedChange extends FileChange {
  /** A folder that is told of only since something in it is. */
  readonly implied?: true;
}

/** What a writable folder has otherwise than the layers below it, in no order. */
export async function* listChanges(archiver: string, { folder, lower, omitEmpty = [] }: Upper, signal: AbortSignal): AsyncGenerator<ListedChange, void, void> {
  using process = new ArchiverProcess(archiver, ['changes', folder, ...lower.flatMap((layer) => ['--below', layer]), ...omitEmpty.flatMap((place) => ['--omit', place])], { signal });
  for await (const line of readline.createInterface({ input: process.stdout, crlfDelay: Infinity })) yield JSON.parse(line) as ListedChange;
  signal.throwIfAborted();
  await process.report('list the changes of a container');
}

/** A container's writable folder, and the places in it that are the runtime's doing: it follows the image's links on its way to a mount point, so what it made may lie where these lead. */
export async function upperOf({ upper, lower }: Pick<ContainerFileSystem, 'upper' | 'lower'>, mountPoints: readonly string[] = []): Promise<Upper> {
  const places = [...RUNTIME_MOUNT_POINTS, ...mountPoints.filter((place) => place !== '/')];
  const resolved = await Promise.all(places.map((place) => resolveLayeredPath(lower, place)));
  return { folder: upper, lower, omitEmpty: [...new Set([...places, ...resolved])] };
}
