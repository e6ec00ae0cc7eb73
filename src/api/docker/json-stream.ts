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

/**
 * Sends objects as they come, no faster than the client takes them; the reply's head at once. Ends when they do, or when the client goes. What is thrown is the
 * last object.
 */
export async function sendObjects(call: Pick<DockerCall, 'response' | 'signal'>, objects: AsyncIterable<unknown>, separator: '\n' | '\r\n' = '\r\n'): Promise<void> {
  const { response, signal } = call;
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  try {
    for await (const object of objects) {
      if (!response.write(`${JSON.stringify(object)}${separator}`)) await once(response, 'drain', { signal });
    }
  } catch (error) {
    if (!signal.aborted) response.write(`${JSON.stringify(streamFailure(errorReply(error).body.message))}${separator}`);
  }
  response.end();
}
