import type { Socket } from 'node:net';
import { type ErrorCode, MooringError } from '../../lib/errors.ts';
import { reached, textOf } from '../client.ts';
import { request, type Request, type Response } from '../http/request.ts';
import { upgrade } from '../http/upgrade.ts';

const CODES: Readonly<Record<number, ErrorCode>> = { 400: 'Invalid', 404: 'NotFound', 409: 'Conflict', 501: 'Unsupported', 503: 'Unavailable' };

/** A failure of the Docker Engine API, in its own words. */
export class DockerApiError extends MooringError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(CODES[status] ?? 'Internal', message);
    this.status = status;
  }
}

/** Speaks the Docker Engine API, without a version, on a daemon's socket. Failures are `ConnectError` when nobody answers, else `DockerApiError`. */
export class DockerClient {
  readonly socket: string;

  constructor(socket: string) {
    this.socket = socket;
  }

  async get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return JSON.parse(await textOf(await this.open({ method: 'GET', path, ...(signal && { signal }) }))) as T;
  }

  /** Undefined where the answer has no body. */
  async post<T>(path: string, value?: unknown): Promise<T | undefined> {
    const body = value === undefined ? {} : { body: { type: 'application/json', content: Buffer.from(JSON.stringify(value)) } };
    const text = await textOf(await this.open({ method: 'POST', path, ...body }));
    return text.trim() === '' ? undefined : (JSON.parse(text) as T);
  }

  /** Undefined where the answer has no body. */
  async delete<T>(path: string): Promise<T | undefined> {
    const text = await textOf(await this.open({ method: 'DELETE', path }));
    return text.trim() === '' ? undefined : (JSON.parse(text) as T);
  }

  /** A reply of JSON values with line ends between them, as they come. */
  async *objects<T>(send: Request): AsyncGenerator<T, void, void> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of (await this.open(send)).body) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as T;
    }
    if (rest.trim() !== '') yield JSON.parse(rest) as T;
  }

  /** The reply once its head is there. */
  async open(send: Request): Promise<Response> {
    const response = await reached(this.socket, () => request(this.socket, send));
    if (response.status < 400) return response;
    throw await apiError(response);
  }

  /** The connection itself, from here on a stream of the container's. */
  async hijack(path: string): Promise<Socket> {
    const answer = await reached(this.socket, () => upgrade(this.socket, path, 'tcp'));
    if ('status' in answer) throw await apiError(answer);
    return answer;
  }
}

/** `/containers/web/start`, the name as one part of the path. */
export function pathFor(collection: string, name: string, verb = '', query: Readonly<Record<string, string>> = {}): string {
  const asked = new URLSearchParams(query).toString();
  return `/${collection}/${encodeURIComponent(name)}${verb === '' ? '' : `/${verb}`}${asked === '' ? '' : `?${asked}`}`;
}

async function apiError(response: Response): Promise<DockerApiError> {
  const text = await textOf(response);
  return new DockerApiError(response.status, messageIn(text) ?? `the daemon answered with status ${response.status}: ${text.slice(0, 200)}`);
}

/** `{"message": "…"}`; what is no Docker API at the other end may say anything. */
function messageIn(text: string): string | undefined {
  try {
    const { message, error } = JSON.parse(text) as { message?: unknown; error?: { message?: unknown } };
    const found = message ?? error?.message;
    return typeof found === 'string' ? found : undefined;
  } catch {
    return undefined;
  }
}
