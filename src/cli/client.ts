import type { Socket } from 'node:net';
import { ATTACH_PROTOCOL } from '../lib/attach-frames.ts';
import type { ErrorBody, FilesBody } from '../api/v1/types.ts';
import { FILES_CONTENT_TYPE } from '../api/v1/types.ts';
import { DEFAULTS, socketPath } from '../api/v1/defaults.ts';
import { errnoOf, MooringError } from '../lib/errors.ts';
import { upgrade } from './http/upgrade.ts';
import { ConnectError, request, type Request, type Response } from './http/request.ts';

const MAX_REPLY_BYTES = 256 * 1024 * 1024;

/** Several documents that the daemon did not accept, each with its place. */
export class RejectedDocuments extends MooringError {
  readonly problems: readonly { readonly at: string; readonly field: string; readonly message: string; readonly fix?: string }[];

  constructor(error: ErrorBody['error']) {
    super(error.code, error.message, details(error));
    this.problems = error.problems ?? [];
  }
}

/** The socket's path from `--host`, `MOORING_HOST` or the default. Throws `Invalid` for any scheme but unix. */
export function socketOf(host: string | undefined): string {
  const given = host ?? process.env['MOORING_HOST'];
  if (given === undefined || given === '') return socketPath(DEFAULTS.runDir);
  if (given.startsWith('unix://') && given.length > 'unix://'.length) return given.slice('unix://'.length);
  if (given.startsWith('/')) return given;
  throw new MooringError('Invalid', `can't use host "${given}"`, { fix: 'give a unix socket, such as unix:///run/mooring/mooring.sock' });
}

/** Speaks to one daemon. Failures are `ConnectError` when nobody answers, else the daemon's own error as a MooringError. */
export class Client {
  readonly socket: string;

  constructor(socket: string) {
    this.socket = socket;
  }

  async get<T>(path: string, signal?: AbortSignal, headers: Readonly<Record<string, string>> = {}): Promise<T> {
    return this.#json<T>({ method: 'GET', path, headers, ...(signal && { signal }) });
  }

  /** Sends bytes as they come. */
  async upload<T>(path: string, content: AsyncIterable<Buffer>): Promise<T> {
    return this.#json<T>({ method: 'POST', path, body: { type: 'application/x-tar', content } });
  }

  /** A POST that says all in its path. */
  async call<T>(path: string, headers: Readonly<Record<string, string>> = {}): Promise<T> {
    return this.#json<T>({ method: 'POST', path, headers });
  }

  /** A request with a value as its body, in JSON. */
  async send<T>(path: string, value: unknown): Promise<T> {
    return this.#json<T>({ method: 'POST', path, body: { type: 'application/json', content: Buffer.from(JSON.stringify(value)) } });
  }

  /** The connection itself, from here on in the frames of an attached stream. */
  async attach(path: string): Promise<Socket> {
    const answer = await reached(this.socket, () => upgrade(this.socket, path, ATTACH_PROTOCOL));
    if ('status' in answer) throw errorOf(await textOf(answer), answer.status);
    return answer;
  }

  async delete<T>(path: string): Promise<T> {
    return this.#json<T>({ method: 'DELETE', path });
  }

  async post<T>(path: string, files: FilesBody): Promise<T> {
    return this.#json<T>({ method: 'POST', path, body: { type: FILES_CONTENT_TYPE, content: Buffer.from(JSON.stringify(files)) } });
  }

  /** A reply's bytes as they come. */
  async *bytes(path: string, signal?: AbortSignal): AsyncGenerator<Buffer, void, void> {
    yield* (await this.#send({ method: 'GET', path, ...(signal && { signal }) })).body;
  }

  /** A reply of one JSON value a line, as the lines come. */
  async *lines<T>(method: 'GET' | 'POST', path: string, signal?: AbortSignal, headers: Readonly<Record<string, string>> = {}, body?: Request['body']): AsyncGenerator<T, void, void> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of (await this.#send({ method, path, headers, ...(signal && { signal }), ...(body && { body }) })).body) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') yield JSON.parse(line) as T;
    }
    if (rest !== '') throw new MooringError('Unavailable', `the daemon's reply to ${path} ended in the middle of a line`);
  }

  async #json<T>(send: Request): Promise<T> {
    return JSON.parse(await textOf(await this.#send(send))) as T;
  }

  async #send(send: Request): Promise<Response> {
    const response = await reached(this.socket, () => request(this.socket, send));
    if (response.status < 400) return response;
    throw errorOf(await textOf(response), response.status);
  }
}

/** What an exchange gives; a failure to reach the daemon says what to do about it. */
export async function reached<T>(socket: string, exchange: () => Promise<T>): Promise<T> {
  try {
    return await exchange();
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    if (errnoOf(error.cause) === 'EACCES') throw new MooringError('Unavailable', `this user may not use ${socket}`, { fix: 'run the command as root, whose daemon it is' });
    throw new ConnectError(`no daemon answers on ${socket} (${error.message}); start one with "mooring daemon", or name its socket with --host`);
  }
}

/** A whole reply, of at most 256 MiB. */
export async function textOf(response: Response): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > MAX_REPLY_BYTES) throw new MooringError('Internal', 'the daemon sent a reply of more than 256 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function errorOf(text: string, status: number): MooringError {
  const body = parseErrorBody(text);
  if (body === undefined) return new MooringError('Internal', `the daemon answered with status ${status} and no error of ours: ${text.slice(0, 200)}`);
  return body.problems === undefined ? new MooringError(body.code, body.message, details(body)) : new RejectedDocuments(body);
}

function parseErrorBody(text: string): ErrorBody['error'] | undefined {
  try {
    const body = JSON.parse(text) as Partial<ErrorBody> | null;
    return body?.error;
  } catch {
    return undefined; // not JSON at all: the caller shows the text
  }
}

function details({ at, fix }: ErrorBody['error']): { at?: string; fix?: string } {
  return { ...(at !== undefined && { at }), ...(fix !== undefined && { fix }) };
}
