import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type AttachFrame, readFrames, resizeFrame, stdinEndFrame, stdinFrames } from '../lib/attach-frames.ts';
import { MooringError } from '../lib/errors.ts';
import type { DetachKeys } from '../lib/detach-keys.ts';
import { RawTerminal } from './terminal.ts';

export interface SessionOptions {
  /** Pass standard input on. */
  readonly stdin: boolean;
  readonly detachKeys: DetachKeys;
  /** Takes the signals that come to this process, where the other has no terminal of whose keys it would get them. */
  readonly passSignal?: (signal: string) => void;
}

/** Those by which people and programs tell a process something. */
const PASSED = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const;

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
        if (frame.terminal) followSize(socket, resources);
        else if (passSignal) takeSignals(passSignal, resources);
        if (stdin && frame.stdin) passStdin(socket, frame.terminal, detachKeys, detach, resources);
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

function takeSignals(pass: (signal: string) => void, resources: DisposableStack): void {
  for (const signal of PASSED) {
    process.on(signal, pass);
    resources.defer(() => process.off(signal, pass));
  }
}

function followSize(socket: Socket, resources: DisposableStack): void {
  const { stdout } = process;
  if (!stdout.isTTY) return;
  const tell = (): void => void socket.write(resizeFrame(stdout.rows, stdout.columns));
  tell();
  stdout.on('resize', tell);
  resources.defer(() => stdout.off('resize', tell));
}

function passStdin(socket: Socket, terminal: boolean, detachKeys: DetachKeys, detach: () => void, resources: DisposableStack): void {
  const { stdin } = process;
  const raw = terminal && stdin.isTTY;
  if (raw) resources.use(new RawTerminal(stdin));
  socket.write(stdinFrames(Buffer.alloc(0)));
  const onData = (typed: Buffer): void => {
    const { bytes, found } = raw ? detachKeys.take(typed) : { bytes: typed, found: false };
    if (bytes.length > 0 && !socket.write(stdinFrames(bytes))) {
      stdin.pause();
      socket.once('drain', () => stdin.resume());
    }
    if (found) detach();
  };
  const onEnd = (): void => void socket.write(stdinEndFrame());
  stdin.on('data', onData).on('end', onEnd);
  resources.defer(() => {
    stdin.off('data', onData).off('end', onEnd);
    stdin.destroy(); // or the process would wait for more
  });
}
