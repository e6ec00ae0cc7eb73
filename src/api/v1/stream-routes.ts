import { MooringError, messageOf } from '../../lib/errors.ts';
import type { ExecRequest } from '../../engine/engine.ts';
import { canonicalSignal } from '../../spec/signal.ts';
import { ATTACH_PROTOCOL } from '../../lib/attach-frames.ts';
import { sendJson } from '../reply.ts';
import { readBody, type Call } from './call.ts';
import { hijack } from './hijack.ts';
import { viewOf, type Route } from './routes.ts';
import type { ApiServices } from './services.ts';
import type { ExecReply, SignalReply } from './types.ts';

/** Resources that a process's standard streams go through: frames of `lib/attach-frames.ts`, on the connection of a request that asks for them. */
export const streamRoutes: readonly Route[] = [
  { method: 'POST', path: '/v1/containers/:namespace/:name/attach', handle: attach },
  { method: 'POST', path: '/v1/containers/:namespace/:name/signal', handle: signal },
  { method: 'POST', path: '/v1/containers/:namespace/:name/exec', handle: exec },
  { method: 'POST', path: '/v1/containers/:namespace/:name/exec/:exec/attach', handle: attachExec },
];

async function attach(call: Call, services: ApiServices): Promise<void> {
  const sentAlong = wanted(call);
  hijack(call.response, sentAlong, await services.streams.attach(idOf(call, services)), call.closing);
}

/** Sends a signal to the container's first process. What comes of it is the reconciler's to judge, as of any other end. */
async function signal(call: Call, services: ApiServices): Promise<void> {
  const body = jsonBody(await readBody(call));
  const name = (body as { readonly signal?: unknown } | null)?.signal;
  if (typeof name !== 'string') throw new MooringError('Invalid', 'a signal to send has the shape {"signal":"SIGTERM"}');
  if (!(await services.streams.signal(idOf(call, services), canonicalSignal(name)))) throw new MooringError('Conflict', `${viewOf(call, services).name} is not running`);
  sendJson(call, { kind: 'Signal' } satisfies SignalReply);
}

async function exec(call: Call, services: ApiServices): Promise<void> {
  const request = execRequest(await readBody(call));
  const result = await services.streams.exec(idOf(call, services), request);
  sendJson(call, { kind: 'Exec', ...result } satisfies ExecReply);
}

async function attachExec(call: Call, services: ApiServices): Promise<void> {
  const sentAlong = wanted(call);
  hijack(call.response, sentAlong, await services.streams.attachExec(idOf(call, services), call.params['exec'] ?? ''), call.closing);
}

/** What the client sent behind its request, which must ask for the protocol. */
function wanted({ request, sentAlong }: Call): Buffer {
  if (sentAlong !== undefined && request.headers.upgrade === ATTACH_PROTOCOL) return sentAlong;
  throw new MooringError('Invalid', `${request.url} is to be had with "Connection: Upgrade" and "Upgrade: ${ATTACH_PROTOCOL}"`);
}

function idOf(call: Call, services: ApiServices): string {
  const { name, status } = viewOf(call, services);
  if (status.containerID === undefined) throw new MooringError('Conflict', `${name} is not running: it has not been created yet`, { fix: `see "mooring explain ${name}"` });
  return status.containerID;
}

function execRequest(text: string): ExecRequest {
  const body = jsonBody(text);
  if (!isExecRequest(body)) throw new MooringError('Invalid', 'a process to run has the shape {"command":["…"],"tty":false,"stdin":false,"env":[{"name":"…","value":"…"}],"workingDir":"/…","user":"…","detach":false}, of which only command must be there');
  return body;
}

function jsonBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new MooringError('Invalid', `the request's body is not JSON: ${messageOf(error)}`);
  }
}

function isExecRequest(body: unknown): body is ExecRequest {
  if (typeof body !== 'object' || body === null) return false;
  const { command, tty, stdin, env, workingDir, user, detach } = body as Record<string, unknown>;
  const isText = (value: unknown): boolean => typeof value === 'string' && !value.includes('\0');
  const isVariable = (value: unknown): boolean => {
    const { name, value: content } = (value ?? {}) as Record<string, unknown>;
    return typeof name === 'string' && /^[^=\0]+$/.test(name) && isText(content);
  };
  return (
    Array.isArray(command) && command.length > 0 && command.every(isText) &&
    [tty, stdin, detach].every((flag) => flag === undefined || typeof flag === 'boolean') &&
    (env === undefined || (Array.isArray(env) && env.every(isVariable))) &&
    (workingDir === undefined || (isText(workingDir) && (workingDir as string).startsWith('/'))) &&
    (user === undefined || isText(user))
  );
}
