import type { EventList, MooringEvent } from '../../api/v1/types.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { kindOf, parseName } from '../name.ts';
import { formatAge } from '../output/age.ts';
import { printable, renderTable } from '../output/table.ts';
import { serialize, type OutputFormat } from './get.ts';

export interface EventsOptions {
  readonly namespace: string;
  readonly follow?: boolean;
  readonly output?: OutputFormat;
}

/** `mooring events [NAME]`: what happened, oldest first. */
export async function events(client: Client, io: Io, word: string | undefined, options: EventsOptions): Promise<number> {
  const query = new URLSearchParams();
  if (word !== undefined) {
    const { namespace, name } = parseName(word, options.namespace);
    query.set('name', `${namespace}/${name}`);
    query.set('kind', kindOf([word]));
  }
  if (options.follow) {
    query.set('follow', '1');
    for await (const event of client.lines<MooringEvent>('GET', `/v1/events?${query.toString()}`)) {
      io.out(options.output === 'json' ? `${JSON.stringify(event)}\n` : followLine(event, io));
    }
    return EXIT.ok;
  }
  const { items } = await client.get<EventList>(`/v1/events?${query.toString()}`);
  if (options.output === 'json' || options.output === 'yaml') io.out(await serialize(items, options.output));
  else if (items.length === 0) io.err('No events.\n');
  else io.out(eventTable(items, io));
  return EXIT.ok;
}

function eventTable(items: readonly MooringEvent[], io: Io): string {
  const rows = items.map((event) => [
    formatAge(io.now() - Date.parse(event.lastTime)),
    { text: event.type, ...(event.type === 'Warning' && { paint: io.style.yellow }) },
    event.reason,
    subjectOf(event),
    event.count > 1 ? `${event.message} (×${event.count})` : event.message,
  ]);
  return renderTable(['LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'], rows);
}

/** Of a container the name alone. */
function subjectOf({ kind = 'Container', name }: Pick<MooringEvent, 'kind' | 'name'>): string {
  if (name === undefined) return '-';
  return kind === 'Container' ? name : `${kind.toLowerCase()}/${name}`;
}

function followLine(event: MooringEvent, { style }: Io): string {
  const type = event.type === 'Warning' ? style.yellow(event.type) : event.type;
  return `${style.dim(event.lastTime)} ${type} ${event.reason} ${subjectOf(event)}: ${printable(event.message)}${event.count > 1 ? ` (×${event.count})` : ''}\n`;
}
