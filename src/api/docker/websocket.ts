import { createHash } from 'node:crypto';
import { PassThrough, type Readable, Writable } from 'node:stream';
import type { DockerCall } from './call.ts';
import { DockerError } from './error-reply.ts';
import { takeConnection } from './hijack.ts';

/** RFC 6455, 1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const FIN = 0x80;
const MASKED = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
/** Of one message's part. Those who type need no more, and a client can't have more kept here. */
const MAX_PAYLOAD = 1024 * 1024;
const NORMAL_CLOSURE = 1000;

interface WebSocketFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Answers a WebSocket's handshake. `input` is what the client's messages hold, whole or in parts; each write to `output` is a binary message. Throws 400. */
export function acceptWebSocket(call: DockerCall): { readonly input: Readable; readonly output: Writable } {
  const { upgrade = '', 'sec-websocket-key': key, 'sec-websocket-version': version } = call.request.headers;
  if (!call.isUpgraded || upgrade.toLowerCase() !== 'websocket' || key === undefined) throw new DockerError(400, 'not a websocket request');
  if (version !== '13') throw new DockerError(400, `websocket version ${version ?? 'of no number'} is not supported, 13 is`);
  const socket = takeConnection(call);
  const accept = createHash('sha1').update(`${key}${ACCEPT_SUFFIX}`).digest('base64');
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  const input = new PassThrough();
  const output = new Writable({
    write: (bytes: Buffer, _, done) => void socket.write(encodeFrame(OPCODE.binary, bytes), done),
    final: (done) => {
      const code = Buffer.alloc(2);
      code.writeUInt16BE(NORMAL_CLOSURE);
      socket.end(encodeFrame(OPCODE.close, code), done);
    },
    destroy: (error, done) => {
      socket.destroySoon();
      done(error);
    },
  });
  output.on('error', () => {}); // a client that went; 'close' follows
  const parser = new FrameParser();
  socket.on('data', (bytes: Buffer) => {
    try {
      for (const { opcode, payload } of parser.take(bytes)) {
        if (opcode === OPCODE.ping) socket.write(encodeFrame(OPCODE.pong, payload));
        else if (opcode === OPCODE.close) input.end();
        else if (opcode !== OPCODE.pong && !input.write(payload)) {
          socket.pause();
          input.once('drain', () => socket.resume());
        }
      }
    } catch {
      socket.destroy(); // what it sends is no WebSocket's
    }
  });
  socket.resume();
  socket.once('end', () => input.end());
  socket.once('close', () => {
    input.end();
    output.destroy();
  });
  return { input, output };
}

export function encodeFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < LENGTH_16 ? 2 : length < 2 ** 16 ? 4 : 10);
  head.writeUInt8(FIN | opcode, 0);
  if (length < LENGTH_16) head.writeUInt8(length, 1);
  else if (length < 2 ** 16) {
    head.writeUInt8(LENGTH_16, 1);
    head.writeUInt16BE(length, 2);
  } else {
    head.writeUInt8(LENGTH_64, 1);
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

/** Takes a client's bytes apart, however they are cut. */
export class FrameParser {
  #bytes: Buffer = Buffer.alloc(0);

  /** The frames that are whole now. Throws for what a client may not send: without a mask, or too long. */
  *take(bytes: Buffer): Generator<WebSocketFrame, void, void> {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) yield frame;
  }

  #next(): WebSocketFrame | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 2) return undefined;
    const short = bytes.readUInt8(1) & 0x7f;
    const head = short === LENGTH_16 ? 4 : short === LENGTH_64 ? 10 : 2;
    if (bytes.length < head) return undefined;
    if ((bytes.readUInt8(1) & MASKED) === 0) throw new Error('a frame of a client has no mask');
    const length = short === LENGTH_16 ? bytes.readUInt16BE(2) : short === LENGTH_64 ? Number(bytes.readBigUInt64BE(2)) : short;
    if (length > MAX_PAYLOAD) throw new Error('a frame of a client is too long');
    const end = head + 4 + length;
    if (bytes.length < end) return undefined;
    const mask = bytes.subarray(head, head + 4);
    const payload = Buffer.from(bytes.subarray(head + 4, end));
    for (let index = 0; index < length; index++) payload.writeUInt8(payload.readUInt8(index) ^ mask.readUInt8(index % 4), index);
    this.#bytes = bytes.subarray(end);
    return { opcode: bytes.readUInt8(0) & 0x0f, payload };
  }
}
