import { MooringError } from '../../lib/errors.ts';
import { type ResourceKey, resourceOf } from '../../reconcile/desired.ts';
import { keyOf } from '../../reconcile/desired-store.ts';
import type { ContainerView } from '../../reconcile/view.ts';
import { API_VERSION } from '../../spec/container.ts';
import { containerName, parseContainerName, type ContainerName } from '../../spec/name.ts';
import { describeResource, RESOURCE_KINDS } from '../../spec/resource.ts';
import { sendJson } from '../reply.ts';
import { isAsked, sendLines, sendStream, type Call } from './call.ts';
import { containerObject } from './container-object.ts';
import { readDocuments } from './documents.ts';
import { logOptions, logPieces } from './log-query.ts';
import type { ApiServices } from './services.ts';
import type { ApplyResult, ContainerList, DeleteResult, EventList, PlanResult, ProblemList, Version } from './types.ts';
import { followEvents, watchContainers } from './watch.ts';

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly handle: (call: Call, services: ApiServices) => Promise<void> | void;
}

/** Every resource of the v1 API. */
export const routes: readonly Route[] = [
  { method: 'GET', path: '/v1/version', handle: getVersion },
  { method: 'GET', path: '/v1/info', handle: (call, { info }) => sendJson(call, info()) },
  { method: 'GET', path: '/v1/containers', handle: listContainers },
  { method: 'GET', path: '/v1/containers/:namespace/:name', handle: (call, services) => sendJson(call, containerObject(viewOf(call, services))) },
  { method: 'GET', path: '/v1/containers/:namespace/:name/logs', handle: getLogs },
  { method: 'GET', path: '/v1/containers/:namespace/:name/explain', handle: explain },
  { method: 'DELETE', path: '/v1/containers/:namespace/:name', handle: deleteContainer },
  { method: 'GET', path: '/v1/events', handle: listEvents },
  { method: 'GET', path: '/v1/problems', handle: (call, { problems }) => sendJson(call, { kind: 'ProblemList', items: problems() } satisfies ProblemList) },
  { method: 'POST', path: '/v1/plan', handle: plan },
  { method: 'POST', path: '/v1/apply', handle: apply },
  { method: 'POST', path: '/v1/delete', handle: deleteDocuments },
  { method: 'POST', path: '/v1/down', handle: (call, { down }) => sendLines(call, down()) },
];

function getVersion(call: Call, { info }: ApiServices): void {
  const { version, node } = info();
  sendJson(call, { version, node } satisfies Version);
}

function listContainers(call: Call, services: ApiServices): Promise<void> | void {
  const namespace = call.query.get('namespace') ?? undefined;
  if (isAsked(call.query, 'watch')) return sendLines(call, watchContainers(services, namespace, call.signal));
  const views = services.reconciler.views().filter(({ container }) => namespace === undefined || container.metadata.namespace === namespace);
  const items = views.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(containerObject);
  sendJson(call, { apiVersion: API_VERSION, kind: 'ContainerList', items } satisfies ContainerList);
}

function getLogs(call: Call, services: ApiServices): Promise<void> {
  const { name, status } = viewOf(call, services);
  if (status.containerID === undefined) {
    throw new MooringError('NotFound', `${name} has written nothing: it has not been created yet`, { fix: `see "mooring explain ${name}"` });
  }
  const framed = isAsked(call.query, 'frames');
  const pieces = logPieces(services.logs(status.containerID, logOptions(call.query, call.signal)), { framed, timestamps: isAsked(call.query, 'timestamps') });
  return sendStream(call, framed ? 'application/octet-stream' : 'text/plain; charset=utf-8', pieces);
}

async function explain(call: Call, services: ApiServices): Promise<void> {
  sendJson(call, await services.reconciler.explain(viewOf(call, services).name));
}

function listEvents(call: Call, services: ApiServices): Promise<void> | void {
  const given = call.query.get('name');
  const name = given === null ? undefined : parseContainerName(given);
  const asked = call.query.get('kind');
  const kind = RESOURCE_KINDS.find((known) => known === asked) ?? 'Container';
  if (isAsked(call.query, 'follow')) return sendLines(call, followEvents(services, name === undefined ? undefined : { kind, name }, call.signal));
  sendJson(call, { kind: 'EventList', items: services.events.list(name === undefined ? {} : { kind, name }) } satisfies EventList);
}

async function plan(call: Call, services: ApiServices): Promise<void> {
  const { declared, warnings } = await readDocuments(call, services);
  const changes = await services.reconciler.plan(
    declared.map(({ resource }) => resource),
    { prune: isAsked(call.query, 'prune') },
  );
  sendJson(call, { kind: 'PlanResult', changes, ...(warnings.length > 0 && { warnings }) } satisfies PlanResult);
}

async function apply(call: Call, { desired, parse }: ApiServices): Promise<void> {
  const { declared, warnings } = await readDocuments(call, { parse });
  const before = declared.map(({ resource }) => desired.getOf(resource.kind, keyOf(resource).name));
  const items = desired.apply('api', declared).map((accepted, index) => {
    const earlier = before[index];
    const { generation } = accepted;
    return { ...keyOf(resourceOf(accepted)), generation, result: earlier === undefined ? ('created' as const) : earlier.generation === generation ? ('unchanged' as const) : ('configured' as const) };
  });
  sendJson(call, { kind: 'ApplyResult', items, ...(warnings.length > 0 && { warnings }) } satisfies ApplyResult);
}

function deleteContainer(call: Call, services: ApiServices): void {
  sendJson(call, deleted([{ kind: 'Container', name: nameOf(call) }], services));
}

async function deleteDocuments(call: Call, services: ApiServices): Promise<void> {
  const keys = (await readDocuments(call, services)).declared.map(({ resource }) => keyOf(resource));
  sendJson(call, deleted(keys, services));
}

/** Takes back what was applied: all of it, or nothing. */
export function deleted(items: readonly ResourceKey[], services: ApiServices): DeleteResult {
  for (const key of items) assertDeletable(key, services);
  services.desired.delete('api', items);
  return { kind: 'DeleteResult', items };
}

/** What another source says can only be taken back there: deleted here, it would come back at once. */
export function assertDeletable({ kind, name }: ResourceKey, { desired }: ApiServices, mayBeUnwanted = false): void {
  const origin = desired.getOf(kind, name)?.origin;
  if (origin === undefined && mayBeUnwanted) return;
  if (origin === undefined) throw new MooringError('NotFound', `no source wants a ${describeResource(kind, name)}`, { fix: 'see "mooring get --all-namespaces"' });
  if (origin.source === 'api') return;
  throw new MooringError('Conflict', `${kind === 'Container' ? name : describeResource(kind, name)} belongs to source ${origin.source}, which would bring it back`, {
    at: origin.location,
    fix: `delete it from ${origin.location} instead`,
  });
}

function nameOf({ params }: Call): ContainerName {
  return containerName({ namespace: params['namespace'] ?? '', name: params['name'] ?? '' });
}

/** The container that a path names. Throws `NotFound`. */
export function viewOf(call: Call, services: ApiServices): ContainerView {
  return namedView(nameOf(call), services);
}

/** The container of that name. Throws `NotFound`. */
export function namedView(name: ContainerName, { reconciler }: ApiServices): ContainerView {
  const view = reconciler.view(name);
  if (view === undefined) throw new MooringError('NotFound', `there is no container ${name}`, { fix: 'see "mooring get --all-namespaces"' });
  return view;
}
