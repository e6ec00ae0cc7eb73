export interface StreamFrame {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
}

const HEADER_BYTES = 8;

/** Takes apart what a container without a terminal writes: `[1 = stdout | 2 = stderr][0 0 0][length, big-endian][bytes]`, again and again. Throws where that ends within a frame. */
export async function* streamFrames(source: AsyncIterable<Buffer>): AsyncGenerator<StreamFrame, void, void> {
  let buffered: Buffer = Buffer.alloc(0);
  /** Of the present frame, still to come. */
  let left = 0;
  let stream: StreamFrame['stream'] = 'stdout';
  for await (const chunk of source) {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
    for (;;) {
      if (left === 0) {
        if (buffered.length < HEADER_BYTES) break;
        stream = buffered[0] === 2 ? 'stderr' : 'stdout';
        left = buffered.readUInt32BE(4);
        buffered = buffered.subarray(HEADER_BYTES);
      }
      if (buffered.length === 0) break;
      // A long frame is passed on as it comes.
      const bytes = buffered.subarray(0, left);
      buffered = buffered.subarray(bytes.length);
      left -= bytes.length;
      if (bytes.length > 0) yield { stream, bytes };
    }
  }
  if (left > 0 || buffered.length > 0) throw new Error('the connection ended in the middle of what the container wrote');
}
