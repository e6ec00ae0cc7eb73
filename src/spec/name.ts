import type { Brand } from '../lib/brand.ts';

/** `<namespace>/<name>` of a Container; unique on a node whatever its source. */
export type ContainerName = Brand<string, 'ContainerName'>;
/** `<namespace>/<name>` of a Network. */
export type NetworkName = Brand<string, 'NetworkName'>;
/** `<namespace>/<name>` of a Volume. */
export type VolumeName = Brand<string, 'VolumeName'>;
/** `<namespace>/<name>` of a ConfigMap. */
export type ConfigMapName = Brand<string, 'ConfigMapName'>;
/** `<namespace>/<name>` of a Secret. */
export type SecretName = Brand<string, 'SecretName'>;
/** Names are unique among the resources of one kind. */
export type ResourceName = ContainerName | NetworkName | VolumeName | ConfigMapName | SecretName;

export function containerName(metadata: { readonly namespace: string; readonly name: string }): ContainerName {
  return `${metadata.namespace}/${metadata.name}` as ContainerName;
}

export function networkName(metadata: { readonly namespace: string; readonly name: string }): NetworkName {
  return `${metadata.namespace}/${metadata.name}` as NetworkName;
}

export function volumeName(metadata: { readonly namespace: string; readonly name: string }): VolumeName {
  return `${metadata.namespace}/${metadata.name}` as VolumeName;
}

export function configMapName(metadata: { readonly namespace: string; readonly name: string }): ConfigMapName {
  return `${metadata.namespace}/${metadata.name}` as ConfigMapName;
}

export function secretName(metadata: { readonly namespace: string; readonly name: string }): SecretName {
  return `${metadata.namespace}/${metadata.name}` as SecretName;
}

/** Splits `namespace/name`, or a bare `name`, which is in namespace `default`. */
export function parseContainerName(text: string): ContainerName {
  return (text.includes('/') ? text : `default/${text}`) as ContainerName;
}
