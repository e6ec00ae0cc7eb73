import { createSocket, type RemoteInfo, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import { MooringError, errnoOf, messageOf } from '../../lib/errors.ts';
import { frameOf, readFrames } from './stream-frames.ts';

/** The answer to one message of a client; undefined where none is due. */
export type Answerer = (message: Buffer, client: string, transport: 'udp' | 'tcp') => Promise<Buffer | undefined>;

const PORT = 53;
const MOST_CONNECTIONS = 128;
const IDLE_MS = 10_000;

/** What listens on one address, by UDP and by TCP. */
export class NameServer {
  readonly #datagrams: DatagramSocket;
  readonly #streams: Server;
  readonly #connections = new Set<Socket>();
  #closed = false;

  private constructor(address: string, answer: Answerer) {
    // With it set on both sides, a name server of the node that listens on all addresses leaves this one to us.
    this.#datagrams = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', reuseAddr: true });
    this.#datagrams.on('message', (message, from) => void this.#answerDatagram(message, from, answer));
    this.#streams = createServer((socket) => void this.#serve(socket, answer));
    this.#streams.maxConnections = MOST_CONNECTIONS;
  }

  /** Throws `Conflict` where another process has the port. */
  static async listen(address: string, answer: Answerer): Promise<NameServer> {
    const server = new NameServer(address, answer);
    try {
      server.#datagrams.bind(PORT, address);
      await once(server.#datagrams, 'listening');
      server.#streams.listen(PORT, address);
      await once(server.#streams, 'listening');
    } catch (error) {
      await server.close();
      if (errnoOf(error) !== 'EADDRINUSE') throw new MooringError('Unavailable', `listen on ${address} port ${PORT}: ${messageOf(error)}`, { cause: error });
      throw new MooringError('Conflict', `port ${PORT} of ${address} is in use, so the names of that network can't be told`, {
        fix: `let the node's own name server listen on its own addresses only; "ss -lnp sport = ${PORT}" names it`,
        cause: error,
      });
    }
    server.#datagrams.on('error', () => undefined); // of single datagrams, as ICMP tells them
    return server;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const socket of this.#connections) socket.destroy();
    await Promise.all([
      new Promise<void>((resolve) => {
        try {
          this.#datagrams.close(resolve);
        } catch {
          resolve(); // it never was open
        }
      }),
      new Promise<void>((resolve) => void this.#streams.close(() => resolve())),
    ]);
  }

  async #answerDatagram(message: Buffer, { address, port }: RemoteInfo, answer: Answerer): Promise<void> {
    const bytes = await answer(message, address, 'udp');
    // What can't be sent, its client asks for again.
    if (bytes && !this.#closed) this.#datagrams.send(bytes, port, address, () => undefined);
  }

  async #serve(socket: Socket, answer: Answerer): Promise<void> {
    this.#connections.add(socket);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    try {
      for await (const message of readFrames(socket as AsyncIterable<Buffer>)) {
        const bytes = await answer(message, socket.remoteAddress ?? '', 'tcp');
        if (bytes && !socket.write(frameOf(bytes))) await once(socket, 'drain');
      }
      socket.end();
    } catch {
      socket.destroy(); // the client has hung up
    } finally {
      this.#connections.delete(socket);
    }
  }
}
