import type { TransferEvent } from '../../api/v1/image-types.ts';
import { MooringError } from '../../lib/errors.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { TransferScreen } from '../output/transfer-screen.ts';
import { registryAuth } from '../registry-login.ts';
import { query } from './image.ts';

/** `mooring pull`: shows it layer by layer; quiet, only the image's ID. */
export async function pullImage(client: Client, io: Io, reference: string, { platform, quiet = false }: { readonly platform?: string; readonly quiet?: boolean }): Promise<number> {
  const done = await follow(client, io, reference, `/v1/images/pull?${query({ reference, ...(platform !== undefined && { platform }) })}`, quiet);
  io.out(quiet ? `${done.digest}\n` : `pulled ${done.name} (${done.digest})\n`);
  return EXIT.ok;
}

export async function pushImage(client: Client, io: Io, reference: string, { quiet = false }: { readonly quiet?: boolean }): Promise<number> {
  const done = await follow(client, io, reference, `/v1/images/push?${query({ reference })}`, quiet);
  io.out(quiet ? `${done.digest}\n` : `pushed ${done.name} (${done.digest})\n`);
  return EXIT.ok;
}

async function follow(client: Client, io: Io, reference: string, path: string, quiet: boolean): Promise<TransferEvent & { type: 'DONE' }> {
  using screen = quiet ? undefined : new TransferScreen(io);
  for await (const event of client.lines<TransferEvent>('POST', path, undefined, await registryAuth(client, reference))) {
    if (event.type === 'DONE') return event;
    if (event.type === 'ERROR') {
      const { code, message, fix } = event.error;
      throw new MooringError(code, message, fix === undefined ? {} : { fix });
    }
    screen?.show(event);
  }
  throw new MooringError('Unavailable', 'the daemon stopped in the middle of the transfer', { fix: 'try again: what came whole is kept' });
}
