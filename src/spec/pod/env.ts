import type { Field } from '../translate/field.ts';
import { FieldError } from '../translate/problem-list.ts';
import { entriesOf, fieldsAmong, itemsOf, textOf } from '../translate/read-field.ts';
import { type Pod, type PodContainer, put } from './handler.ts';

/** The variables of a container, in their order; each may name those before it as `$(NAME)`. */
export function environmentOf(field: Field, pod: Pod): { readonly name: string; readonly value: string; readonly from: Field }[] {
  const known = new Map<string, string>();
  return itemsOf(field).map((item) => {
    const { name, value, valueFrom } = fieldsAmong(item, ['name', 'value', 'valueFrom']);
    if (name === undefined) throw new FieldError(item, 'has no name');
    if (value !== undefined && valueFrom !== undefined) throw new FieldError(valueFrom, 'stands beside value', 'keep one of the two', true);
    const text = valueFrom !== undefined ? sourceOf(valueFrom, pod) : value === undefined ? '' : expandReferences(textOf(value), known);
    known.set(textOf(name), text);
    return { name: textOf(name), value: text, from: item };
  });
}

/** Adds `command` and `args`, with the container's variables in them. */
export function putWords(part: 'command' | 'args', field: Field, container: PodContainer): void {
  const env = container.field.get('env');
  const variables = new Map((env === undefined ? [] : environmentOf(env, container.pod)).map(({ name, value }) => [name, value]));
  put(container, { [part]: itemsOf(field).map((word) => expandReferences(textOf(word), variables)) }, field);
}

/** `$(NAME)` by the variable's value, `$$(NAME)` by `$(NAME)`; what is not known stays as it is (Kubernetes' expansion). */
export function expandReferences(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$\$|\$\(([^()]*)\)/g, (whole, name?: string) => (name === undefined ? '$' : (variables.get(name) ?? whole)));
}

function sourceOf(field: Field, pod: Pod): string {
  const [source] = entriesOf(field);
  if (source?.[0] !== 'fieldRef') throw new FieldError(source?.[1] ?? field, 'is not supported', 'write the value out, or use a fieldRef of metadata', source !== undefined);
  const { fieldPath } = fieldsAmong(source[1], ['fieldPath', 'apiVersion']);
  if (fieldPath === undefined) throw new FieldError(source[1], 'has no fieldPath');
  const path = textOf(fieldPath);
  if (path === 'metadata.name') return pod.name;
  if (path === 'metadata.namespace') return pod.namespace;
  const [, map = '', key = ''] = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path) ?? [];
  if (map === '') throw new FieldError(fieldPath, `${path} is not known before the container runs`, 'use metadata.name, metadata.namespace, metadata.labels or metadata.annotations');
  const value = pod.field.get('metadata')?.get(map)?.get(key);
  return value === undefined ? '' : textOf(value);
}
