import { posix } from 'node:path';
import type { FileStat } from '../../engine/files.ts';
import { MooringError } from '../../lib/errors.ts';
import { sendBytes } from '../v1/bytes.ts';
import { sendJson } from '../reply.ts';
import { takeBody } from '../request-body.ts';
import { type DockerCall, param, sendStatus } from './call.ts';
import { attributesOf } from './container-events.ts';
import { dockerNameOf, findContainer, type FoundContainer } from './container-lookup.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';

const STAT_HEADER = 'X-Docker-Container-Path-Stat';
const KINDS = { C: 0, A: 1, D: 2 } as const;

/** `HEAD /containers/{id}/archive`. */
export async function statArchive(call: DockerCall, services: DockerServices): Promise<void> {
  const { found, path } = placeOf(call, services);
  call.response.setHeader(STAT_HEADER, await statHeader(services, found, path));
  sendStatus(call, 200);
}

/** `GET /containers/{id}/archive`: a tar archive. */
export async function getArchive(call: DockerCall, services: DockerServices): Promise<void> {
  const { found, path } = placeOf(call, services);
  call.response.setHeader(STAT_HEADER, await statHeader(services, found, path));
  tell(services, found, 'archive-path');
  await sendBytes(call, 'application/x-tar', services.files.get(found.id, path, call.signal));
}

/** `PUT /containers/{id}/archive`: takes a tar archive, plain or compressed. */
export async function putArchive(call: DockerCall, services: DockerServices): Promise<void> {
  const { found, path } = placeOf(call, services);
  try {
    await takeBody(call, (archive) => services.files.put(found.id, path, archive, { keepOwners: true, signal: call.signal }));
  } catch (error) {
    throw asMissing(error, found, path);
  }
  tell(services, found, 'extract-to-dir');
  sendStatus(call, 200);
}

/** `GET /containers/{id}/export`. */
export async function exportContainer(call: DockerCall, services: DockerServices): Promise<void> {
  const found = findContainer(services, param(call, 'id'));
  tell(services, found, 'export');
  await sendBytes(call, 'application/octet-stream', services.files.export(found.id, call.signal));
}

/** `GET /containers/{id}/changes`. */
export async function changes(call: DockerCall, services: DockerServices): Promise<void> {
  const { id } = findContainer(services, param(call, 'id'));
  sendJson(call, (await services.files.changes(id)).map(({ kind, path }) => ({ Path: path, Kind: KINDS[kind] })));
}

function placeOf(call: DockerCall, services: DockerServices): { readonly found: FoundContainer; readonly path: string } {
  const found = findContainer(services, param(call, 'id'));
  const path = call.query.text('path');
  if (path === undefined) throw new DockerError(400, 'bad parameter: path cannot be empty');
  return { found, path: path.startsWith('/') ? path : `/${path}` };
}

async function statHeader({ files }: DockerServices, found: FoundContainer, path: string): Promise<string> {
  try {
    return Buffer.from(JSON.stringify(pathStat(await files.stat(found.id, path), path))).toString('base64');
  } catch (error) {
    throw asMissing(error, found, path);
  }
}

function asMissing(error: unknown, { view }: FoundContainer, path: string): unknown {
  if (!(error instanceof MooringError) || error.code !== 'NotFound') return error;
  return new DockerError(404, `Could not find the file ${path} in container ${dockerNameOf(view.container)}`, { cause: error });
}

const S_IFMT = 0o170000;
/** The bits of Go's FileMode that a file type of stat(2) stands for (io/fs). */
const GO_TYPES: Readonly<Record<number, number>> = { 0o040000: 2 ** 31, 0o120000: 2 ** 27, 0o060000: 2 ** 26, 0o010000: 2 ** 25, 0o140000: 2 ** 24, 0o020000: 2 ** 26 + 2 ** 21 };
const GO_BITS: readonly (readonly [bit: number, go: number])[] = [[0o4000, 2 ** 23], [0o2000, 2 ** 22], [0o1000, 2 ** 20]];

/** The API's `ContainerPathStat`. */
export function pathStat({ name, mode, size, mtime, mtimeNanoseconds, linkTarget }: FileStat, path: string) {
  const fraction = mtimeNanoseconds === 0 ? '' : `.${String(mtimeNanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
  return {
    name: name === '.' ? posix.basename(posix.resolve(path)) || '/' : name,
    size,
    mode: GO_BITS.reduce((sum, [bit, go]) => sum + ((mode & bit) === 0 ? 0 : go), (mode & 0o777) + (GO_TYPES[mode & S_IFMT] ?? 0)),
    mtime: `${new Date(mtime * 1000).toISOString().slice(0, 19)}${fraction}Z`,
    linkTarget: linkTarget === undefined ? '' : posix.resolve(posix.dirname(posix.resolve(path)), linkTarget),
  };
}

function tell({ told }: DockerServices, { id, view }: FoundContainer, action: string): void {
  told.container(action, id, attributesOf(view));
}
