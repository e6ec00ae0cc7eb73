import type { Clock } from '../../lib/clock.ts';

/** Runs `work` with a signal that is aborted `milliseconds` from now; undefined for what was not done by then. What it does afterwards is nobody's concern. */
export async function byDeadline<T>(milliseconds: number, clock: Clock, work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
  const abort = new AbortController();
  const late = Promise.withResolvers<undefined>();
  const timer = clock.setTimeout(() => {
    late.resolve(undefined);
    abort.abort();
  }, milliseconds);
  try {
    const working = work(abort.signal);
    working.catch(() => undefined);
    return await Promise.race([late.promise, working]);
  } finally {
    clock.clearTimeout(timer);
  }
}
