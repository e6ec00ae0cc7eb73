import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { z } from 'zod';
import { messageOf } from '../../lib/errors.ts';
import { wholeBody } from '../request-body.ts';
import type { Exchange } from '../socket-server.ts';
import { DockerError } from './error-reply.ts';
import type { Query } from './query.ts';

/** One request of the Docker Engine API, as its handler sees it. What an upgraded request sent behind its head is still on its connection. */
export interface DockerCall extends Omit<Exchange, 'sentAlong'> {
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly query: Query;
  /** Minor number of the API version that was asked for. */
  readonly version: number;
  /** Whether the request goes over to another protocol, and Node has not read its body. */
  readonly isUpgraded: boolean;
}

/** Of a body that is read whole. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
const BODY_TIMEOUT_MS = 60_000;

/** A parameter of the path. */
export function param({ params }: Pick<DockerCall, 'params'>, name: string): string {
  const value = params[name];
  if (value === undefined || value === '') throw new DockerError(400, `the path lacks its ${name}`);
  return value;
}

/** The whole body. Throws 413 when it is too large, 408 when it takes too long. */
export async function readBody(call: Pick<DockerCall, 'request' | 'response' | 'isUpgraded' | 'signal'>): Promise<Buffer> {
  const timeout = AbortSignal.timeout(BODY_TIMEOUT_MS);
  let body: Buffer | undefined;
  try {
    body = await wholeBody(call.isUpgraded ? upgradedBody(call, timeout) : untilAborted(call.request, timeout), MAX_BODY_BYTES);
  } catch (error) {
    if (timeout.aborted) throw new DockerError(408, `the request's body did not come within ${BODY_TIMEOUT_MS / 1000} s`);
    throw error;
  }
  if (body === undefined) throw new DockerError(413, `the request's body is larger than ${MAX_BODY_BYTES} bytes`);
  return body;
}

/** The body, which must be JSON of that shape. None at all is an empty object. */
export async function readJson<Schema extends z.ZodType>(call: DockerCall, schema: Schema): Promise<z.output<Schema>> {
  const body = await readBody(call);
  if (body.length > 0) requireJsonType(call.request.headers['content-type']);
  const { success, data, error } = schema.safeParse(body.length === 0 ? {} : jsonOf(body));
  if (success) return data;
  const [issue] = error.issues;
  throw new DockerError(400, `invalid JSON: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? error.message}`);
}

function requireJsonType(type: string | undefined): void {
  if (type === undefined || type.split(';')[0]?.trim().toLowerCase() === 'application/json') return;
  throw new DockerError(400, `Content-Type specified (${type}) must be 'application/json'`);
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new DockerError(400, `invalid JSON: ${messageOf(error)}`);
  }
}

async function* untilAborted(body: AsyncIterable<Buffer> & { destroy(error?: Error): unknown }, signal: AbortSignal): AsyncGenerator<Buffer, void, void> {
  const stop = (): void => void body.destroy(new Error('the body took too long'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    yield* body;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Node leaves the body of an upgraded request on the connection: it is as long as its Content-Length says, and what follows is the other protocol's. */
async function* upgradedBody({ request, response, signal }: Pick<DockerCall, 'request' | 'response' | 'signal'>, timeout: AbortSignal): AsyncGenerator<Buffer, void, void> {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
  const { socket } = response;
  if (encoding !== undefined) throw new DockerError(400, 'a request that is upgraded gives the length of its body');
  let missing = Number(length);
  if (missing > MAX_BODY_BYTES) throw new DockerError(413, `the request's body is larger than ${MAX_BODY_BYTES} bytes`);
  while (missing > 0) {
    if (socket === null || socket.readableEnded || socket.destroyed) throw new DockerError(400, "the connection ended before the request's body did");
    const piece = readSome(socket, missing);
    if (piece === undefined) await once(socket, 'readable', { signal: AbortSignal.any([signal, timeout]) }); // at its end, too
    else {
      missing -= piece.length;
      yield piece;
    }
  }
}

function readSome(socket: Socket, most: number): Buffer | undefined {
  const available = Math.min(most, socket.readableLength);
  const piece = socket.read(available > 0 ? available : undefined) as Buffer | null;
  return piece ?? undefined;
}

/** A reply without a body. */
export function sendStatus({ response }: Pick<DockerCall, 'response'>, status: number): void {
  response.writeHead(status, status === 204 || status === 304 ? {} : { 'content-length': 0 });
  response.end();
}
