import type { Clock } from '../lib/clock.ts';

/** What `work` settles with, or a rejection with what `late` gives once `milliseconds` have passed. The work itself goes on. */
export async function withDeadline<T>(work: Promise<T>, milliseconds: number, clock: Clock, late: () => Error): Promise<T> {
  const { promise: deadline, reject } = Promise.withResolvers<never>();
  const timer = clock.setTimeout(() => reject(late()), milliseconds);
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clock.clearTimeout(timer);
  }
}

/** Settles once somebody calls what it puts into `listeners`; rejects with the reason of an aborted signal. */
export async function toldIn(listeners: Set<() => void>, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  listeners.add(resolve);
  try {
    await promise;
  } finally {
    listeners.delete(resolve);
    signal.removeEventListener('abort', onAbort);
  }
}
