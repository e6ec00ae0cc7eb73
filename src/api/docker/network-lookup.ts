import type { NetworkState } from '../../engine/networks.ts';
import type { Origin } from '../../reconcile/desired.ts';
import { DEFAULT_NETWORK_NAME } from '../../spec/container-network.ts';
import type { NetworkName } from '../../spec/name.ts';
import type { Network } from '../../spec/network.ts';
import { REQUEST_ANNOTATION } from './create/container-of.ts';
import { DETACHED_ANNOTATION } from './detached-network.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import { type NetworkBody, networkBodySchema } from './network-body.ts';
import { dockerNetworkName } from './supply-names.ts';

/** A network as Docker's clients see it. */
export interface FoundNetwork {
  readonly id: string;
  readonly name: string;
  /** `default`, `host`, `none`, or `<namespace>/<name>`. */
  readonly key: string;
  /** Of the node itself: always there. */
  readonly builtin: boolean;
  readonly driver: string;
  /** Undefined for those of the node itself. */
  readonly network?: Network;
  readonly origin?: Origin;
  /** What it was made by, where the API made it. */
  readonly request?: NetworkBody;
}

const DRIVERS: Readonly<Record<Network['spec']['driver'], string>> = { Bridge: 'bridge', Macvlan: 'macvlan', Ipvlan: 'ipvlan' };

/** All of them, the node's own first. */
export function listNetworks(services: Pick<DockerServices, 'desired' | 'info'>): FoundNetwork[] {
  const builtin = (key: string, driver: string): FoundNetwork => ({ ...dockerNetworkName(services, key), key, driver, builtin: true });
  const own = services.desired
    .listOf('Network')
    .filter(({ network }) => network.metadata.annotations[DETACHED_ANNOTATION] === undefined)
    .map(({ name, network, origin }): FoundNetwork => {
      const request = requestOf(network);
      return { ...dockerNetworkName(services, name), key: name, driver: DRIVERS[network.spec.driver], builtin: false, network, origin, ...(request && { request }) };
    });
  return [builtin(DEFAULT_NETWORK_NAME, 'bridge'), builtin('host', 'host'), builtin('none', 'null'), ...own.toSorted((a, b) => (a.name < b.name ? -1 : 1))];
}

/** By its id, its name or the beginning of its id. Throws 404, or 400 where several ids begin like that. */
export function findNetwork(services: Pick<DockerServices, 'desired' | 'info'>, reference: string): FoundNetwork {
  const all = listNetworks(services);
  const exact = all.find(({ id }) => id === reference) ?? all.find(({ name }) => name === reference);
  if (exact) return exact;
  const [first, ...more] = reference === '' ? [] : all.filter(({ id }) => id.startsWith(reference));
  if (first === undefined) throw new DockerError(404, `network ${reference} not found`);
  if (more.length > 0) throw new DockerError(400, `network ${reference} is ambiguous (${more.length + 1} matches found based on ID prefix)`);
  return first;
}

function requestOf({ metadata }: Network): NetworkBody | undefined {
  const kept = metadata.annotations[REQUEST_ANNOTATION];
  return kept === undefined ? undefined : networkBodySchema.parse(JSON.parse(kept));
}

/** What there is of it; undefined of `host` and `none`, and of one that is not there yet. */
export async function stateOf({ networks }: Pick<DockerServices, 'networks'>, { key, builtin }: FoundNetwork): Promise<Omit<NetworkState, 'name' | 'network' | 'faults'> | undefined> {
  if (!builtin) return networks.inspect(key as NetworkName);
  return key === DEFAULT_NETWORK_NAME ? networks.usual() : undefined;
}

/** Every label of Docker's. */
export function labelsOf({ request, network }: FoundNetwork): Readonly<Record<string, string>> {
  return request?.Labels ?? network?.metadata.labels ?? {};
}
