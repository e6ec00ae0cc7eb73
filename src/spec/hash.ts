import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { ConfigMap } from './config-map.ts';
import { type Container, type ContainerSpec, containerSpecSchema } from './container.ts';
import { normalizeSpec } from './normalize.ts';
import { normalizeNetwork, normalizeVolume } from './normalize-supplies.ts';
import { type Network, networkSpecSchema } from './network.ts';
import { contentOf, type Resource } from './resource.ts';
import { fieldsOf, isMapping, itemOf } from './schema-walk.ts';
import type { Secret } from './secret.ts';
import { type Volume, volumeSpecSchema } from './volume.ts';

/** One field of the spec that two containers have differently. */
export interface FieldChange {
  /** `spec.resources.memory`, `spec.env[PATH]`, `spec.mounts[/data].readOnly`. */
  readonly field: string;
  /** Values in canonical form, `(none)` where there is none; `(changed)` or `(set)` in place of what may hold a secret. */
  readonly from: string;
  readonly to: string;
}

/** Fields that take effect on a container that is there already. */
export const WITHOUT_RECREATION: readonly (keyof ContainerSpec)[] = ['build', 'imagePullPolicy', 'imagePullSecrets', 'imageUpdatePolicy', 'suspend', 'pause', 'autoRemove', 'restartPolicy', 'restartBackoff', 'drift', 'dependsOn', 'startupProbe', 'readinessProbe', 'livenessProbe', 'healthcheck', 'stopSignal', 'stopTimeoutSeconds'];

/**
 * SHA-256, in hexadecimal, over what a container is created from: the normalised spec as JSON with sorted keys, without metadata and without the
 * fields that need no new container. Fields with their default value are left out, so that a field added by a later version changes no hash.
 */
export function specHash(container: Pick<Container, 'spec'>): string {
  const fields = Object.entries(normalizeSpec(container.spec)).filter(([field]) => !(WITHOUT_RECREATION as readonly string[]).includes(field));
  return hashOf(withoutDefaults(containerSpecSchema, Object.fromEntries(fields)));
}

/** The hash by which two specs of any kind are known to want the same. */
export function resourceHash(resource: Resource): string {
  switch (resource.kind) {
    case 'Container':
      return specHash(resource);
    case 'Network':
      return hashOf(withoutDefaults(networkSpecSchema, normalizeNetwork(resource.spec)));
    case 'Volume':
      return hashOf(withoutDefaults(volumeSpecSchema, normalizeVolume(resource.spec)));
    case 'ConfigMap':
    case 'Secret':
      return hashOf(contentOf(resource));
  }
}

/** The fields of the spec that differ, those that need no new container included. Empty when both mean the same. */
export function specChanged(before: Pick<Container, 'spec'>, after: Pick<Container, 'spec'>): FieldChange[] {
  return changesIn('spec', normalizeSpec(before.spec), normalizeSpec(after.spec));
}

/** The same for a network. */
export function networkChanged(before: Pick<Network, 'spec'>, after: Pick<Network, 'spec'>): FieldChange[] {
  return changesIn('spec', normalizeNetwork(before.spec), normalizeNetwork(after.spec));
}

/** The same for a volume. */
export function volumeChanged(before: Pick<Volume, 'spec'>, after: Pick<Volume, 'spec'>): FieldChange[] {
  return changesIn('spec', normalizeVolume(before.spec), normalizeVolume(after.spec));
}

/** The same for a ConfigMap or a Secret, key by key and without values. */
export function configChanged(before: ConfigMap | Secret, after: ConfigMap | Secret): FieldChange[] {
  const [{ data, ...rest }, { data: newData, ...newRest }] = [contentFields(before), contentFields(after)];
  return [...changesOfEntries(data, newData, (key) => `data.${key}`), ...changesOfEntries(rest, newRest, (field) => field)];
}

/** Values of all kinds in one mapping, in base64, which is how Secrets have them. */
function contentFields(resource: ConfigMap | Secret): { readonly data: Record<string, string>; readonly [field: string]: unknown } {
  const { immutable } = resource;
  if (resource.kind === 'Secret') return { data: resource.data, immutable, type: resource.type };
  const texts = Object.entries(resource.data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  return { data: { ...Object.fromEntries(texts), ...resource.binaryData }, immutable };
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** The value without the fields that have their default. */
export function withoutDefaults(schema: z.core.$ZodType, value: unknown): unknown {
  const item = itemOf(schema);
  if (Array.isArray(value) && item !== undefined) return value.map((element) => withoutDefaults(item, element));
  const fields = Object.entries(fieldsOf(schema));
  if (!isMapping(value) || fields.length === 0) return value;
  const kept: Record<string, unknown> = {};
  for (const [name, field] of fields) {
    if (value[name] !== undefined && !isDeepStrictEqual(value[name], defaultOf(field))) kept[name] = withoutDefaults(field, value[name]);
  }
  return kept;
}

function defaultOf(schema: z.core.$ZodType): unknown {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault ? schema.parse(undefined) : undefined;
}

/** JSON with the keys of every object in order. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (isMapping(inner) ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1))) : inner));
}

/** Lists whose items have a name of their own, compared item by item. */
const ITEM_NAMES: Readonly<Record<string, (item: never) => string>> = {
  'spec.imagePullSecrets': (item: ContainerSpec['imagePullSecrets'][number]) => item.name,
  'spec.dependsOn': (item: ContainerSpec['dependsOn'][number]) => item.container,
  'spec.env': (item: ContainerSpec['env'][number]) => item.name,
  'spec.mounts': (item: ContainerSpec['mounts'][number]) => item.mountPath,
  'spec.sysctls': (item: ContainerSpec['sysctls'][number]) => item.name,
  'spec.ulimits': (item: ContainerSpec['ulimits'][number]) => item.name,
  'spec.ports': (item: ContainerSpec['ports'][number]) => `${item.containerPort}/${item.protocol}`,
};
/** Where people put passwords. */
const SECRET = /^(spec\.(env\[.*|command|args)|data\..*)$/s;

function changesIn(field: string, before: unknown, after: unknown): FieldChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  const nameOf = ITEM_NAMES[field];
  if (nameOf !== undefined) return changesOfEntries(byName(before, nameOf), byName(after, nameOf), (name) => `${field}[${name}]`);
  if (isMapping(before) && isMapping(after) && !SECRET.test(field)) return changesOfEntries(before, after, (name) => `${field}.${name}`);
  const secret = SECRET.test(field);
  return [{ field, from: shown(before, secret, after === undefined), to: shown(after, secret, before === undefined) }];
}

function changesOfEntries(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>, pathOf: (name: string) => string): FieldChange[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => changesIn(pathOf(name), before[name], after[name]));
}

/** A name that comes again, as a port that is published twice, has a number behind it. */
function byName(items: unknown, nameOf: (item: never) => string): Record<string, unknown> {
  const named: Record<string, unknown> = {};
  for (const item of Array.isArray(items) ? items : []) {
    const name = nameOf(item as never);
    let free = name;
    for (let count = 2; free in named; count++) free = `${name} ${count}`;
    named[free] = item;
  }
  return named;
}

function shown(value: unknown, secret: boolean, alone: boolean): string {
  if (value === undefined) return '(none)';
  if (secret) return alone ? '(set)' : '(changed)';
  return typeof value === 'string' ? value : canonicalJson(value);
}
