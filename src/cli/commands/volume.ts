import { randomBytes } from 'node:crypto';
import { MooringError } from '../../lib/errors.ts';
import type { Client } from '../client.ts';
import type { Io } from '../io.ts';
import { parseName } from '../name.ts';
import { pairsOf } from '../pairs.ts';
import { createSupply } from './supply.ts';

export interface CreateVolumeOptions {
  readonly namespace: string;
  readonly driver: string;
  readonly opt?: readonly string[];
  readonly label?: readonly string[];
  readonly retain?: boolean;
}

/** `mooring volume create [NAME]`, with the flags that `docker volume create` has. Without a name it gets one of 64 digits. */
export function createVolume(client: Client, io: Io, word: string | undefined, options: CreateVolumeOptions): Promise<number> {
  const { namespace, driver, retain = false } = options;
  const { type, device, o, size, ...unknown } = pairsOf('opt', options.opt);
  const [key] = Object.keys(unknown);
  if (key !== undefined) throw new MooringError('Invalid', `driver local has no option "${key}"`, { fix: 'the options are type, device, o and size' });
  const spec = {
    driver: driver.toLowerCase() === 'local' ? 'Local' : driver,
    options: { ...(type !== undefined && { type }), ...(device !== undefined && { device }), ...(o !== undefined && { o }) },
    ...(size !== undefined && { size }),
    reclaimPolicy: retain ? 'Retain' : 'Delete',
  };
  return createSupply(client, io, 'Volume', parseName(word ?? randomBytes(32).toString('hex'), namespace), { labels: pairsOf('label', options.label), spec }, namespace);
}
