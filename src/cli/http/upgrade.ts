import type { Socket } from 'node:net';
import { ByteReader } from './byte-reader.ts';
import { connect, type Response } from './request.ts';
import { readBody, readHead } from './response.ts';

const END_OF_HEAD = Buffer.from('\r\n\r\n');

/** Asks to speak another protocol on the connection (RFC 9110 §7.8). Gives the connection, with nothing of it read, or the reply of a daemon that will not. */
export async function upgrade(socketPath: string, path: string, protocol: string): Promise<Socket | Response> {
  const socket = await connect(socketPath, undefined);
  socket.write(`POST ${path} HTTP/1.1\r\nHost: mooring\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nContent-Length: 0\r\n\r\n`);
  try {
    const received = await readPastHead(socket);
    if (received.toString('latin1', 0, 12) === 'HTTP/1.1 101') {
      socket.unshift(received.subarray(received.indexOf(END_OF_HEAD) + END_OF_HEAD.length));
      return socket;
    }
    socket.unshift(received);
    const reader = new ByteReader(socket as AsyncIterable<Buffer>);
    const head = await readHead(reader);
    return { ...head, body: readBody(reader, head), close: () => void socket.destroy() };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** The connection's first bytes, the whole of the head among them. */
function readPastHead(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const done = (settle: () => void): void => {
      socket.off('readable', onReadable).off('end', onEnd).off('error', reject);
      settle();
    };
    const onEnd = (): void => done(() => reject(new Error('the connection ended in the middle of a response')));
    const onReadable = (): void => {
      for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) received = Buffer.concat([received, chunk]);
      if (received.includes(END_OF_HEAD)) done(() => resolve(received));
    };
    socket.on('readable', onReadable).on('end', onEnd).on('error', reject);
  });
}
