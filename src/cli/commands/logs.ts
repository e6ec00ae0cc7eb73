import type { Client } from '../client.ts';
import { parseSince } from '../since.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { MooringError } from '../../lib/errors.ts';
import { containerPath, parseName } from '../name.ts';

export interface LogsOptions {
  readonly namespace: string;
  readonly follow?: boolean;
  readonly tail?: string;
  readonly since?: string;
  readonly timestamps?: boolean;
}

/** `mooring logs NAME`: what the container wrote, standard output and error in the order they came. */
export async function logs(client: Client, io: Io, word: string, options: LogsOptions): Promise<number> {
  const query = new URLSearchParams();
  if (options.follow) query.set('follow', '1');
  if (options.timestamps) query.set('timestamps', '1');
  if (options.tail !== undefined) {
    if (!/^\d+$/.test(options.tail)) throw new MooringError('Invalid', `--tail "${options.tail}" is no count of lines`);
    query.set('tail', options.tail);
  }
  if (options.since !== undefined) query.set('since', new Date(parseSince(options.since, io.now())).toISOString());
  const decoder = new TextDecoder();
  for await (const bytes of client.bytes(`${containerPath(parseName(word, options.namespace))}/logs?${query.toString()}`)) io.out(decoder.decode(bytes, { stream: true }));
  return EXIT.ok;
}
