export interface StreamFrame {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
}

const HEADER_BYTES = 8;

/**
 * Takes apart what a container without a terminal writes: `[1 = stdout | 2 = stderr][0 0 0][length, big-endian][bytes]`, again and again. What comes at once of one stream is one
 * piece, whatever its frames. Throws where the source ends within a frame.
 */
export async function* streamFrames(source: AsyncIterable<Buffer>): AsyncGenerator<StreamFrame, void, void> {
  let buffered: Buffer = Buffer.alloc(0);
  /** Of the present frame, still to come. */
  let left = 0;
  let stream: StreamFrame['stream'] = 'stdout';
  for await (const chunk of source) {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
    let at = 0;
    const pieces: { readonly stream: StreamFrame['stream']; readonly parts: Buffer[] }[] = [];
    for (;;) {
      if (left === 0) {
        if (buffered.length - at < HEADER_BYTES) break;
        stream = buffered[at] === 2 ? 'stderr' : 'stdout';
        left = buffered.readUInt32BE(at + 4);
        at += HEADER_BYTES;
      }
      const bytes = buffered.subarray(at, at + left);
      at += bytes.length;
      left -= bytes.length;
      const last = pieces.at(-1);
      if (last?.stream === stream) last.parts.push(bytes);
      else pieces.push({ stream, parts: [bytes] });
      if (left > 0) break;
    }
    buffered = buffered.subarray(at);
    for (const { stream: of, parts } of pieces) {
      const bytes = Buffer.concat(parts);
      if (bytes.length > 0) yield { stream: of, bytes };
    }
  }
  if (left > 0 || buffered.length > 0) throw new Error('the connection ended in the middle of what the container wrote');
}
