import type { Brand } from '../lib/brand.ts';

/** `<namespace>/<name>` of a Container; unique on a node whatever its source. */
export type ContainerName = Brand<string, 'ContainerName'>;

export function containerName(metadata: { readonly namespace: string; readonly name: string }): ContainerName {
  return `${metadata.namespace}/${metadata.name}` as ContainerName;
}

/** Splits `namespace/name`, or a bare `name`, which is in namespace `default`. */
export function parseContainerName(text: string): ContainerName {
  return (text.includes('/') ? text : `default/${text}`) as ContainerName;
}
