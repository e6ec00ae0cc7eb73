import { type ErrorCode, MooringError } from '../../lib/errors.ts';
import type { ResourceKey } from '../../reconcile/desired.ts';
import { keyOf } from '../../reconcile/desired-store.ts';
import { API_VERSION, type Container, containerSchema } from '../../spec/container.ts';
import { attachmentsOf, DEFAULT_NETWORK_NAME } from '../../spec/container-network.ts';
import { faultsOf } from '../../spec/field-fault.ts';
import { containerName, type NetworkName, networkName, type VolumeName, volumeName } from '../../spec/name.ts';
import { describeResource } from '../../spec/resource.ts';
import { fieldPath } from '../../spec/schema-walk.ts';
import { sendJson } from '../reply.ts';
import { type Call, isAsked, readBody } from './call.ts';
import { readDocuments } from './documents.ts';
import { assertDeletable, deleted, type Route } from './routes.ts';
import type { ApiServices } from './services.ts';
import { networkObject, volumeObject } from './supply-object.ts';
import type { ConnectRequest, DisconnectRequest, NetworkList, NetworkObject, SupplyPrune, VolumeList, VolumeObject } from './supply-types.ts';

/** The resources below /v1/networks and /v1/volumes. */
export const supplyRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/networks', handle: listNetworks },
  { method: 'POST', path: '/v1/networks', handle: async (call, services) => sendJson(call, await networkOf((await create(call, services, 'Network')) as NetworkName, services), 201) },
  { method: 'GET', path: '/v1/networks/:namespace/:name', handle: async (call, services) => sendJson(call, await networkOf(networkAt(call), services)) },
  { method: 'DELETE', path: '/v1/networks/:namespace/:name', handle: deleteNetwork },
  { method: 'POST', path: '/v1/networks/:namespace/:name/connect', handle: connect },
  { method: 'POST', path: '/v1/networks/:namespace/:name/disconnect', handle: disconnect },
  { method: 'POST', path: '/v1/networks-prune', handle: pruneNetworks },
  { method: 'GET', path: '/v1/volumes', handle: listVolumes },
  { method: 'POST', path: '/v1/volumes', handle: async (call, services) => sendJson(call, await volumeOf((await create(call, services, 'Volume')) as VolumeName, services), 201) },
  { method: 'GET', path: '/v1/volumes/:namespace/:name', handle: async (call, services) => sendJson(call, await volumeOf(volumeAt(call), services, true)) },
  { method: 'DELETE', path: '/v1/volumes/:namespace/:name', handle: deleteVolume },
  { method: 'POST', path: '/v1/volumes-prune', handle: pruneVolumes },
];

async function listNetworks(call: Call, services: ApiServices): Promise<void> {
  const names = new Set([...services.desired.listOf('Network').map(({ name }) => name), ...services.networks.list()]);
  const items = await Promise.all([...names].filter((name) => isAskedFor(call, name)).toSorted().map((name) => networkOf(name, services)));
  sendJson(call, { apiVersion: API_VERSION, kind: 'NetworkList', items } satisfies NetworkList);
}

async function listVolumes(call: Call, services: ApiServices): Promise<void> {
  const names = new Set([...services.desired.listOf('Volume').map(({ name }) => name), ...services.volumes.list()]);
  const items = await Promise.all([...names].filter((name) => isAskedFor(call, name)).toSorted().map((name) => volumeOf(name, services)));
  sendJson(call, { apiVersion: API_VERSION, kind: 'VolumeList', items } satisfies VolumeList);
}

async function networkOf(name: NetworkName, { desired, supplies, networks }: ApiServices): Promise<NetworkObject> {
  const object = networkObject(desired.getOf('Network', name), supplies.standing({ kind: 'Network', name }), await networks.inspect(name));
  if (object === undefined) throw new MooringError('NotFound', `there is no network ${name}`, { fix: 'see "mooring network ls"' });
  return object;
}

async function volumeOf(name: VolumeName, { desired, supplies, volumes }: ApiServices, isUsageWanted = false): Promise<VolumeObject> {
  const object = volumeObject(desired.getOf('Volume', name), supplies.standing({ kind: 'Volume', name }), await volumes.inspect(name), isUsageWanted ? await volumes.usage(name) : undefined);
  if (object === undefined) throw new MooringError('NotFound', `there is no volume ${name}`, { fix: 'see "mooring volume ls"' });
  return object;
}

/** Why a network or a volume can't be made. */
const CODES: readonly ErrorCode[] = ['Invalid', 'NotFound', 'Conflict', 'Unsupported', 'Unavailable', 'Internal'];

/** Declares what was sent under source `api`, and waits until it is there. What can't be made is not kept, either. */
async function create(call: Call, services: ApiServices, kind: 'Network' | 'Volume'): Promise<ResourceKey['name']> {
  const { desired, supplies } = services;
  const [declared, ...more] = (await readDocuments(call, services)).declared;
  if (declared?.resource.kind !== kind || more.length > 0) throw new MooringError('Invalid', `one document of kind ${kind} is wanted here`, { fix: 'hand several to "mooring apply"' });
  const key = keyOf(declared.resource);
  if (desired.getOf(kind, key.name) !== undefined) throw new MooringError('Conflict', `${describeResource(kind, key.name)} exists already`, { fix: 'change it with "mooring apply"' });
  desired.apply('api', [declared]);
  const standing = await supplies.settle(key);
  if (standing?.state === 'Failed') {
    desired.delete('api', [key]);
    throw new MooringError(CODES.find((code) => code === standing.reason) ?? 'Conflict', standing.message);
  }
  return key.name;
}

async function deleteNetwork(call: Call, services: ApiServices): Promise<void> {
  const name = networkAt(call);
  const state = await services.networks.inspect(name);
  const users = state?.containers ?? [];
  if (users.length > 0) throw new MooringError('Conflict', `network ${name} is that of ${users.map((user) => `container ${user.name}`).join(', ')}`, { fix: 'disconnect or remove them first' });
  const result = deleted([{ kind: 'Network', name }], services);
  await services.supplies.settle({ kind: 'Network', name });
  sendJson(call, result);
}

/** Deletes the data, too, whatever the reclaim policy says: that is what was asked for. With `reclaim`, as that says. */
async function deleteVolume(call: Call, services: ApiServices): Promise<void> {
  const name = volumeAt(call);
  const state = await services.volumes.inspect(name);
  const users = state?.containers ?? [];
  if (users.length > 0) throw new MooringError('Conflict', `volume ${name} is used by ${users.map((user) => `container ${user}`).join(', ')}`, { fix: 'remove what uses it first' });
  const key = { kind: 'Volume' as const, name };
  assertDeletable(key, services, state !== undefined);
  if (isAsked(call.query, 'reclaim')) {
    const result = deleted([key], services);
    await services.supplies.settle(key);
    return sendJson(call, result);
  }
  await destroyVolume(name, services);
  sendJson(call, { kind: 'DeleteResult', items: [key] });
}

/** Takes a volume of source `api`, or of nobody, back with its data. */
export async function destroyVolume(name: VolumeName, { desired, volumes, supplies }: ApiServices): Promise<void> {
  const key = { kind: 'Volume' as const, name };
  const wish = desired.getOf('Volume', name);
  if (wish === undefined) return volumes.remove(name, 'Delete');
  const { volume, origin } = wish;
  desired.apply('api', [{ resource: { ...volume, spec: { ...volume.spec, reclaimPolicy: 'Delete' } }, location: origin.location }]);
  await supplies.settle(key);
  desired.delete('api', [key]);
  await supplies.settle(key);
}

async function connect(call: Call, services: ApiServices): Promise<void> {
  const network = networkAt(call);
  const { container: name, ...attachment } = await readJson<ConnectRequest>(call);
  const isThere = call.params['name'] === DEFAULT_NETWORK_NAME || services.desired.getOf('Network', network) !== undefined;
  if (!isThere) throw new MooringError('NotFound', `there is no network ${network}`, { fix: 'see "mooring network ls"' });
  changeNetworks(call, services, name, (networks) => {
    if (networks.some((each) => each.name === call.params['name'])) throw new MooringError('Conflict', `container ${name} is connected to network ${network} already`);
    return [...networks, { name: call.params['name'], ...attachment }];
  });
}

async function disconnect(call: Call, services: ApiServices): Promise<void> {
  const { container: name } = await readJson<DisconnectRequest>(call);
  changeNetworks(call, services, name, (networks) => {
    const rest = networks.filter((each) => each.name !== call.params['name']);
    if (rest.length === networks.length) throw new MooringError('NotFound', `container ${name} is not connected to network ${networkAt(call)}`);
    if (rest.length === 0) throw new MooringError('Conflict', `network ${networkAt(call)} is the only one of container ${name}`, { fix: 'connect it to another one first, or set its network.mode to None' });
    return rest;
  });
}

/** Changes the networks of a container that source `api` wants, as if it had been applied again. */
function changeNetworks(call: Call, { desired }: ApiServices, name: string, change: (networks: Container['spec']['network']['networks']) => unknown[]): void {
  const full = containerName({ namespace: call.params['namespace'] ?? '', name });
  const current = desired.get(full);
  if (current === undefined) throw new MooringError('NotFound', `no source wants a container ${full}`, { fix: 'see "mooring get --all-namespaces"' });
  const { origin, container } = current;
  if (origin.source !== 'api') throw new MooringError('Conflict', `container ${full} belongs to source ${origin.source}, which would change it back`, { at: origin.location, fix: `change spec.network.networks in ${origin.location} instead` });
  const { network } = container.spec;
  if (network.mode !== 'Bridge') throw new MooringError('Conflict', `container ${full} has network mode ${network.mode}, and only mode Bridge has networks`, { fix: 'apply it with network.mode: Bridge' });
  const parsed = containerSchema.safeParse({ ...container, spec: { ...container.spec, network: { ...network, networks: change([...attachmentsOf(network)]) } } });
  if (!parsed.success) {
    const [fault] = faultsOf(parsed.error.issues, containerSchema, container);
    throw new MooringError('Invalid', `${fieldPath(fault?.path ?? [])}: ${fault?.message ?? parsed.error.message}`, { ...(fault?.fix !== undefined && { fix: fault.fix }) });
  }
  desired.apply('api', [{ resource: parsed.data, location: origin.location }]);
  sendJson(call, { kind: 'ApplyResult', items: [{ kind: 'Container', name: full, result: 'configured', generation: desired.get(full)?.generation ?? 0 }] });
}

/** Takes back the networks of source `api` that no container names. */
async function pruneNetworks(call: Call, services: ApiServices): Promise<void> {
  const { desired, networks, supplies } = services;
  const names: string[] = [];
  for (const { name, origin } of desired.listOf('Network')) {
    const isNamed = desired.listOf('Container').some(({ container }) => attachmentsOf(container.spec.network).some((each) => networkName({ namespace: container.metadata.namespace, name: each.name }) === name));
    if (origin.source !== 'api' || isNamed || ((await networks.inspect(name))?.containers.length ?? 0) > 0) continue;
    desired.delete('api', [{ kind: 'Network', name }]);
    await supplies.settle({ kind: 'Network', name });
    names.push(name);
  }
  sendJson(call, { kind: 'SupplyPrune', names } satisfies SupplyPrune);
}

/** Deletes the data of volumes that nobody wants; with `all`, also of those of source `api` that no container names. */
async function pruneVolumes(call: Call, services: ApiServices): Promise<void> {
  const { desired, volumes } = services;
  const named = new Set(desired.listOf('Container').flatMap(({ container: { metadata, spec } }) => spec.mounts.flatMap(({ volume }) => (volume?.name === undefined ? [] : [volumeName({ namespace: metadata.namespace, name: volume.name })]))));
  const names: string[] = [];
  let bytes = 0;
  for (const name of volumes.list()) {
    const state = await volumes.inspect(name);
    const wish = desired.getOf('Volume', name);
    const isFree = wish === undefined ? state?.released === true : isAsked(call.query, 'all') && wish.origin.source === 'api' && !named.has(name);
    if (!isFree || state === undefined || state.containers.length > 0) continue;
    bytes += await volumes.usage(name);
    await destroyVolume(name, services);
    names.push(name);
  }
  sendJson(call, { kind: 'SupplyPrune', names, bytes } satisfies SupplyPrune);
}

function networkAt({ params }: Call): NetworkName {
  return networkName({ namespace: params['namespace'] ?? '', name: params['name'] ?? '' });
}

function volumeAt({ params }: Call): VolumeName {
  return volumeName({ namespace: params['namespace'] ?? '', name: params['name'] ?? '' });
}

function isAskedFor({ query }: Call, name: string): boolean {
  const namespace = query.get('namespace');
  return namespace === null || name.startsWith(`${namespace}/`);
}

async function readJson<T extends { readonly container: string }>(call: Call): Promise<T> {
  const text = await readBody(call);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new MooringError('Invalid', "the request's body is not JSON", { cause: error });
  }
  const { container } = (value ?? {}) as { readonly container?: unknown };
  if (typeof container !== 'string' || container === '') throw new MooringError('Invalid', 'the body lacks "container", the name of one');
  return value as T;
}
