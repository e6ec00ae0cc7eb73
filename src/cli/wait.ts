import type { ContainerObject, WatchEvent } from '../api/v1/types.ts';
import { MooringError } from '../lib/errors.ts';
import type { Client } from './client.ts';
import { durationMs } from '../spec/duration.ts';

/** All containers by `namespace/name`, as last seen. */
export type Seen = ReadonlyMap<string, ContainerObject>;

/**
 * Follows the containers until `done` says so, looked at after the first whole list and after each change. Throws `Unavailable` naming what was
 * waited for when `timeout` (such as `60s`) has passed, and what `done` throws.
 */
export async function waitUntil(client: Client, timeout: string, what: string, done: (seen: Seen) => boolean): Promise<void> {
  const signal = AbortSignal.timeout(durationMs(timeout));
  const seen = new Map<string, ContainerObject>();
  let synced = false;
  try {
    for await (const event of client.lines<WatchEvent>('GET', '/v1/containers?watch=1', signal)) {
      if (event.type === 'SYNCED') synced = true;
      else if (event.type === 'DELETED') seen.delete(key(event.object));
      else if (event.type !== 'PROBLEMS') seen.set(key(event.object), event.object);
      if (synced && done(seen)) return;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new MooringError('Unavailable', `waited ${timeout} for ${what}`, { fix: 'see "mooring explain NAME", or give a longer --timeout' });
  }
  throw new MooringError('Unavailable', `the daemon stopped while waiting for ${what}`);
}

function key({ metadata }: ContainerObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}
