import type { ContainerName } from '../spec/name.ts';
import type { Roster } from './roster.ts';

/** What could not be removed, and why. */
export interface Leftover {
  readonly name: ContainerName;
  readonly message: string;
}

/** Settles once nothing is on the roster any more, or the signal is aborted, with what is on it still. */
export async function emptied(roster: Pick<Roster, 'size' | 'subscribe' | 'names' | 'view'>, signal: AbortSignal): Promise<Leftover[]> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const check = (): void => {
    if (roster.size === 0 || signal.aborted) resolve();
  };
  const unsubscribe = roster.subscribe(check);
  signal.addEventListener('abort', check, { once: true });
  check();
  await promise;
  unsubscribe();
  signal.removeEventListener('abort', check);
  return roster.names().map((name) => {
    const ready = roster.view(name)?.status.conditions.find(({ type }) => type === 'Ready');
    return { name, message: ready?.message ?? 'nothing is known of it' };
  });
}
