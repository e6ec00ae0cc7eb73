import { z } from 'zod';
import { MooringError } from '../../lib/errors.ts';
import { volumeName } from '../../spec/name.ts';
import { isMountVolume } from '../../spec/volume.ts';
import { destroyVolume } from '../v1/supply-routes.ts';
import { sendJson } from '../reply.ts';
import { type DockerCall, param, readJson, sendStatus } from './call.ts';
import { foundContainers } from './container-lookup.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import { GO_ZERO_TIME } from './image-object.ts';
import { checkName } from './resource-names.ts';
import type { DockerRoute } from './route.ts';
import { ensureVolume, findVolume, type FoundVolume, isAnonymous, listVolumes, newVolumeName, volumeLabels } from './volume-lookup.ts';

export const volumeRoutes: readonly DockerRoute[] = [
  { method: 'GET', path: '/volumes', handle: list },
  { method: 'POST', path: '/volumes/create', handle: create },
  { method: 'GET', path: '/volumes/:name', handle: async (call, services) => sendJson(call, volumeObject(await findVolume(services, param(call, 'name')))) },
  { method: 'DELETE', path: '/volumes/:name', handle: remove },
  { method: 'POST', path: '/volumes/prune', handle: prune },
];

const LIST_FILTERS = ['dangling', 'driver', 'label', 'name'] as const;
const PRUNE_FILTERS = ['label', 'label!', 'all'] as const;

const text = z.string().nullish().transform((value) => value ?? '');
const texts = z.record(z.string(), z.string()).nullish().transform((value) => value ?? {});
const bodySchema = z.object({ Name: text, Driver: text, DriverOpts: texts, Labels: texts });

/** `Volume` of the API. */
export function volumeObject(found: FoundVolume): Record<string, unknown> {
  const { volume, state, name } = found;
  const { type, device, o } = volume.spec.options;
  const options = { ...(type !== undefined && { type }), ...(device !== undefined && { device }), ...(o !== undefined && { o }) };
  const labels = volumeLabels(found);
  return {
    CreatedAt: state === undefined ? GO_ZERO_TIME : `${new Date(state.createdAt).toISOString().slice(0, 19)}Z`,
    Driver: 'local',
    Labels: Object.keys(labels).length === 0 ? null : labels,
    Mountpoint: state?.path ?? '',
    Name: name,
    Options: Object.keys(options).length === 0 ? null : options,
    Scope: 'local',
  };
}

/** Containers that have it, or are to. */
export function volumeUsers({ desired }: DockerServices, { key, state }: FoundVolume): string[] {
  const named = desired.listOf('Container').filter(({ container: { metadata, spec } }) => spec.mounts.some(({ volume }) => volume?.name !== undefined && volumeName({ namespace: metadata.namespace, name: volume.name }) === key));
  return [...new Set([...(state?.containers ?? []), ...named.map(({ name }) => name)])];
}

async function list(call: DockerCall, services: DockerServices): Promise<void> {
  const filters = call.query.filters(LIST_FILTERS);
  const dangling = filters.flag('dangling');
  const meant = (await listVolumes(services)).filter(
    (found) =>
      filters.isOneOf('driver', 'local') &&
      filters.isIn('name', found.name) &&
      filters.haveLabels(volumeLabels(found)) &&
      (dangling === undefined || dangling === (volumeUsers(services, found).length === 0)),
  );
  sendJson(call, { Volumes: meant.map(volumeObject), Warnings: null });
}

async function create(call: DockerCall, services: DockerServices): Promise<void> {
  const { Name, Driver, DriverOpts, Labels } = await readJson(call, bodySchema);
  const name = Name === '' ? newVolumeName() : Name;
  if (Driver !== '' && Driver !== 'local') throw new DockerError(404, `create ${name}: error looking up volume plugin ${Driver}: plugin ${JSON.stringify(Driver)} not found`);
  if (name.length === 1) throw new DockerError(400, `create ${name}: volume name is too short, names should be at least two alphanumeric characters`);
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) {
    throw new DockerError(400, `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`);
  }
  const found = await ensureVolume(services, { dockerName: checkName(name, 'volume'), options: DriverOpts, labels: Labels, anonymous: Name === '' });
  sendJson(call, volumeObject(found), 201);
}

async function remove(call: DockerCall, services: DockerServices): Promise<void> {
  const name = param(call, 'name');
  const found = await findVolume(services, name).catch((error: unknown) => {
    if (error instanceof DockerError && error.status === 404 && call.query.flag('force')) return undefined;
    throw error;
  });
  if (found !== undefined) await destroy(services, found);
  sendStatus(call, 204);
}

/** With its data. Throws `Conflict` where it belongs to a source that would bring it back, or is in use. */
export async function destroy(services: DockerServices, found: FoundVolume): Promise<void> {
  const { origin, name } = found;
  if (origin !== undefined && origin.source !== 'api') throw new MooringError('Conflict', `volume ${name} belongs to source ${origin.source}, which would bring it back`, { at: origin.location, fix: `delete it from ${origin.location} instead` });
  const users = volumeUsers(services, found);
  if (users.length > 0) {
    const ids = foundContainers(services).filter(({ view }) => users.includes(view.name));
    throw new DockerError(409, `remove ${name}: volume is in use - [${ids.map(({ id }) => id).join(', ')}]`);
  }
  await destroyVolume(found.key, services);
  services.told.volume('destroy', name, { driver: 'local' });
}

/** Up to version 1.41 every volume without a container goes, from 1.42 on those without a name alone, unless `all` is asked for. */
async function prune(call: DockerCall, services: DockerServices): Promise<void> {
  const filters = call.query.filters(PRUNE_FILTERS);
  const all = call.version < 42 || filters.flag('all') === true;
  const VolumesDeleted: string[] = [];
  let SpaceReclaimed = 0;
  for (const found of await listVolumes(services)) {
    const labels = volumeLabels(found);
    // As with the engine, one that is a mount of something else is nobody's to prune.
    const isMeant = !isMountVolume(found.volume.spec) && (all || isAnonymous(found)) && filters.haveLabels(labels) && filters.lackLabels(labels);
    const isOthers = found.origin !== undefined && found.origin.source !== 'api';
    if (!isMeant || isOthers || volumeUsers(services, found).length > 0) continue;
    const bytes = await services.volumes.usage(found.key);
    await destroy(services, found);
    SpaceReclaimed += bytes;
    VolumesDeleted.push(found.name);
  }
  services.told.prune('volume', SpaceReclaimed);
  sendJson(call, { VolumesDeleted: VolumesDeleted.length === 0 ? null : VolumesDeleted, SpaceReclaimed });
}
