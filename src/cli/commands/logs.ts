import type { Client } from '../client.ts';
import { parseSince } from '../since.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { MooringError } from '../../lib/errors.ts';
import { DockerClient, pathFor } from '../docker/docker-client.ts';
import { queryOf } from '../docker/filters.ts';
import { streamFrames } from '../docker/stream-frames.ts';
import { findContainer, pathOfContainer } from '../find-container.ts';

export interface LogsOptions {
  readonly namespace: string;
  readonly follow?: boolean;
  readonly tail?: string;
  readonly since?: string;
  readonly until?: string;
  readonly timestamps?: boolean;
}

/** `mooring logs NAME`: what the container wrote, in the order it came, its standard error to that of this command. */
export async function logs(client: Client, io: Io, word: string, options: LogsOptions): Promise<number> {
  const query = new URLSearchParams();
  if (options.follow) query.set('follow', '1');
  if (options.timestamps) query.set('timestamps', '1');
  if (options.tail !== undefined && options.tail !== 'all') {
    if (!/^\d+$/.test(options.tail)) throw new MooringError('Invalid', `--tail "${options.tail}" is no count of lines`);
    query.set('tail', options.tail);
  }
  if (options.since !== undefined) query.set('since', new Date(parseSince(options.since, io.now())).toISOString());
  if (options.until !== undefined) return logsUntil(client, io, word, options, parseSince(options.until, io.now(), '--until'));
  query.set('frames', '1');
  return write(io, client.bytes(`${await pathOfContainer(client, word, options.namespace)}/logs?${query.toString()}`));
}

/** By way of the Docker Engine API, which knows of an end. */
async function logsUntil(client: Client, io: Io, word: string, { namespace, follow, tail, since, timestamps }: LogsOptions, until: number): Promise<number> {
  const { status, spec } = await findContainer(client, word, namespace);
  const id = status.containerID;
  if (id === undefined) return EXIT.ok; // it never was
  const query = queryOf({ stdout: true, stderr: true, follow, timestamps, tail, since: since === undefined ? undefined : seconds(parseSince(since, io.now())), until: seconds(until) });
  const { body } = await new DockerClient(client.socket).open({ method: 'GET', path: `${pathFor('containers', id, 'logs')}${query}` });
  if (!spec.tty) return write(io, body);
  await io.outBytes(body);
  return EXIT.ok;
}

/** Each stream to its own, characters whole. */
async function write(io: Io, frames: AsyncIterable<Buffer>): Promise<number> {
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  for await (const { stream, bytes } of streamFrames(frames)) {
    const text = decoders[stream].decode(bytes, { stream: true });
    if (stream === 'stdout') io.out(text);
    else io.err(text);
  }
  return EXIT.ok;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}
