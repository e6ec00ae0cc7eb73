import { once } from 'node:events';
import { MooringError } from '../../lib/errors.ts';
import { wholeBody } from '../request-body.ts';
import type { Exchange } from '../socket-server.ts';

/** More than any set of documents that a node can run, and little enough to hold in memory. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** One request, as its handler sees it. */
export interface Call extends Exchange {
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly query: URLSearchParams;
}

/** The whole body as text. Throws `Invalid` when it is too large. */
export async function readBody({ request }: Call): Promise<string> {
  const body = await wholeBody(request, MAX_BODY_BYTES);
  if (body === undefined) throw new MooringError('Invalid', `the request's body is larger than ${MAX_BODY_BYTES} bytes`);
  return body.toString('utf8');
}

/** Sends pieces as they come, no faster than the client takes them. Ends when they do, or when the client goes. */
export async function sendStream({ response, signal }: Call, type: string, pieces: AsyncIterable<string | Buffer>): Promise<void> {
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' });
  response.flushHeaders();
  try {
    for await (const piece of pieces) {
      if (!response.write(piece)) await once(response, 'drain', { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  response.end();
}

/** One JSON value a line. */
export function sendLines(call: Call, values: AsyncIterable<unknown>): Promise<void> {
  return sendStream(call, 'application/x-ndjson', jsonLines(values));
}

async function* jsonLines(values: AsyncIterable<unknown>): AsyncGenerator<string, void, void> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}

/** Whether a query asks for something: `?follow`, `?follow=1`, `?follow=true`. */
export function isAsked(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== '0' && value !== 'false';
}

/** A parameter of the query that must be there. */
export function asked({ query }: Pick<Call, 'query'>, name: string): string {
  const value = query.get(name);
  if (value === null || value === '') throw new MooringError('Invalid', `the query lacks "${name}"`);
  return value;
}
