import { MooringError } from '../../lib/errors.ts';
import { attachmentsOf } from '../../spec/container-network.ts';
import { type NetworkName, networkName } from '../../spec/name.ts';
import { sendJson } from '../reply.ts';
import { type DockerCall, param, readJson, sendStatus } from './call.ts';
import { declare } from './declared.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import type { Filters } from './filters.ts';
import { untilOf } from './image-lookup.ts';
import { networkBodySchema, networkOf } from './network-body.ts';
import { connect, disconnect } from './network-connect.ts';
import { findNetwork, type FoundNetwork, labelsOf, listNetworks, stateOf } from './network-lookup.ts';
import { networkObject } from './network-object.ts';
import type { DockerRoute } from './route.ts';

export const networkRoutes: readonly DockerRoute[] = [
  { method: 'GET', path: '/networks', handle: list },
  { method: 'GET', path: '/networks/:id', handle: async (call, services) => sendJson(call, await networkObject(services, findNetwork(services, param(call, 'id')), { withContainers: true })) },
  { method: 'POST', path: '/networks/create', handle: create },
  { method: 'DELETE', path: '/networks/:id', handle: remove },
  { method: 'POST', path: '/networks/:id/connect', handle: connect },
  { method: 'POST', path: '/networks/:id/disconnect', handle: disconnect },
  { method: 'POST', path: '/networks/prune', handle: prune },
];

const LIST_FILTERS = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'] as const;
const PRUNE_FILTERS = ['label', 'label!', 'until'] as const;

async function list(call: DockerCall, services: DockerServices): Promise<void> {
  const filters = call.query.filters(LIST_FILTERS);
  const dangling = filters.flag('dangling');
  for (const type of filters.values('type')) if (type !== 'custom' && type !== 'builtin') throw new DockerError(400, `invalid filter: 'type'='${type}'`);
  const meant = listNetworks(services).filter(
    (found) =>
      filters.isOneOf('driver', found.driver) &&
      isIdIn(filters, found.id) &&
      filters.isIn('name', found.name) &&
      filters.haveLabels(labelsOf(found)) &&
      filters.isOneOf('scope', 'local') &&
      filters.isOneOf('type', found.builtin ? 'builtin' : 'custom'),
  );
  const kept = dangling === undefined ? meant : (await Promise.all(meant.map(async (found) => ({ found, free: !found.builtin && (await isFree(services, found)) })))).filter(({ free }) => free === dangling).map(({ found }) => found);
  sendJson(call, await Promise.all(kept.map((found) => networkObject(services, found, { withContainers: false }))));
}

function isIdIn(filters: Filters, id: string): boolean {
  return !filters.has('id') || filters.values('id').some((value) => id.startsWith(value) || id.includes(value));
}

async function create(call: DockerCall, services: DockerServices): Promise<void> {
  const body = await readJson(call, networkBodySchema);
  if (listNetworks(services).some(({ name, builtin }) => builtin && name === body.Name)) throw new DockerError(403, `operation is not permitted on predefined ${body.Name} network`);
  const network = networkOf(body);
  const key = { kind: 'Network' as const, name: networkName(network.metadata) };
  const isTaken = listNetworks(services).some(({ name }) => name === body.Name) || services.desired.getOf('Network', key.name) !== undefined;
  if (isTaken) throw new DockerError(409, `network with name ${body.Name} already exists`);
  await declare(services, network, key).catch((error: unknown) => {
    throw error instanceof MooringError && error.code === 'Conflict' && error.message.includes('overlaps') ? new DockerError(403, `Pool overlaps with other one on this address space: ${error.message}`, { cause: error }) : error;
  });
  const { id, name, driver } = findNetwork(services, body.Name);
  services.told.network('create', id, { name, type: driver });
  sendJson(call, { Id: id, Warning: '' }, 201);
}

async function remove(call: DockerCall, services: DockerServices): Promise<void> {
  const found = findNetwork(services, param(call, 'id'));
  if (found.builtin) throw new DockerError(403, `${found.name} is a pre-defined network and cannot be removed`);
  const users = ((await stateOf(services, found))?.containers ?? []).filter(({ name }) => services.reconciler.view(name)?.status.pid !== undefined);
  if (users.length > 0) throw new DockerError(403, `error while removing network: network ${found.name} id ${found.id} has active endpoints: ${users.map(({ name }) => name).join(', ')}`);
  refuseForeign(found);
  services.networks.vacate(found.key as NetworkName); // a container that does not run is in nobody's way, and can't start any more, as in dockerd
  await takeBack(services, found);
  sendStatus(call, 204);
}

/** Throws `Conflict` where it belongs to a source that would bring it back. */
function refuseForeign({ name, origin }: FoundNetwork): void {
  if (origin !== undefined && origin.source !== 'api') throw new MooringError('Conflict', `network ${name} belongs to source ${origin.source}, which would bring it back`, { at: origin.location, fix: `delete it from ${origin.location} instead` });
}

async function takeBack({ desired, supplies, told }: DockerServices, { id, name, key, driver }: FoundNetwork): Promise<void> {
  const resource = { kind: 'Network' as const, name: key as NetworkName };
  desired.delete('api', [resource]);
  await supplies.settle(resource);
  told.network('destroy', id, { name, type: driver });
}

async function isFree(services: DockerServices, found: FoundNetwork): Promise<boolean> {
  const isNamed = services.desired.listOf('Container').some(({ container }) => attachmentsOf(container.spec.network).some((each) => `${container.metadata.namespace}/${each.name}` === found.key));
  return !isNamed && ((await stateOf(services, found))?.containers.length ?? 0) === 0;
}

/** Takes back those of the API that no container is on. */
async function prune(call: DockerCall, services: DockerServices): Promise<void> {
  const filters = call.query.filters(PRUNE_FILTERS);
  const until = untilOf(filters);
  const NetworksDeleted: string[] = [];
  for (const found of listNetworks(services)) {
    if (found.builtin || found.origin?.source !== 'api' || !filters.haveLabels(labelsOf(found)) || !filters.lackLabels(labelsOf(found))) continue;
    if (until !== undefined && ((await stateOf(services, found))?.createdAt ?? 0) >= until) continue;
    if (!(await isFree(services, found))) continue;
    await takeBack(services, found);
    NetworksDeleted.push(found.name);
  }
  services.told.prune('network', 0);
  sendJson(call, { NetworksDeleted: NetworksDeleted.length === 0 ? null : NetworksDeleted });
}
