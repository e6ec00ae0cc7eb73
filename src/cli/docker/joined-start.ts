import { MooringError } from '../../lib/errors.ts';
import { textOf } from '../client.ts';
import type { DetachKeys } from '../../lib/detach-keys.ts';
import { followSize, takeSignals } from '../local-streams.ts';
import type { Stream } from '../run/create-request.ts';
import { type DockerClient, pathFor } from './docker-client.ts';
import { runStreamSession } from './stream-session.ts';

export const DETACH_KEYS = 'ctrl-p,ctrl-q';

export interface JoinOptions {
  readonly terminal: boolean;
  readonly streams: ReadonlySet<Stream>;
  /** It is removed once it has ended. */
  readonly autoRemove: boolean;
  /** Hand signals on where there is no terminal of whose keys the container would get them. */
  readonly passSignals: boolean;
  readonly detachKeys: DetachKeys;
}

interface WaitReply {
  readonly StatusCode: number;
  readonly Error?: { readonly Message?: string } | null;
}

/**
 * Starts a container joined to this process's streams and terminal, and settles with its exit status, or with `detached`. It is joined before it is started, and waited
 * for before, too: not a byte and no exit is missed.
 */
export async function startJoined(client: DockerClient, id: string, { terminal, streams, autoRemove, passSignals, detachKeys }: JoinOptions): Promise<number | 'detached'> {
  if (terminal && streams.has('stdin') && !process.stdin.isTTY) throw new MooringError('Invalid', 'standard input is no terminal, which --tty with --interactive joins to the container', { fix: 'leave --tty out' });
  const asked = Object.fromEntries([...streams].map((stream) => [stream, '1']));
  using resources = new DisposableStack();
  const socket = await client.hijack(pathFor('containers', id, 'attach', { stream: '1', ...asked }));
  resources.defer(() => socket.destroy());
  const waiting = await client.open({ method: 'POST', path: pathFor('containers', id, 'wait', { condition: autoRemove ? 'removed' : 'next-exit' }) });
  resources.defer(waiting.close);
  await client.post(pathFor('containers', id, 'start'));
  // One that has ended has no size, and nobody to signal.
  if (terminal) followSize((rows, columns) => void client.post(pathFor('containers', id, 'resize', { h: String(rows), w: String(columns) })).catch(() => undefined), resources);
  else if (passSignals) takeSignals((signal) => void client.post(pathFor('containers', id, 'kill', { signal })).catch(() => undefined), resources);
  const end = await runStreamSession(socket, { terminal, stdin: streams.has('stdin'), detachKeys });
  if (end === 'detached') return end;
  const { StatusCode, Error: failure } = JSON.parse(await textOf(waiting)) as WaitReply;
  if (failure?.Message !== undefined && failure.Message !== '') throw new MooringError('Unavailable', failure.Message);
  return StatusCode;
}

/** What a shell would exit with where a container can't be started for this reason (Docker's rule): 127 no such program, 126 it can't be run, 125 anything else. */
export function startFailure(message: string): number {
  if (/executable file not found|no such file or directory/.test(message)) return 127;
  return /permission denied|is a directory/.test(message) ? 126 : 125;
}
