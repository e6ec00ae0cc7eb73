import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Exchange } from './socket-server.ts';

/** A client that sends nothing for so long of the rest of a body that nobody wants is hung up on. */
const REST_IDLE_MS = 10_000;

export function sendJson({ response }: Pick<Exchange, 'response'>, body: unknown, status = 200): void {
  const content = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': content.length });
  response.end(content);
}

/** A reply that may come before the body was read: the rest is read away, since a client that is still sending would find its pipe broken, and never read why. */
export function sendRefusal({ request, response }: Pick<Exchange, 'request' | 'response'>, body: unknown, status: number): void {
  const { socket } = response;
  sendJson({ response }, body, status);
  if (request.complete || socket === null) return;
  socket.setTimeout(REST_IDLE_MS, () => socket.destroy());
  request.once('end', () => socket.setTimeout(0));
  request.resume();
}

/** Logs why a request could not be answered. One that its client left, or the daemon's end cut short, fails by that, and is nobody's error. */
export function logFailure(logger: Logger, { request, response, signal }: Pick<Exchange, 'request' | 'response' | 'signal'>, error: unknown): void {
  const isCutShort = signal.aborted && !response.writableFinished;
  logger[isCutShort ? 'debug' : 'error']({ err: messageOf(error), request: `${request.method} ${request.url}` }, isCutShort ? 'a request was cut short' : 'a request failed');
}
