import { API_VERSION } from '../../spec/container.ts';
import { networkName } from '../../spec/name.ts';
import { type FoundContainer, recordOf } from './container-lookup.ts';
import { checkedResource, declare } from './declared.ts';
import type { DockerServices } from './docker-services.ts';

/** On a network that stands for none, with the container's id: one that was taken off its last network is alone on it, without a way out. */
export const DETACHED_ANNOTATION = 'docker.mooring.dev/detached';

export function detachedName({ id }: Pick<FoundContainer, 'id'>): string {
  return `detached-${id.slice(0, 12)}`;
}

/** By the network's name as the engine has it. */
export function isDetached(network: string): boolean {
  return /\/detached-[0-9a-f]{12}$/.test(network);
}

export async function declareDetached(services: DockerServices, found: FoundContainer): Promise<void> {
  const metadata = { name: detachedName(found), namespace: found.view.container.metadata.namespace, annotations: { [DETACHED_ANNOTATION]: found.id } };
  const network = checkedResource({ apiVersion: API_VERSION, kind: 'Network', metadata, spec: { internal: true, ipv6: false } });
  await declare(services, network, { kind: 'Network', name: networkName(network.metadata) });
}

/** Takes back that of a container which is on another network again. */
export async function dropDetached({ desired, supplies }: Pick<DockerServices, 'desired' | 'supplies'>, found: FoundContainer): Promise<void> {
  const key = { kind: 'Network' as const, name: networkName({ namespace: found.view.container.metadata.namespace, name: detachedName(found) }) };
  if (desired.getOf('Network', key.name) === undefined) return;
  desired.delete('api', [key]);
  await supplies.settle(key);
}

/** From now on none outlives its container, whoever removes that; what a daemon before this one left goes at once. */
export function collectDetached({ desired, insight, reconciler }: Pick<DockerServices, 'desired' | 'insight' | 'reconciler'>): void {
  const collect = (): void => {
    const left = desired.listOf('Network').filter(({ network: { metadata: { annotations: { [DETACHED_ANNOTATION]: id } } } }) => id !== undefined && recordOf({ insight }, id as FoundContainer['id']) === undefined);
    if (left.length > 0) desired.delete('api', left.map(({ name }) => ({ kind: 'Network', name })));
  };
  reconciler.subscribe((name) => {
    if (reconciler.view(name) === undefined) collect();
  });
  collect();
}
