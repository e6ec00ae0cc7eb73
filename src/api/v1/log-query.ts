import type { LogLine, LogOptions } from '../../engine/engine.ts';
import { MooringError } from '../../lib/errors.ts';
import { isAsked } from './call.ts';

const FRAME_HEAD = 8;

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

/** As `logText`, in frames that tell the streams apart, as Docker has them: `[1 = stdout | 2 = stderr][0 0 0][length, big-endian][bytes]`. */
export async function* logFrames(lines: AsyncIterable<LogLine>, timestamps: boolean): AsyncGenerator<Buffer, void, void> {
  const atStart = { stdout: true, stderr: true };
  for await (const { time, stream, text, complete } of lines) {
    const piece = `${timestamps && atStart[stream] ? `${time} ` : ''}${text}${complete ? '\n' : ''}`;
    const frame = Buffer.alloc(FRAME_HEAD + Buffer.byteLength(piece));
    frame[0] = stream === 'stdout' ? 1 : 2;
    frame.writeUInt32BE(frame.length - FRAME_HEAD, 4);
    frame.write(piece, FRAME_HEAD);
    yield frame;
    atStart[stream] = complete;
  }
}
