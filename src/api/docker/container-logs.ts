import { once } from 'node:events';
import type { LogOptions } from '../../engine/engine.ts';
import { LogBytes } from '../log-bytes.ts';
import type { ApiServices } from '../v1/services.ts';
import { type DockerCall, param } from './call.ts';
import { findContainer, type FoundContainer } from './container-lookup.ts';
import { DockerError } from './error-reply.ts';
import { RAW_STREAM } from './hijack.ts';
import type { Query } from './query.ts';

/** Since when an API of multiplexed streams says so. */
const MULTIPLEXED_SINCE = 42;
/** A timer of Node takes no more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const MULTIPLEXED_STREAM = 'application/vnd.docker.multiplexed-stream';

export interface LogWishes {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly timestamps: boolean;
  /** As in `LogOptions`. */
  readonly follow: boolean;
  readonly tail?: number;
  /** RFC 3339 with nanoseconds, both ends counted in. */
  readonly since?: string;
  readonly until?: string;
}

/** `GET /containers/{id}/logs`. */
export async function logs(call: DockerCall, services: ApiServices): Promise<void> {
  const found = findContainer(services, param(call, 'id'));
  const wishes = logWishes(call.query);
  const { response, signal } = call;
  const raw = found.view.container.spec.tty;
  response.writeHead(200, { 'content-type': call.version >= MULTIPLEXED_SINCE && !raw ? MULTIPLEXED_STREAM : RAW_STREAM });
  response.flushHeaders();
  try {
    for await (const bytes of logBytes(services, found, wishes, signal)) {
      if (!response.write(bytes)) await once(response, 'drain', { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  response.end();
}

/** Throws 400. */
export function logWishes(query: Query): LogWishes {
  const [stdout, stderr] = [query.flag('stdout'), query.flag('stderr')];
  if (!stdout && !stderr) throw new DockerError(400, 'Bad parameters: you must choose at least one stream');
  const tail = query.text('tail');
  const [since, until] = [instantOf(query.text('since')), instantOf(query.text('until'))];
  return {
    stdout,
    stderr,
    timestamps: query.flag('timestamps'),
    follow: query.flag('follow'),
    // What is no number is everything, as for the engine.
    ...(tail !== undefined && /^\d{1,15}$/.test(tail) && { tail: Number(tail) }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  };
}

/** `1700000000`, `1700000000.000000001` or RFC 3339, as RFC 3339 with nanoseconds; undefined for 0, which stands for none. */
export function instantOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{1,12})(?:\.(\d{1,9}))?$/.exec(text);
  const milliseconds = match ? Number(match[1]) * 1000 : Date.parse(text);
  if (Number.isNaN(milliseconds) || milliseconds > 8.64e15) throw new DockerError(400, `invalid value for a time: ${JSON.stringify(text)}`);
  const fraction = match ? (match[2] ?? '') : (/\.(\d{1,9})/.exec(text)?.[1] ?? '');
  if (milliseconds === 0 && Number(fraction) === 0) return undefined;
  return `${new Date(milliseconds).toISOString().slice(0, 19)}.${fraction.padEnd(9, '0')}Z`;
}

/** The lines as the client is sent them: in frames, but of a terminal as they are. Follows until the container is not there any more, or ends for good. */
export async function* logBytes(services: ApiServices, { id, view }: FoundContainer, wishes: LogWishes, signal: AbortSignal): AsyncGenerator<Buffer, void, void> {
  const { stdout, stderr, timestamps, since, tail } = wishes;
  // Without following, what is there now: a container that goes on writing has no end to wait for.
  const until = wishes.until ?? (wishes.follow ? undefined : new Date().toISOString().replace('Z', '999999Z'));
  if (tail === 0 && !wishes.follow) return;
  const over = new AbortController();
  const options: LogOptions = { follow: wishes.follow, over: over.signal, signal, ...(tail !== undefined && { tail }), ...(since !== undefined && { since: Date.parse(since) }) };
  using _ = wishes.follow ? endAfter(services, { id, view }, until, over) : undefined;
  const bytes = new LogBytes({ framed: !view.container.spec.tty, timestamps });
  for await (const lines of services.logs(id, options)) {
    const end = until === undefined ? -1 : lines.findIndex(({ time }) => time > until);
    const inTime = end < 0 ? lines : lines.slice(0, end);
    const wanted = inTime.filter(({ time, stream }) => (since === undefined || time >= since) && (stream === 'stdout' ? stdout : stderr));
    if (wanted.length > 0) yield bytes.of(wanted);
    if (end >= 0) return;
  }
}

/** A log is followed to the end of the run, as the engine does it, and no further than `until`. */
function endAfter({ reconciler }: Pick<ApiServices, 'reconciler'>, { id, view }: FoundContainer, until: string | undefined, over: AbortController): Disposable {
  const end = (): void => over.abort();
  const unsubscribe = reconciler.onExit((run) => run.id === id && end());
  const timer = until === undefined ? undefined : setTimeout(end, Math.min(Math.max(0, Date.parse(until) - Date.now()), LONGEST_TIMER_MS));
  if (reconciler.view(view.name)?.status.pid === undefined) end();
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      unsubscribe();
    },
  };
}
