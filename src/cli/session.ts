import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type AttachFrame, readFrames, resizeFrame, stdinEndFrame, stdinFrames } from '../lib/attach-frames.ts';
import { MooringError } from '../lib/errors.ts';
import type { DetachKeys } from '../lib/detach-keys.ts';
import { followSize, passStdin, takeSignals } from './local-streams.ts';

export interface SessionOptions {
  /** Pass standard input on. */
  readonly stdin: boolean;
  readonly detachKeys: DetachKeys;
  /** Takes the signals that come to this process, where the other has no terminal of whose keys it would get them. */
  readonly passSignal?: (signal: string) => void;
}

export type SessionEnd = { readonly exitCode: number } | 'detached';

/** Joins this process's streams and terminal to those of an attached one, until that ends or the detach keys are typed. */
export async function runSession(socket: Socket, { stdin, detachKeys, passSignal }: SessionOptions): Promise<SessionEnd> {
  using resources = new DisposableStack();
  resources.defer(() => socket.destroy());
  let detached = false;
  const detach = (): void => {
    detached = true;
    socket.destroy();
  };
  let last: AttachFrame | undefined;
  try {
    for await (const frame of readFrames(socket as AsyncIterable<Buffer>)) {
      last = frame;
      if (frame.kind === 'welcome') {
        if (frame.terminal) followSize((rows, columns) => void socket.write(resizeFrame(rows, columns)), resources);
        else if (passSignal) takeSignals(passSignal, resources);
        if (stdin && frame.stdin) {
          socket.write(stdinFrames(Buffer.alloc(0)));
          passStdin(socket, { terminal: frame.terminal, detachKeys, onDetach: detach, encode: stdinFrames, end: () => void socket.write(stdinEndFrame()) }, resources);
        }
      } else if (frame.kind === 'stdout' || frame.kind === 'stderr') {
        const stream = process[frame.kind];
        if (!stream.write(frame.bytes)) await once(stream, 'drain');
      }
    }
  } catch (error) {
    if (!detached && last?.kind !== 'ended') throw error;
  }
  if (detached) return 'detached';
  if (last?.kind === 'ended') return { exitCode: last.exitCode };
  if (last?.kind === 'dropped') throw new MooringError('Unavailable', 'the container wrote faster than it was read here, so this was detached', { fix: 'see what it wrote with "mooring logs"' });
  throw new MooringError('Unavailable', 'the connection ended; what was attached to may still run', { fix: 'attach again' });
}
