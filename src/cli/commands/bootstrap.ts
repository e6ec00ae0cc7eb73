import type { BootstrapEvent } from '../../api/v1/image-types.ts';
import { MooringError } from '../../lib/errors.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { query } from './image.ts';

export interface BootstrapFlags {
  readonly suite: string;
  readonly variant: string;
  readonly mirror?: string;
  readonly include?: string;
}

/** `mooring image bootstrap debian`: what the program says goes to standard error as it comes. */
export async function bootstrap(client: Client, io: Io, name: string | undefined, { suite, ...flags }: BootstrapFlags): Promise<number> {
  const epoch = process.env['SOURCE_DATE_EPOCH'];
  const given = { name: name ?? `mooring.local/debian:${suite}`, suite, ...flags, ...(epoch !== undefined && { sourceDateEpoch: epoch }) };
  for await (const event of client.lines<BootstrapEvent>('POST', `/v1/images/bootstrap?${query(given)}`)) {
    if (event.type === 'LINE') io.err(`${event.text}\n`);
    else if (event.type === 'DONE') {
      io.out(`made ${event.name} (${event.digest})\n`);
      return EXIT.ok;
    } else {
      const { code, message, fix } = event.error;
      throw new MooringError(code, message, fix === undefined ? {} : { fix });
    }
  }
  throw new MooringError('Unavailable', 'the daemon stopped while the image was made', { fix: 'try again' });
}
