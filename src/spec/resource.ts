import type { z } from 'zod';
import { type Container, containerSchema } from './container.ts';
import { containerName, type ContainerName, networkName, type NetworkName, type ResourceName, volumeName, type VolumeName } from './name.ts';
import { type Network, networkResourceSchema } from './network.ts';
import { type Volume, volumeResourceSchema } from './volume.ts';

/** Every kind of document that can be desired. */
export type Resource = Container | Network | Volume;
export type ResourceKind = Resource['kind'];

export const RESOURCE_KINDS: readonly ResourceKind[] = ['Container', 'Network', 'Volume'];

const SCHEMAS = { Container: containerSchema, Network: networkResourceSchema, Volume: volumeResourceSchema } as const satisfies Readonly<Record<ResourceKind, z.ZodType>>;

/** The schema of the documents of a kind. */
export function schemaOf(kind: ResourceKind): z.ZodType<Resource> {
  return SCHEMAS[kind];
}

export function resourceName(resource: Container): ContainerName;
export function resourceName(resource: Network): NetworkName;
export function resourceName(resource: Volume): VolumeName;
export function resourceName(resource: Resource): ResourceName;
export function resourceName({ kind, metadata }: Resource): ResourceName {
  if (kind === 'Container') return containerName(metadata);
  return kind === 'Network' ? networkName(metadata) : volumeName(metadata);
}

/** `network default/back`, for people. */
export function describeResource(kind: ResourceKind, name: ResourceName): string {
  return `${kind.toLowerCase()} ${name}`;
}
