const HEAD_BYTES = 8;
const STREAMS = { stdin: 0, stdout: 1, stderr: 2 } as const;

/**
 * A piece of a stream in the framing of attach, exec and logs where there is no terminal: the stream's number, three zeros, the length (big-endian), the piece
 * (pkg/stdcopy of the engine).
 */
export function frame(stream: keyof typeof STREAMS, payload: Buffer): Buffer {
  const whole = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  whole.writeUInt32BE(STREAMS[stream] * 0x1000000, 0);
  whole.writeUInt32BE(payload.length, 4);
  payload.copy(whole, HEAD_BYTES);
  return whole;
}
