import type { ContainerObject, SpecProblem, WatchEvent } from '../../api/v1/types.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { messageOf, renderContainers } from '../output/container-table.ts';
import { LiveScreen } from '../output/live-screen.ts';
import { problemFooter, problemLines } from '../output/problems.ts';
import { printable } from '../output/table.ts';
import { listPath, type GetOptions } from './get.ts';

export interface WatchOptions extends Pick<GetOptions, 'namespace' | 'allNamespaces'> {
  readonly wide: boolean;
  /** Stands above the table. */
  readonly title?: string;
}

const REDRAW_MS = 100;
const AGES_MS = 1000;

/**
 * `mooring ps --watch` and the daemon's `--view`: on a terminal one table, redrawn in place at most ten times a second; elsewhere one line a change.
 * Returns when the daemon ends the stream.
 */
export async function watch(client: Client, io: Io, options: WatchOptions): Promise<number> {
  const items = new Map<string, ContainerObject>();
  const stream = client.lines<WatchEvent>('GET', listPath(options, true));
  if (!io.terminal) {
    for await (const event of stream) {
      if (event.type === 'PROBLEMS') io.out(problemLines(event.items, io.style).map((line) => `${line}\n`).join(''));
      else if (event.type !== 'SYNCED') io.out(changeLine(event.type, event.object, items));
    }
    return EXIT.ok;
  }
  let problems: readonly SpecProblem[] = [];
  const table = (): string =>
    (options.title === undefined ? '' : `${options.title}\n\n`) +
    renderContainers([...items.values()].toSorted(byName), {
      wide: options.wide,
      namespaces: options.allNamespaces && [...items.values()].some(({ metadata }) => metadata.namespace !== 'default'),
      style: io.style,
      now: io.now(),
    }) +
    problemFooter(problems, io.style);
  using screen = new LiveScreen(io, table, { redrawMs: REDRAW_MS, refreshMs: AGES_MS });
  for await (const event of stream) {
    if (event.type === 'DELETED') items.delete(keyOf(event.object));
    else if (event.type === 'PROBLEMS') problems = event.items;
    else if (event.type !== 'SYNCED') items.set(keyOf(event.object), event.object);
    screen.changed();
  }
  return EXIT.ok;
}

/** One line for a change that a reader of a log would want; nothing where state, restarts and message are as before. */
function changeLine(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: ContainerObject, known: Map<string, ContainerObject>): string {
  const key = keyOf(object);
  const before = known.get(key);
  const text = (item: ContainerObject): string => [key, item.status.phase, `restarts=${item.status.restartCount}`, messageOf(item)].join(' ').trimEnd();
  if (type === 'DELETED') {
    known.delete(key);
    return `${key} Removed\n`;
  }
  known.set(key, object);
  return before !== undefined && text(before) === text(object) ? '' : `${printable(text(object))}\n`;
}

function keyOf({ metadata }: ContainerObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function byName(a: ContainerObject, b: ContainerObject): number {
  return keyOf(a) < keyOf(b) ? -1 : 1;
}
