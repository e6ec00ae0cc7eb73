import { MooringError } from '../../lib/errors.ts';
import { type DesiredResource, resourceOf } from '../../reconcile/desired.ts';
import { keyText } from '../../reconcile/desired-store.ts';
import { needsOf } from '../../reconcile/needs.ts';
import { type ConfigKind, describeResource, nameOf } from '../../spec/resource.ts';
import { sendJson } from '../reply.ts';
import type { Call } from './call.ts';
import type { ConfigList, ConfigObject } from './config-types.ts';
import { deleted, type Route } from './routes.ts';
import type { ApiServices } from './services.ts';
import { LOCATION_ANNOTATION, SOURCE_ANNOTATION } from './types.ts';

/** The resources below /v1/configmaps and /v1/secrets. They are made by `POST /v1/apply`. */
export const configRoutes: readonly Route[] = (['ConfigMap', 'Secret'] as const).flatMap((kind) => {
  const path = `/v1/${kind.toLowerCase()}s`;
  return [
    { method: 'GET', path, handle: (call, services) => list(kind, call, services) },
    { method: 'GET', path: `${path}/:namespace/:name`, handle: (call, services) => sendJson(call, objectOf(find(kind, call, services), services)) },
    { method: 'DELETE', path: `${path}/:namespace/:name`, handle: (call, services) => sendJson(call, deleted([{ kind, name: nameAt(kind, call) }], services)) },
  ] satisfies Route[];
});

function list(kind: ConfigKind, call: Call, services: ApiServices): void {
  const namespace = call.query.get('namespace');
  const wanted: readonly DesiredResource[] = services.desired.listOf(kind);
  const items = wanted
    .filter((desired) => namespace === null || resourceOf(desired).metadata.namespace === namespace)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((desired) => objectOf(desired, services));
  sendJson(call, { apiVersion: 'v1', kind: `${kind}List`, items } satisfies ConfigList);
}

function find(kind: ConfigKind, call: Call, { desired }: ApiServices): DesiredResource {
  const name = nameAt(kind, call);
  const found = desired.getOf(kind, name);
  if (found === undefined) throw new MooringError('NotFound', `there is no ${describeResource(kind, name)}`, { fix: `see "mooring get ${kind.toLowerCase()}s --all-namespaces"` });
  return found;
}

function objectOf(desired: DesiredResource, { desired: store }: ApiServices): ConfigObject {
  const resource = resourceOf(desired);
  if (resource.kind !== 'ConfigMap' && resource.kind !== 'Secret') throw new MooringError('Internal', `${resource.kind} ${desired.name} is shown as a ConfigMap or Secret`);
  const { origin, generation } = desired;
  const key = keyText({ kind: resource.kind, name: desired.name });
  const containers = store.listOf('Container').flatMap(({ name, container }) => (needsOf(container).some((need) => keyText(need) === key) ? [name] : []));
  const annotations = { ...resource.metadata.annotations, [SOURCE_ANNOTATION]: origin.source, [LOCATION_ANNOTATION]: origin.location };
  const shown = { metadata: { ...resource.metadata, annotations, generation }, status: { containers } };
  if (resource.kind === 'ConfigMap') return { ...resource, ...shown };
  const { stringData: _, ...secret } = resource; // all of it is in data
  return { ...secret, ...shown };
}

function nameAt(kind: ConfigKind, { params }: Call) {
  return nameOf(kind, { namespace: params['namespace'] ?? '', name: params['name'] ?? '' });
}
