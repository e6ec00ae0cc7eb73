import { MooringError } from '../lib/errors.ts';
import { durationMs } from '../spec/duration.ts';

/** An instant, from a span before `now` (`10m`) or an RFC 3339 time; milliseconds since the epoch. Throws `Invalid`. */
export function parseSince(text: string, now: number, flag = '--since'): number {
  if (!/^\d{4}-\d{2}-\d{2}/.test(text)) return now - durationMs(text);
  const time = /T.*(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(time)) throw new MooringError('Invalid', `${flag} "${text}" is no RFC 3339 time`, { fix: 'write it like 2026-01-31T12:00:00Z, or a span such as 10m' });
  return time;
}
