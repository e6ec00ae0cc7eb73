import { z } from 'zod';

import type { ContainerId } from '../../engine/engine.ts';
import { MooringError } from '../../lib/errors.ts';
import { sendJson } from '../reply.ts';
import { takeBody } from '../request-body.ts';
import { sendBytes } from './bytes.ts';
import { asked, type Call, isAsked, readBody } from './call.ts';
import type { ChangeList, CommitBody, CommitResult, Done, FileList } from './file-types.ts';
import { type Route, viewOf } from './routes.ts';
import type { ApiServices } from './services.ts';

const TAR = 'application/x-tar';
const CONTAINER = '/v1/containers/:namespace/:name';

/** Files of containers. Paths stand in the query, since they have slashes. */
export const fileRoutes: readonly Route[] = [
  { method: 'GET', path: `${CONTAINER}/changes`, handle: async (call, services) => sendJson(call, { kind: 'ChangeList', items: await services.files.changes(idOf(call, services)) } satisfies ChangeList) },
  { method: 'GET', path: `${CONTAINER}/files`, handle: async (call, services) => sendJson(call, { kind: 'FileList', items: await services.files.list(idOf(call, services), asked(call, 'path')) } satisfies FileList) },
  { method: 'GET', path: `${CONTAINER}/files/stat`, handle: async (call, services) => sendJson(call, await services.files.stat(idOf(call, services), asked(call, 'path'))) },
  { method: 'GET', path: `${CONTAINER}/files/content`, handle: (call, services) => sendBytes(call, 'application/octet-stream', services.files.read(idOf(call, services), asked(call, 'path'), call.signal)) },
  { method: 'POST', path: `${CONTAINER}/files/content`, handle: writeContent },
  { method: 'GET', path: `${CONTAINER}/archive`, handle: (call, services) => sendBytes(call, TAR, services.files.get(idOf(call, services), asked(call, 'path'), call.signal)) },
  { method: 'POST', path: `${CONTAINER}/archive`, handle: putArchive },
  { method: 'POST', path: `${CONTAINER}/copy`, handle: copy },
  { method: 'GET', path: `${CONTAINER}/export`, handle: exportFiles },
  { method: 'POST', path: `${CONTAINER}/commit`, handle: commit },
  { method: 'POST', path: `${CONTAINER}/reset`, handle: reset },
];

async function writeContent(call: Call, services: ApiServices): Promise<void> {
  const [id, path] = [idOf(call, services), asked(call, 'path')];
  await takeBody(call, (content) => services.files.write(id, path, content, call.signal));
  sendJson(call, { kind: 'Done' } satisfies Done);
}

async function putArchive(call: Call, services: ApiServices): Promise<void> {
  const [id, path] = [idOf(call, services), asked(call, 'path')];
  await takeBody(call, (archive) => services.files.put(id, path, archive, { keepOwners: isAsked(call.query, 'keepOwners'), signal: call.signal }));
  sendJson(call, { kind: 'Done' } satisfies Done);
}

const hostFolder = z.strictObject({ path: z.string().regex(/^\/[^\0]*$/), identity: z.string().regex(/^[0-9]+:[0-9]+$/), bootId: z.string() });
const copyName = z.string().regex(/^[^\0]+$/);
const copySchema = z.discriminatedUnion('direction', [
  z.strictObject({ direction: z.literal('in'), from: hostFolder, file: copyName, to: z.string(), name: copyName, keepOwners: z.boolean() }),
  z.strictObject({ direction: z.literal('out'), path: z.string(), to: hostFolder, name: copyName, keepOwners: z.boolean() }),
]);

async function copy(call: Call, services: ApiServices): Promise<void> {
  const { success, data } = copySchema.safeParse(jsonOf(await readBody(call)));
  if (!success) throw new MooringError('Invalid', 'a copy has the shape {"direction":"in","from":FOLDER,"file":"…","to":"/…","name":"…","keepOwners":false} or {"direction":"out","path":"/…","to":FOLDER,"name":"…","keepOwners":false}, FOLDER being {"path":"/…","identity":"DEVICE:INODE","bootId":"…"}');
  const options = { keepOwners: data.keepOwners, signal: call.signal };
  const id = idOf(call, services);
  await (data.direction === 'in' ? services.files.copyIn(id, data, options) : services.files.copyOut(id, data, options));
  sendJson(call, { kind: 'Done' } satisfies Done);
}

function exportFiles(call: Call, services: ApiServices): Promise<void> {
  const id = idOf(call, services);
  return sendBytes(call, TAR, isAsked(call.query, 'changes') ? services.files.exportChanges(id, call.signal) : services.files.export(id, call.signal));
}

async function commit(call: Call, services: ApiServices): Promise<void> {
  const { pause = true, ...body } = commitBody(await readBody(call));
  const image = await services.files.commit(idOf(call, services), { ...body, pause, signal: call.signal });
  sendJson(call, { kind: 'CommitResult', image } satisfies CommitResult);
}

async function reset(call: Call, services: ApiServices): Promise<void> {
  await services.reconciler.reset(viewOf(call, services).name, call.signal);
  sendJson(call, { kind: 'Done' } satisfies Done);
}

function idOf(call: Call, services: ApiServices): ContainerId {
  const { name, status } = viewOf(call, services);
  if (status.containerID === undefined) throw new MooringError('Conflict', `${name} has no files: it has not been created yet`, { fix: `see "mooring explain ${name}"` });
  return status.containerID as ContainerId;
}

function commitBody(text: string): CommitBody {
  const body = jsonOf(text);
  if (isCommitBody(body)) return body;
  throw new MooringError('Invalid', 'a commit has the shape {"name":"repository:tag","author":"…","message":"…","changes":["CMD …"],"pause":true}, of which only name must be there');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller says what it should have been
  }
}

function isCommitBody(body: unknown): body is CommitBody {
  if (typeof body !== 'object' || body === null) return false;
  const { name, author, message, changes, pause } = body as Record<string, unknown>;
  const isText = (value: unknown): boolean => value === undefined || typeof value === 'string';
  return typeof name === 'string' && isText(author) && isText(message) && (pause === undefined || typeof pause === 'boolean') && (changes === undefined || (Array.isArray(changes) && changes.every((change) => typeof change === 'string')));
}
