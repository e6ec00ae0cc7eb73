import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { DockerCall } from './call.ts';
import { DockerError } from './error-reply.ts';

export const RAW_STREAM = 'application/vnd.docker.raw-stream';

/** A connection that was taken over. The end of `input` is that of the client's side alone: `output` stays open, and is the handler's to end. */
export interface Hijacked {
  readonly input: Readable;
  readonly output: Writable;
}

/**
 * Answers 101 where the client asked for `Upgrade: tcp`, else 200 with a body as long as the connection lasts, and hands over the connection. A client that
 * sends its body in chunks has its standard input there.
 */
export function hijack(call: DockerCall, type: string = RAW_STREAM): Hijacked {
  const { request, response } = call;
  if (!call.isUpgraded && request.headers['transfer-encoding'] !== undefined) return { input: request, output: chunkless(call, type) };
  const upgrade = call.isUpgraded ? 'Connection: Upgrade\r\nUpgrade: tcp\r\n' : '';
  const own = Object.entries(response.getHeaders()).map(([name, value]) => `${name}: ${String(value)}\r\n`);
  const socket = takeConnection(call);
  socket.write(`HTTP/1.1 ${call.isUpgraded ? '101 UPGRADED' : '200 OK'}\r\nContent-Type: ${type}\r\n${upgrade}${own.join('')}\r\n`);
  return { input: socket, output: socket };
}

/** Takes the connection away from Node's HTTP server, and writes nothing. It ends with the server. Throws where the client has gone. */
export function takeConnection({ response, closing }: Pick<DockerCall, 'response' | 'closing'>): Socket {
  const { socket } = response;
  if (socket === null || socket.destroyed) throw new DockerError(400, 'the client has gone');
  response.detachSocket(socket);
  // A listener for data has Node's parser let go of the connection; what Node does at its end and its errors is for requests, too.
  const first = (): void => undefined;
  socket.on('data', first);
  socket.pause();
  for (const event of ['data', 'end', 'error', 'timeout', 'drain'] as const) socket.removeAllListeners(event);
  socket.on('error', () => socket.destroy()); // a client's reset; what it means, 'close' tells
  const end = (): void => socket.destroySoon();
  closing.addEventListener('abort', end, { once: true });
  socket.once('close', () => closing.removeEventListener('abort', end));
  return socket;
}

function chunkless({ response }: DockerCall, type: string): Writable {
  response.shouldKeepAlive = false;
  response.useChunkedEncodingByDefault = false;
  response.writeHead(200, { 'content-type': type });
  response.flushHeaders();
  return response;
}
