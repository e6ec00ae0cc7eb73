import type { CredentialFinder } from '../../../lib/credentials.ts';
import { DEFAULT_REGISTRY, type ImageReference } from '../../../spec/image-reference.ts';

/** How the node reaches registries. */
export interface RegistrySettings {
  /** The registry of names without one: `redis`. */
  readonly defaultRegistry: string;
  /** By host with port; `*` stands for all that are not named. */
  readonly hosts: ReadonlyMap<string, HostSettings>;
  /** PEM files of authorities trusted for every registry, beside the system's. */
  readonly caFiles: readonly string[];
  /** As Docker has it: `<certsDir>/<host:port>/*.crt` are authorities for that host. */
  readonly certsDir: string;
  readonly credentials: CredentialFinder;
}

export interface HostSettings {
  /** Asked before the registry itself, in order: `mirror.example:5000`, or with a path that goes before the repository. Pulls only. */
  readonly mirrors: readonly string[];
  /** May be spoken to in plain HTTP where it does not speak TLS. Loopback always may. */
  readonly insecure: boolean;
  /** PEM file of an authority trusted for it. */
  readonly caFile?: string;
}

/** Registries as they are without any settings. */
export const plainRegistries: RegistrySettings = { defaultRegistry: DEFAULT_REGISTRY, hosts: new Map(), caFiles: [], certsDir: '/etc/docker/certs.d', credentials: () => Promise.resolve(undefined) };

/** Where a repository can be had. */
export interface Endpoint {
  readonly host: string;
  readonly repository: string;
  /** Of a mirror: the registry that it stands in for. */
  readonly mirrorOf?: string;
}

/** Where to ask for a reference, the registry itself last. */
export function endpointsOf({ registry, repository }: ImageReference, { hosts }: Pick<RegistrySettings, 'hosts'>): readonly [...Endpoint[], Endpoint] {
  const mirrors = (hosts.get(registry) ?? hosts.get('*'))?.mirrors ?? [];
  return [
    ...mirrors.map((mirror): Endpoint => {
      const [host = mirror, ...path] = mirror.split('/');
      return { host, repository: [...path, repository].join('/'), mirrorOf: registry };
    }),
    { host: registry, repository },
  ];
}
