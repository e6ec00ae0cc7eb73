import type { z } from 'zod';
import { type ConfigMap, configMapSchema } from './config-map.ts';
import { API_VERSION, type Container, containerSchema } from './container.ts';
import { configMapName, type ConfigMapName, containerName, type ContainerName, networkName, type NetworkName, type ResourceName, secretName, type SecretName, volumeName, type VolumeName } from './name.ts';
import { type Network, networkResourceSchema } from './network.ts';
import { type Secret, secretSchema } from './secret.ts';
import { type Volume, volumeResourceSchema } from './volume.ts';

/** Every kind of document that can be desired. */
export type Resource = Container | Network | Volume | ConfigMap | Secret;
export type ResourceKind = Resource['kind'];

/** What containers are configured by. */
export type ConfigResource = ConfigMap | Secret;
export type ConfigKind = ConfigResource['kind'];

export const RESOURCE_KINDS: readonly ResourceKind[] = ['Container', 'Network', 'Volume', 'ConfigMap', 'Secret'];

const SCHEMAS = { Container: containerSchema, Network: networkResourceSchema, Volume: volumeResourceSchema, ConfigMap: configMapSchema, Secret: secretSchema } as const satisfies Readonly<Record<ResourceKind, z.ZodType>>;

/** The schema of the documents of a kind. */
export function schemaOf(kind: ResourceKind): z.ZodType<Resource> {
  return SCHEMAS[kind];
}

/** The `apiVersion` that documents of a kind bear. */
export function apiVersionOf(kind: ResourceKind): string {
  return isConfigKind(kind) ? 'v1' : API_VERSION;
}

export function isConfigKind(kind: ResourceKind): kind is ConfigKind {
  return kind === 'ConfigMap' || kind === 'Secret';
}

/** What a resource wants: its spec, or of one without a spec all but what it is called. */
export function contentOf(resource: Resource): object {
  if ('spec' in resource) return resource.spec;
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...content } = resource;
  return content;
}

const NAMES = { Container: containerName, Network: networkName, Volume: volumeName, ConfigMap: configMapName, Secret: secretName } as const satisfies Readonly<Record<ResourceKind, (metadata: Resource['metadata']) => ResourceName>>;

/** `NAMESPACE/NAME` of a resource of that kind. */
export function nameOf(kind: ResourceKind, metadata: { readonly namespace: string; readonly name: string }): ResourceName {
  return NAMES[kind](metadata);
}

export function resourceName(resource: Container): ContainerName;
export function resourceName(resource: Network): NetworkName;
export function resourceName(resource: Volume): VolumeName;
export function resourceName(resource: ConfigMap): ConfigMapName;
export function resourceName(resource: Secret): SecretName;
export function resourceName(resource: Resource): ResourceName;
export function resourceName({ kind, metadata }: Resource): ResourceName {
  return nameOf(kind, metadata);
}

/** `network default/back`, for people. */
export function describeResource(kind: ResourceKind, name: ResourceName): string {
  return `${kind.toLowerCase()} ${name}`;
}
