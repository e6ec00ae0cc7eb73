import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { frameOf, readFrames } from './stream-frames.ts';

export interface Asked {
  readonly query: Buffer;
  readonly transport: 'udp' | 'tcp';
  /** Addresses of name servers, the first choice first, with `#port` where that is not 53. */
  readonly servers: readonly string[];
  /** Nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

const ROUNDS = 2;
const PATIENCE_MS = 2_000;
const HEADER = 12;

/** A name server's answer to the query, with the query's own id; undefined when none answers. The query goes out as it came in, but for its id: what it says beyond the question is between the client and that server. */
export async function askUpstream({ query, transport, servers, signal }: Asked): Promise<Buffer | undefined> {
  const ask = transport === 'udp' ? askByDatagram : askByStream;
  for (let round = 0; round < ROUNDS; round++) {
    for (const server of servers) {
      const [host = '', port = '53'] = server.split('#');
      // An id that nobody can guess, from a port that nobody can guess: what a forger would have to hit (RFC 5452).
      const sent = Buffer.from(query);
      sent.writeUInt16BE(randomInt(0x1_0000), 0);
      if (signal.aborted) return undefined;
      const answer = await ask(sent, host, Number(port), AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]));
      if (answer === undefined) continue;
      const own = Buffer.from(answer);
      own.writeUInt16BE(query.readUInt16BE(0), 0);
      return own;
    }
  }
  return undefined;
}

function askByDatagram(query: Buffer, host: string, port: number, signal: AbortSignal): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const settle = (answer?: Buffer): void => {
      signal.removeEventListener('abort', giveUp);
      socket.removeAllListeners().on('error', () => undefined).close();
      resolve(answer);
    };
    const giveUp = (): void => settle();
    signal.addEventListener('abort', giveUp);
    socket.once('error', giveUp); // a server that can't be reached is one that does not answer
    socket.on('message', (message) => {
      if (answers(message, query)) settle(message);
    });
    // Connected, the kernel passes on nothing from anybody else, and tells when nobody listens there.
    socket.once('connect', () => socket.send(query)).connect(port, host);
  });
}

async function askByStream(query: Buffer, host: string, port: number, signal: AbortSignal): Promise<Buffer | undefined> {
  const socket = connect({ host, port, signal });
  try {
    socket.write(frameOf(query));
    for await (const message of readFrames(socket as AsyncIterable<Buffer>)) if (answers(message, query)) return message;
  } catch {
    // One that can't be reached is one that does not answer.
  } finally {
    socket.destroy();
  }
  return undefined;
}

/** An answer, to that very question. */
function answers(message: Buffer, query: Buffer): boolean {
  if (message.length < HEADER || message.readUInt16BE(0) !== query.readUInt16BE(0) || (message.readUInt16BE(2) & 0x8000) === 0) return false;
  const end = questionEnd(query);
  // Servers that know little of the query may leave the question out of a refusal.
  if (message.readUInt16BE(4) === 0) return (message.readUInt16BE(2) & 0xf) !== 0;
  return message.subarray(HEADER, end).equals(query.subarray(HEADER, end));
}

/** Where the first question of a message that was read already ends. A question's name is never a pointer. */
function questionEnd(message: Buffer): number {
  let at = HEADER;
  for (let length = message[at] ?? 0; length !== 0; length = message[at] ?? 0) at += length + 1;
  return at + 5;
}
