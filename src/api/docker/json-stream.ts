import { once } from 'node:events';
import type { DockerCall } from './call.ts';
import { errorReply } from './error-reply.ts';

/** What a stream says last when it fails in the middle: its status is out by then. */
export interface StreamFailure {
  readonly errorDetail: { readonly code?: number; readonly message: string };
  readonly error: string;
}

/** With `code`, that of a process, a build's client ends with it. */
export function streamFailure(message: string, code?: number): StreamFailure {
  return { errorDetail: { ...(code !== undefined && { code }), message }, error: message };
}

export interface StreamOptions {
  /** Behind each object. */
  readonly separator?: '\n' | '\r\n';
  /** Send the reply's head before there is an object. Without it, what is thrown before the first one is an ordinary error's reply. */
  readonly headAtOnce?: boolean;
}

/**
 * Sends objects as they come, no faster than the client takes them. Ends when they do, or when the client goes. What is thrown after the first object is the
 * last one.
 */
export async function sendObjects(call: Pick<DockerCall, 'response' | 'signal'>, objects: AsyncIterable<unknown>, { separator = '\r\n', headAtOnce = false }: StreamOptions = {}): Promise<void> {
  const { response, signal } = call;
  const begin = (): void => {
    if (response.headersSent) return;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
  };
  if (headAtOnce) begin();
  try {
    for await (const object of objects) {
      begin();
      if (!response.write(`${JSON.stringify(object)}${separator}`)) await once(response, 'drain', { signal });
    }
    begin();
  } catch (error) {
    if (!response.headersSent) throw error;
    if (!signal.aborted) response.write(`${JSON.stringify(streamFailure(errorReply(error).body.message))}${separator}`);
  }
  response.end();
}
