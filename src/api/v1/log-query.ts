import type { LogLine, LogOptions } from '../../engine/engine.ts';
import { MooringError } from '../../lib/errors.ts';
import { LogBytes, type LogForm } from '../log-bytes.ts';
import { isAsked } from './call.ts';

/** `?follow&tail=20&since=<RFC 3339>` as the engine takes it. Throws `Invalid`. */
export function logOptions(query: URLSearchParams, signal: AbortSignal): LogOptions {
  const tail = query.get('tail');
  if (tail !== null && !/^\d{1,9}$/.test(tail)) throw new MooringError('Invalid', `tail "${tail}" is no count of lines`);
  const since = query.get('since');
  const sinceTime = since === null ? undefined : Date.parse(since);
  if (Number.isNaN(sinceTime)) throw new MooringError('Invalid', `since "${since}" is no RFC 3339 time`);
  return { follow: isAsked(query, 'follow'), signal, ...(tail !== null && { tail: Number(tail) }), ...(sinceTime !== undefined && { since: sinceTime }) };
}

/** The lines in that form, in pieces worth a write each. */
export async function* logPieces(batches: AsyncIterable<readonly LogLine[]>, form: LogForm): AsyncGenerator<Buffer, void, void> {
  const bytes = new LogBytes(form);
  for await (const lines of batches) yield bytes.of(lines);
}
