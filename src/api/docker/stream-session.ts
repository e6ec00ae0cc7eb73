import { once } from 'node:events';
import type { Duplex, Readable, Writable } from 'node:stream';
import { type AttachFrame, readFrames, stdinEndFrame, stdinFrames } from '../../lib/attach-frames.ts';
import { DetachKeys } from '../../lib/detach-keys.ts';
import { DockerError } from './error-reply.ts';
import { frame } from '../stdcopy.ts';

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

/** The keys of a request; those that everybody has where it names none. Throws 400. */
export function detachKeysOf(text: string | undefined): DetachKeys {
  try {
    return new DetachKeys(text ?? DEFAULT_DETACH_KEYS);
  } catch {
    throw new DockerError(400, `Invalid detach keys (${text}) provided`);
  }
}

const DROPPED = Buffer.from('\n[mooring: the container wrote faster than it was read here, so this was detached; its log has the rest]\n');

export interface SessionWishes {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Without frames around what the process writes. */
  readonly raw: boolean;
  readonly detachKeys: DetachKeys;
}

/** How a session came to its end: the process's exit code, the client's leaving by the keys, or of the connection to the process. */
export type SessionEnd = { readonly exitCode: number } | 'detached' | 'gone';

/**
 * Joins a client to a process's streams. The end of what the client sends is the end of its standard input, and of nothing else. What the process writes is written
 * no faster than the client takes it. Leaves `output` open.
 */
export async function runStreamSession(process: Duplex, { input, output }: { readonly input: Readable; readonly output: Writable }, wishes: SessionWishes): Promise<SessionEnd> {
  using leaving = new DisposableStack();
  leaving.defer(() => process.destroy());
  let detached = false;
  const part = (): void => void process.destroy();
  process.on('error', part); // a hang-up of the process's monitor; the reading ends by it
  output.once('close', part);
  leaving.defer(() => output.off('close', part));
  const detach = (): void => {
    detached = true;
    part();
  };
  try {
    for await (const each of readFrames(process as AsyncIterable<Buffer>)) {
      if (each.kind === 'ended') return { exitCode: each.exitCode };
      if (each.kind === 'dropped') {
        if (wishes.stderr) await send(output, wishes.raw ? DROPPED : frame('stderr', DROPPED));
        return 'gone';
      }
      if (each.kind === 'welcome') passInput(process, input, wishes, each, detach, leaving);
      else if (wishes[each.kind]) await send(output, wishes.raw ? each.bytes : frame(each.kind, each.bytes));
    }
  } catch (error) {
    if (!process.destroyed) throw error;
  }
  return detached ? 'detached' : 'gone';
}

function passInput(process: Duplex, input: Readable, { stdin, detachKeys }: SessionWishes, { terminal, stdin: isOpen }: Extract<AttachFrame, { kind: 'welcome' }>, detach: () => void, leaving: DisposableStack): void {
  // What nobody takes is read away, or its end would never be seen.
  if (!stdin || !isOpen) return void input.resume();
  process.write(stdinFrames(Buffer.alloc(0)));
  const onData = (bytes: Buffer): void => {
    const taken = terminal ? detachKeys.take(bytes) : { bytes, found: false };
    if (taken.bytes.length > 0 && !process.write(stdinFrames(taken.bytes))) {
      input.pause();
      process.once('drain', () => input.resume());
    }
    if (taken.found) detach();
  };
  const onEnd = (): void => void process.write(stdinEndFrame());
  input.on('data', onData);
  input.once('end', onEnd);
  input.resume(); // it was paused until somebody takes it
  leaving.defer(() => input.off('data', onData).off('end', onEnd));
}

/** Settles once the client has room for more, or is gone. */
export async function send(output: Writable, bytes: Buffer): Promise<void> {
  if (output.destroyed || output.write(bytes) || output.destroyed) return;
  const gone = new AbortController();
  const onClose = (): void => gone.abort();
  output.once('close', onClose);
  try {
    await once(output, 'drain', { signal: gone.signal });
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  } finally {
    output.off('close', onClose);
  }
}
