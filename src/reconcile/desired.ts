import type { ConfigMap } from '../spec/config-map.ts';
import type { Container } from '../spec/container.ts';
import type { ConfigMapName, ContainerName, NetworkName, ResourceName, SecretName, VolumeName } from '../spec/name.ts';
import type { Network } from '../spec/network.ts';
import type { SpecProblem } from '../spec/problem.ts';
import type { Resource, ResourceKind } from '../spec/resource.ts';
import type { Secret } from '../spec/secret.ts';
import type { Volume } from '../spec/volume.ts';

export type SourceName = 'directory' | 'cluster' | 'api';

/** Where a desired resource was said: `web.yaml:3:1` below the specs directory, or the API client's word for itself. */
export interface Origin {
  readonly source: SourceName;
  readonly location: string;
}

/** One resource as a source hands it in. */
export interface Declared {
  readonly resource: Resource;
  readonly location: string;
}

interface Wish {
  readonly origin: Origin;
  /** Hash over the canonical, defaulted spec: equal hashes mean that nothing needs to change. */
  readonly specHash: string;
  /** 1 at first, one more with each accepted change of spec (Kubernetes' metadata.generation). */
  readonly generation: number;
}

/** One resource as the desired store keeps it: persisted, so that the last good state outlives the daemon and its source. */
export interface DesiredContainer extends Wish {
  readonly name: ContainerName;
  readonly container: Container;
}

export interface DesiredNetwork extends Wish {
  readonly name: NetworkName;
  readonly network: Network;
}

export interface DesiredVolume extends Wish {
  readonly name: VolumeName;
  readonly volume: Volume;
}

export interface DesiredConfigMap extends Wish {
  readonly name: ConfigMapName;
  readonly configMap: ConfigMap;
}

export interface DesiredSecret extends Wish {
  readonly name: SecretName;
  readonly secret: Secret;
}

export interface DesiredOf {
  readonly Container: DesiredContainer;
  readonly Network: DesiredNetwork;
  readonly Volume: DesiredVolume;
  readonly ConfigMap: DesiredConfigMap;
  readonly Secret: DesiredSecret;
}

export type DesiredResource = DesiredOf[ResourceKind];

/** What is unique in the desired state. */
export interface ResourceKey {
  readonly kind: ResourceKind;
  readonly name: ResourceName;
}

export function resourceOf(desired: DesiredResource): Resource {
  if ('container' in desired) return desired.container;
  if ('network' in desired) return desired.network;
  if ('volume' in desired) return desired.volume;
  return 'configMap' in desired ? desired.configMap : desired.secret;
}

/** The merged desired state of all sources: containers, and with `Of` the resources of any kind. */
export interface DesiredStore {
  get(name: ContainerName): DesiredContainer | undefined;
  list(): DesiredContainer[];
  getOf<Kind extends ResourceKind>(kind: Kind, name: ResourceName): DesiredOf[Kind] | undefined;
  listOf<Kind extends ResourceKind>(kind: Kind): DesiredOf[Kind][];
  /** Of every kind. */
  listSource(source: SourceName): DesiredResource[];
  /**
   * Makes `declared` all that this source wants, of all kinds; what it no longer names is no longer desired. Atomic on disk.
   * A name that another source already holds stays with that source and comes back as a problem.
   */
  replaceSource(source: SourceName, declared: readonly Declared[]): SpecProblem[];
  /** Adds or changes single resources of a source (`mooring apply`). Throws `Conflict`, changing nothing, where another source holds a name. */
  apply(source: SourceName, declared: readonly Declared[]): DesiredResource[];
  /** Throws `Conflict` where another source holds one of them, `NotFound` where nobody does, and then changes nothing. */
  delete(source: SourceName, keys: readonly ResourceKey[]): void;
  /** What changed, once a change is on disk. Returns the function that unsubscribes. */
  subscribe(listener: (changed: readonly ResourceKey[]) => void): () => void;
}
