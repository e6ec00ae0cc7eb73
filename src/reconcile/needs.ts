import type { Container } from '../spec/container.ts';
import { attachmentsOf, DEFAULT_NETWORK_NAME } from '../spec/container-network.ts';
import { containerName, networkName, volumeName, type ContainerName } from '../spec/name.ts';
import { listed } from '../lib/text.ts';
import { joinedContainer } from '../spec/namespaces.ts';
import { isConfigKind } from '../spec/resource.ts';
import { configUses } from './config-uses.ts';
import type { DesiredContainer, ResourceKey } from './desired.ts';
import { keyText } from './desired-store.ts';
import { type ConfigLookup, takeConfig } from './given-config.ts';

/** Something that a container stands on and that is not there, which keeps it from being made or started. */
export interface UnmetNeed extends ResourceKey {
  /** CamelCase: NetworkMissing, VolumeNotReady, NetworkLoop, … */
  readonly reason: string;
  readonly message: string;
  /** Whether it is on its way: then nothing needs to be done about it. */
  readonly isComing: boolean;
}

const WAITS = /^((Network|Volume|Container)(Missing|NotReady|Loop)|(ConfigMap|Secret)(Missing|KeyMissing|Unusable)|Dependency(Missing|Suspended|Failed))$/;

/** Whether a step's reason is an unmet need. */
export function isUnmet(reason: string): boolean {
  return WAITS.test(reason);
}

/** How things stand with a network or a volume. */
export type SupplyState =
  | { readonly state: 'Ready' }
  | { readonly state: 'Missing' } // nobody wants it
  | { readonly state: 'Coming' }
  | { readonly state: 'Failed'; readonly message: string };

/** What is known of the things that containers stand on. */
export interface Standing {
  readonly supply: (key: ResourceKey) => SupplyState;
  readonly desired: (name: ContainerName) => DesiredContainer | undefined;
  readonly isRunning: (name: ContainerName) => boolean;
  readonly config: ConfigLookup;
}

/** Everything that a container names and stands on, each once. */
export function needsOf(container: Container): ResourceKey[] {
  const {
    metadata: { namespace },
    spec,
  } = container;
  const networks = attachmentsOf(spec.network).filter(({ name }) => name !== DEFAULT_NETWORK_NAME);
  const volumes = new Set(spec.mounts.flatMap(({ volume }) => volume?.name ?? []));
  const hosts = new Set([spec.network.mode === 'Container' ? spec.network.container : undefined, joinedContainer(spec.namespaces.pid), joinedContainer(spec.namespaces.ipc)].flatMap((name) => name ?? []));
  return [
    ...networks.map(({ name }) => ({ kind: 'Network' as const, name: networkName({ namespace, name }) })),
    ...[...volumes].map((name) => ({ kind: 'Volume' as const, name: volumeName({ namespace, name }) })),
    ...[...hosts].map((name) => ({ kind: 'Container' as const, name: containerName({ namespace, name }) })),
    ...new Map(configUses(container).map(({ key }) => [keyText(key), key])).values(),
  ];
}

/** What of it is not there now. */
export function unmetNeeds(container: Container, standing: Standing): UnmetNeed[] {
  const others = needsOf(container).filter(({ kind }) => !isConfigKind(kind));
  return [...others.flatMap((key) => (key.kind === 'Container' ? hostNeed(container, key, standing) : supplyNeed(key, standing.supply(key)))), ...takeConfig(container, standing.config).unmet];
}

function supplyNeed(key: ResourceKey, supply: SupplyState): UnmetNeed[] {
  const { kind, name } = key;
  const what = `${kind.toLowerCase()} ${name}`;
  switch (supply.state) {
    case 'Ready':
      return [];
    case 'Missing':
      return [{ ...key, reason: `${kind}Missing`, message: `it waits for ${what}, which nobody has declared; declare a ${kind} of that name, or take it out of the container`, isComing: false }];
    case 'Coming':
      return [{ ...key, reason: `${kind}NotReady`, message: `it waits for ${what}, which is being made`, isComing: true }];
    case 'Failed':
      return [{ ...key, reason: `${kind}NotReady`, message: `it waits for ${what}, which can't be had: ${supply.message}`, isComing: false }];
  }
}

/** The container that it shares something with must run; and whose network that one shares, in turn. */
function hostNeed(container: Container, key: ResourceKey, { desired, isRunning }: Standing): UnmetNeed[] {
  const trail: ContainerName[] = [containerName(container.metadata)];
  for (let next = key.name as ContainerName | undefined; next !== undefined; ) {
    trail.push(next);
    if (trail.indexOf(next) < trail.length - 1) return [{ ...key, reason: 'NetworkLoop', message: `network.container goes in a circle: ${trail.join(' → ')}; let one of them have a network of its own`, isComing: false }];
    const host: Container | undefined = desired(next)?.container;
    const { mode, container: name } = host?.spec.network ?? {};
    next = host !== undefined && mode === 'Container' && name !== undefined ? containerName({ namespace: host.metadata.namespace, name }) : undefined;
  }
  const name = key.name as ContainerName;
  if (isRunning(name)) return [];
  const shares = `it shares the ${listed(sharedWith(container, name))} of container ${name}`;
  if (desired(name) === undefined) return [{ ...key, reason: 'ContainerMissing', message: `${shares}, which nobody has declared; declare it, or let this one have its own`, isComing: false }];
  return [{ ...key, reason: 'ContainerNotReady', message: `${shares}, which does not run`, isComing: false }];
}

/** What of another container it has in place of its own. */
function sharedWith({ metadata: { namespace }, spec: { network, namespaces } }: Container, name: ContainerName): string[] {
  const of = { network: network.container, processes: joinedContainer(namespaces.pid), IPC: joinedContainer(namespaces.ipc) };
  return Object.entries(of).flatMap(([what, other]) => (other !== undefined && containerName({ namespace, name: other }) === name ? [what] : []));
}
