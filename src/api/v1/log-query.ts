import type { LogLine, LogOptions } from '../../engine/engine.ts';
import { MooringError } from '../../lib/errors.ts';
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

/** The lines as the container wrote them, in pieces worth a write each. */
export async function* logText(lines: AsyncIterable<LogLine>, timestamps: boolean): AsyncGenerator<string, void, void> {
  let atStart = true;
  for await (const { time, text, complete } of lines) {
    yield `${timestamps && atStart ? `${time} ` : ''}${text}${complete ? '\n' : ''}`;
    atStart = complete;
  }
}
