import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ATTACH_PROTOCOL } from '../../lib/attach-frames.ts';

/** Turns a client's connection into a stream's other end, until either hangs up. What the client sent along with its request comes first. */
export function hijack(response: ServerResponse, sentAlong: Buffer, stream: Duplex, signal: AbortSignal): void {
  const { socket } = response;
  if (socket === null) return void stream.destroy(); // the client has gone meanwhile
  response.detachSocket(socket);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${ATTACH_PROTOCOL}\r\n\r\n`);
  if (sentAlong.length > 0) stream.write(sentAlong);
  stream.pipe(socket);
  socket.pipe(stream, { end: false });
  const part = (): void => {
    stream.destroy();
    socket.end();
  };
  // A hang-up from either side may show as an error there; it means no more than that.
  for (const side of [stream, socket]) side.on('error', part).once('close', part);
  socket.once('end', part);
  signal.addEventListener('abort', part, { once: true });
}
