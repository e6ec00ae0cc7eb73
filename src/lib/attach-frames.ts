/**
 * What goes over an attach socket, the monitor's or the API's after its upgrade: frames of one byte kind, three bytes length (big-endian) and a payload.
 * native/monitor/attach_frames.h is the other side, and says what each means.
 */

const KIND = { welcome: 1, stdout: 2, stderr: 3, ended: 4, dropped: 5, stdin: 16, stdinEnd: 17, resize: 18 } as const;
const HEAD = 4;
const MAX_PAYLOAD = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/** The protocol's name in `Upgrade:`. */
export const ATTACH_PROTOCOL = 'mooring-attach';

/** What a monitor says. `welcome` comes first; `ended` or `dropped` last. */
export type AttachFrame =
  | { readonly kind: 'welcome'; readonly terminal: boolean; /** Standard input is open, and may be written. */ readonly stdin: boolean }
  | { readonly kind: 'stdout' | 'stderr'; readonly bytes: Buffer }
  | { readonly kind: 'ended'; readonly exitCode: number }
  | { readonly kind: 'dropped' };

/** Standard input, in as many frames as it takes; without bytes it says that the client means to write. */
export function stdinFrames(bytes: Buffer): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += MAX_PAYLOAD) frames.push(frame(KIND.stdin, bytes.subarray(at, at + MAX_PAYLOAD)));
  return Buffer.concat(frames);
}

export function stdinEndFrame(): Buffer {
  return frame(KIND.stdinEnd, NOTHING);
}

export function resizeFrame(rows: number, columns: number): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt16BE(rows, 0);
  size.writeUInt16BE(columns, 2);
  return frame(KIND.resize, size);
}

/** The frames in a stream of bytes, as they become whole. Throws for what is none; ends with the stream, be it in the middle of a frame. */
export async function* readFrames(stream: AsyncIterable<Buffer>): AsyncGenerator<AttachFrame, void, void> {
  let bytes: Buffer = NOTHING;
  for await (const chunk of stream) {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    let at = 0;
    while (bytes.length - at >= HEAD) {
      const end = at + HEAD + bytes.readUIntBE(at + 1, 3);
      if (end - at > HEAD + MAX_PAYLOAD) throw new Error('a frame of an attached stream is too long');
      if (end > bytes.length) break;
      yield parse(bytes.readUInt8(at), bytes.subarray(at + HEAD, end));
      at = end;
    }
    bytes = bytes.subarray(at);
  }
}

function parse(kind: number, payload: Buffer): AttachFrame {
  switch (kind) {
    case KIND.welcome: {
      const flags = payload.readUInt8(0);
      return { kind: 'welcome', terminal: (flags & 1) !== 0, stdin: (flags & 2) !== 0 };
    }
    case KIND.stdout:
      return { kind: 'stdout', bytes: payload };
    case KIND.stderr:
      return { kind: 'stderr', bytes: payload };
    case KIND.ended:
      return { kind: 'ended', exitCode: payload.readUInt8(0) };
    case KIND.dropped:
      return { kind: 'dropped' };
    default:
      throw new Error(`a frame of an attached stream is of unknown kind ${kind}`);
  }
}

function frame(kind: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt8(kind, 0);
  head.writeUIntBE(payload.length, 1, 3);
  return Buffer.concat([head, payload]);
}
