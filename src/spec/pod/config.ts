import type { z } from 'zod';
import type { envFromSchema, envVarSchema } from '../env.ts';
import type { ContainerSpecInput } from '../translate/draft.ts';
import type { Field } from '../translate/field.ts';
import { FieldError } from '../translate/problem-list.ts';
import { entriesOf, fieldsAmong, flagOf, itemsOf, textOf } from '../translate/read-field.ts';

/** What a pod says of ConfigMaps and Secrets. All of it throws FieldErrors. */

type MountInput = NonNullable<ContainerSpecInput['mounts']>[number];
type EnvFromInput = z.input<typeof envFromSchema>[number];
type ValueFromInput = NonNullable<z.input<typeof envVarSchema>['valueFrom']>;

/** `configMapKeyRef` and `secretKeyRef` of a variable; undefined for another source. */
export function valueFromOf(field: Field): ValueFromInput | undefined {
  const [source] = entriesOf(field);
  if (source?.[0] !== 'configMapKeyRef' && source?.[0] !== 'secretKeyRef') return undefined;
  const { name, key, optional } = fieldsAmong(source[1], ['name', 'key', 'optional']);
  if (name === undefined || key === undefined) throw new FieldError(source[1], 'has not both of name and key');
  return { [source[0]]: { name: textOf(name), key: textOf(key), ...(optional !== undefined && { optional: flagOf(optional) }) } };
}

export function envFromOf(item: Field): EnvFromInput {
  const { prefix, configMapRef, secretRef } = fieldsAmong(item, ['prefix', 'configMapRef', 'secretRef']);
  const refOf = (field: Field) => {
    const { name, optional } = fieldsAmong(field, ['name', 'optional']);
    if (name === undefined) throw new FieldError(field, 'has no name');
    return { name: textOf(name), ...(optional !== undefined && { optional: flagOf(optional) }) };
  };
  return { ...(prefix !== undefined && { prefix: textOf(prefix) }), ...(configMapRef !== undefined && { configMapRef: refOf(configMapRef) }), ...(secretRef !== undefined && { secretRef: refOf(secretRef) }) };
}

/** A volume of one ConfigMap or Secret, whose name stands in `nameField`. */
export function configVolume(kind: 'configMap' | 'secret', field: Field): (subPath: string | undefined) => Pick<MountInput, 'configMap' | 'secret'> {
  const nameField = kind === 'secret' ? 'secretName' : 'name';
  const given = fieldsAmong(field, [nameField, 'items', 'defaultMode', 'optional']);
  const source = { ...sourceOf(given[nameField], given, field), ...modeIn('defaultMode', given.defaultMode) };
  return (subPath) => ({ [kind]: { ...source, ...(subPath !== undefined && { subPath }) } });
}

/** A volume of several, as far as they are ConfigMaps and Secrets. */
export function projectedVolume(field: Field): (subPath: string | undefined) => Pick<MountInput, 'projected'> {
  const { sources, defaultMode } = fieldsAmong(field, ['sources', 'defaultMode']);
  const read = (sources === undefined ? [] : itemsOf(sources)).map((item) => {
    const [source] = entriesOf(item);
    if (source?.[0] !== 'configMap' && source?.[0] !== 'secret') throw new FieldError(source?.[1] ?? item, 'is a source that is not supported', 'use configMap or secret', source !== undefined);
    const given = fieldsAmong(source[1], ['name', 'items', 'optional']);
    return { [source[0]]: sourceOf(given.name, given, source[1]) };
  });
  return (subPath) => ({ projected: { sources: read, ...modeIn('defaultMode', defaultMode), ...(subPath !== undefined && { subPath }) } });
}

function sourceOf(name: Field | undefined, { items, optional }: { readonly items?: Field; readonly optional?: Field }, whole: Field) {
  if (name === undefined) throw new FieldError(whole, 'has no name');
  return { name: textOf(name), ...(items !== undefined && { items: itemsOf(items).map(itemOf) }), ...(optional !== undefined && { optional: flagOf(optional) }) };
}

function itemOf(item: Field) {
  const { key, path, mode } = fieldsAmong(item, ['key', 'path', 'mode']);
  if (key === undefined || path === undefined) throw new FieldError(item, 'has not both of key and path');
  return { key: textOf(key), path: textOf(path), ...modeIn('mode', mode) };
}

/** A mode as Kubernetes has it: a number, which is told in octal here. */
function modeIn<Name extends string>(name: Name, field: Field | undefined): Partial<Record<Name, string>> {
  if (field === undefined) return {};
  const { value } = field;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 0o777) throw new FieldError(field, 'is no mode: a whole number from 0 to 511', 'write 420 or 0o644 for rw-r--r--');
  return { [name]: value.toString(8).padStart(4, '0') } as Record<Name, string>;
}
