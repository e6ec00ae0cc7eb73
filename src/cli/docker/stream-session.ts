import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { DetachKeys } from '../../lib/detach-keys.ts';
import { passStdin } from '../local-streams.ts';
import { streamFrames, type StreamFrame } from './stream-frames.ts';

export interface StreamSessionOptions {
  /** The container has a terminal: its bytes come as they are. */
  readonly terminal: boolean;
  /** Pass standard input on. */
  readonly stdin: boolean;
  readonly detachKeys: DetachKeys;
}

/** Joins this process's streams to a container's (Docker's attach), until that closes them or the detach keys are typed. */
export async function runStreamSession(socket: Socket, { terminal, stdin, detachKeys }: StreamSessionOptions): Promise<'ended' | 'detached'> {
  using resources = new DisposableStack();
  resources.defer(() => socket.destroy());
  let detached = false;
  const onDetach = (): void => {
    detached = true;
    socket.destroy();
  };
  if (stdin) passStdin(socket, { terminal, detachKeys, onDetach, encode: (bytes) => bytes, end: () => void socket.end() }, resources);
  try {
    for await (const { stream, bytes } of terminal ? asOutput(socket as AsyncIterable<Buffer>) : streamFrames(socket as AsyncIterable<Buffer>)) {
      const to = process[stream];
      if (!to.write(bytes)) await once(to, 'drain');
    }
  } catch (error) {
    if (!detached) throw error;
  }
  return detached ? 'detached' : 'ended';
}

async function* asOutput(source: AsyncIterable<Buffer>): AsyncGenerator<StreamFrame, void, void> {
  for await (const bytes of source) yield { stream: 'stdout', bytes };
}
