export const HEAD_BYTES = 8;
const STREAMS = { stdin: 0, stdout: 1, stderr: 2 } as const;

export type FramedStream = keyof typeof STREAMS;

/**
 * The head of a frame, written at `offset`: the stream's number, three zeros, the length of what follows (big-endian). So attach, exec and logs tell their streams
 * apart where there is no terminal (pkg/stdcopy of the engine).
 */
export function writeHead(target: Buffer, offset: number, stream: FramedStream, length: number): void {
  target.writeUInt32BE(STREAMS[stream] * 0x1000000, offset);
  target.writeUInt32BE(length, offset + 4);
}

/** A piece of a stream, framed. */
export function frame(stream: FramedStream, payload: Buffer): Buffer {
  const whole = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  writeHead(whole, 0, stream, payload.length);
  payload.copy(whole, HEAD_BYTES);
  return whole;
}
