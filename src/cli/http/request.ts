import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { ByteReader } from './byte-reader.ts';
import { readBody, readHead, type ResponseHead } from './response.ts';

export interface Request {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path and query, already encoded. */
  readonly path: string;
  /** Whole, or piece by piece as it comes. */
  readonly body?: { readonly type: string; readonly content: Buffer | AsyncIterable<Buffer> };
  /** Beyond those that every request has. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface Response extends ResponseHead {
  /** To be read once. Leaving the loop early closes the connection. */
  readonly body: AsyncIterable<Buffer>;
  /** Ends the connection, whether the body has been read or not: an open one keeps the process. */
  readonly close: () => void;
}

/** The connection could not be made at all: nobody listens there. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
}

/**
 * One HTTP/1.1 exchange over a unix socket, on a connection of its own. Node's own client costs 45 ms to import, more than the
 * rest of a command's start.
 */
export async function request(socketPath: string, { method, path, body, headers = {}, signal }: Request): Promise<Response> {
  const socket = await connect(socketPath, signal);
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: mooring', 'Connection: close', 'Accept: application/json'];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (body !== undefined) lines.push(`Content-Type: ${body.type}`, Buffer.isBuffer(body.content) ? `Content-Length: ${body.content.length}` : 'Transfer-Encoding: chunked');
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  if (Buffer.isBuffer(body?.content)) socket.write(body.content);
  else if (body !== undefined) sendPieces(socket, body.content).catch((error: unknown) => socket.destroy(error instanceof Error ? error : undefined));
  try {
    const reader = new ByteReader(socket as AsyncIterable<Buffer>);
    const head = await readHead(reader);
    return { ...head, body: closing(socket, readBody(reader, head)), close: () => void socket.destroy() };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** RFC 9112, section 7.1: "Chunked Transfer Coding". */
async function sendPieces(socket: Socket, pieces: AsyncIterable<Buffer>): Promise<void> {
  for await (const piece of pieces) {
    if (socket.destroyed) return; // whoever reads the answer is told
    if (piece.length === 0) continue;
    socket.write(`${piece.length.toString(16)}\r\n`);
    socket.write(piece);
    if (!socket.write('\r\n')) await once(socket, 'drain');
  }
  socket.write('0\r\n\r\n');
}

export function connect(socketPath: string, signal: AbortSignal | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path: socketPath });
    const refused = (error: Error): void => reject(new ConnectError(error.message, { cause: error }));
    socket.once('error', refused);
    socket.once('connect', () => {
      socket.off('error', refused);
      resolve(socket);
    });
    signal?.addEventListener('abort', () => socket.destroy(signal.reason instanceof Error ? signal.reason : undefined), { once: true });
  });
}

async function* closing(socket: Socket, body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  try {
    yield* body;
  } finally {
    socket.destroy();
  }
}
