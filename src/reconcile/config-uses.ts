import type { Container, ContainerSpec } from '../spec/container.ts';
import type { Mount } from '../spec/mount.ts';
import { type ConfigKind, nameOf } from '../spec/resource.ts';
import type { ResourceKey } from './desired.ts';

/** One place of a container's spec that names a ConfigMap or a Secret. */
export interface ConfigUse {
  readonly key: ResourceKey & { readonly kind: ConfigKind };
  readonly optional: boolean;
}

/** Every place of a container's spec that does, in their order. */
export function configUses({ metadata: { namespace }, spec }: Container): ConfigUse[] {
  const uses = [...spec.env.flatMap(({ valueFrom }) => refsOf(valueFrom?.configMapKeyRef, valueFrom?.secretKeyRef)), ...spec.envFrom.flatMap(({ configMapRef, secretRef }) => refsOf(configMapRef, secretRef)), ...spec.mounts.flatMap(mountSources)];
  return uses.map(({ kind, name, optional }) => ({ key: configKey(kind, namespace, name), optional }));
}

/** Whether it asks for anything of ConfigMaps and Secrets. */
export function usesConfig(spec: ContainerSpec): boolean {
  return spec.envFrom.length > 0 || spec.env.some(({ valueFrom }) => valueFrom !== undefined) || spec.mounts.some(isConfigMount);
}

export function isConfigMount({ configMap, secret, projected }: Mount): boolean {
  return (configMap ?? secret ?? projected) !== undefined;
}

export type MountSource = Pick<NonNullable<Mount['configMap']>, 'name' | 'items' | 'optional'> & { readonly kind: ConfigKind };

/** What a mount shows, in its order; nothing for one of another kind. */
export function mountSources({ configMap, secret, projected }: Mount): MountSource[] {
  return [{ configMap, secret }, ...(projected?.sources ?? [])].flatMap((source) => [
    ...(source.configMap === undefined ? [] : [{ ...source.configMap, kind: 'ConfigMap' as const }]),
    ...(source.secret === undefined ? [] : [{ ...source.secret, kind: 'Secret' as const }]),
  ]);
}

export function configKey(kind: ConfigKind, namespace: string, name: string): ConfigUse['key'] {
  return { kind, name: nameOf(kind, { namespace, name }) };
}

interface Ref {
  readonly name: string;
  readonly optional: boolean;
}

function refsOf(configMap: Ref | undefined, secret: Ref | undefined): (Ref & { readonly kind: ConfigKind })[] {
  return [...(configMap ? [{ ...configMap, kind: 'ConfigMap' as const }] : []), ...(secret ? [{ ...secret, kind: 'Secret' as const }] : [])];
}
