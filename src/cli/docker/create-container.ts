import { open, rm } from 'node:fs/promises';
import { errnoOf, MooringError } from '../../lib/errors.ts';
import { Client } from '../client.ts';
import type { Io } from '../io.ts';
import type { CreateRequest } from '../run/create-request.ts';
import type { RunFlags } from '../run/run-flags.ts';
import { DockerApiError, type DockerClient, pathFor } from './docker-client.ts';

interface Created {
  readonly Id: string;
  readonly Warnings?: readonly string[] | null;
}

/** Makes a container, with its image fetched where that is missing, and gives its ID. --cidfile gets that, too. */
export async function createContainer(client: DockerClient, io: Io, request: CreateRequest, flags: RunFlags): Promise<string> {
  if (flags.cidfile === undefined) return create(client, io, request, flags);
  // Taken before, so that two commands never write one file.
  const file = await open(flags.cidfile, 'wx').catch((cause: unknown) => {
    const isThere = errnoOf(cause) === 'EEXIST';
    throw new MooringError('Conflict', `--cidfile "${flags.cidfile}" ${isThere ? 'is there already' : "can't be made"}`, isThere ? { fix: 'remove it, once its container is not needed' } : { cause });
  });
  try {
    const id = await create(client, io, request, flags);
    await file.writeFile(id);
    return id;
  } catch (error) {
    await rm(flags.cidfile, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

async function create(client: DockerClient, io: Io, request: CreateRequest, flags: RunFlags): Promise<string> {
  if (flags.pull === 'always') await pull(client, io, request.Image, flags);
  const query = new URLSearchParams({ ...(flags.name !== undefined && { name: flags.name }), ...(flags.platform !== undefined && { platform: flags.platform }) }).toString();
  const send = (): Promise<Created | undefined> => client.post<Created>(`/containers/create${query === '' ? '' : `?${query}`}`, request);
  let created: Created | undefined;
  try {
    created = await send();
  } catch (error) {
    if (!(error instanceof DockerApiError) || error.status !== 404 || !error.message.startsWith('No such image') || flags.pull === 'never') throw error;
    if (flags.quiet !== true) io.err(`${request.Image} is not here: it is fetched\n`);
    await pull(client, io, request.Image, flags);
    created = await send();
  }
  if (created === undefined) throw new MooringError('Internal', 'the daemon made a container and did not say which');
  for (const warning of created.Warnings ?? []) io.err(`warning: ${warning}\n`);
  return created.Id;
}

/** Fetches an image that is not here. */
export async function requireImage(client: DockerClient, io: Io, image: string, flags: RunFlags): Promise<void> {
  try {
    await client.get(pathFor('images', image, 'json'));
  } catch (error) {
    if (!(error instanceof DockerApiError) || error.status !== 404) throw error;
    await pull(client, io, image, flags);
  }
}

/** Shown on standard error: standard output is the container's. */
async function pull(client: DockerClient, io: Io, image: string, { platform, quiet }: RunFlags): Promise<void> {
  const { pullImage } = await import('../commands/image-transfer.ts');
  const shown: Io = { ...io, out: quiet === true ? () => undefined : (text) => io.err(text), terminal: process.stderr.isTTY && io.terminal };
  await pullImage(new Client(client.socket), shown, image, { ...(platform !== undefined && { platform }), ...(quiet !== undefined && { quiet }) });
}
