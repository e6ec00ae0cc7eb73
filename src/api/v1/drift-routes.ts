import { parseContainerName } from '../../spec/name.ts';
import { sendJson } from '../reply.ts';
import type { Call } from './call.ts';
import type { DriftList } from './drift-types.ts';
import { namedView, type Route } from './routes.ts';
import type { ApiServices } from './services.ts';

/** What differs from what is declared, and what was undone lately. */
export const driftRoutes: readonly Route[] = [{ method: 'GET', path: '/v1/drift', handle: listDrift }];

async function listDrift(call: Call, services: ApiServices): Promise<void> {
  const given = call.query.get('name');
  const name = given === null ? undefined : namedView(parseContainerName(given), services).name;
  const namespace = call.query.get('namespace');
  const items = (await services.reconciler.drift()).filter((each) => (name === undefined ? namespace === null || each.name.startsWith(`${namespace}/`) : each.name === name));
  sendJson(call, { kind: 'DriftList', items: items.toSorted((a, b) => (a.name < b.name ? -1 : 1)) } satisfies DriftList);
}
