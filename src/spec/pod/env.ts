import type { ContainerSpecInput } from '../translate/draft.ts';
import type { Field } from '../translate/field.ts';
import { FieldError } from '../translate/problem-list.ts';
import { entriesOf, fieldsAmong, itemsOf, textOf } from '../translate/read-field.ts';
import { valueFromOf } from './config.ts';
import { type Pod, type PodContainer, put } from './handler.ts';

interface Variable {
  readonly variable: NonNullable<ContainerSpecInput['env']>[number];
  readonly from: Field;
}

/** What is known of a container's variables; undefined for one whose value is found only when the container is made. */
type Variables = ReadonlyMap<string, string | undefined>;

/** The variables of a container, in their order; each may name those before it as `$(NAME)`. */
export function environmentOf(field: Field, pod: Pod): Variable[] {
  const known = new Map<string, string | undefined>();
  return itemsOf(field).map((item) => {
    const { name, value, valueFrom } = fieldsAmong(item, ['name', 'value', 'valueFrom']);
    if (name === undefined) throw new FieldError(item, 'has no name');
    if (value !== undefined && valueFrom !== undefined) throw new FieldError(valueFrom, 'stands beside value', 'keep one of the two', true);
    const reference = valueFrom && valueFromOf(valueFrom);
    if (reference !== undefined) {
      known.set(textOf(name), undefined);
      return { variable: { name: textOf(name), valueFrom: reference }, from: item };
    }
    const text = valueFrom !== undefined ? sourceOf(valueFrom, pod) : value === undefined ? '' : expandReferences(value, known);
    known.set(textOf(name), text);
    return { variable: { name: textOf(name), value: text }, from: item };
  });
}

/** Adds `command` and `args`, with the container's variables in them. */
export function putWords(part: 'command' | 'args', field: Field, container: PodContainer): void {
  const env = container.field.get('env');
  const variables = new Map((env === undefined ? [] : environmentOf(env, container.pod)).map(({ variable }) => [variable.name, variable.valueFrom === undefined ? variable.value : undefined]));
  put(container, { [part]: itemsOf(field).map((word) => expandReferences(word, variables)) }, field);
}

/** `$(NAME)` by the variable's value, `$$(NAME)` by `$(NAME)`; what is not known stays as it is (Kubernetes' expansion). */
export function expandReferences(field: Field, variables: Variables): string {
  return textOf(field).replace(/\$\$|\$\(([^()]*)\)/g, (whole, name?: string) => {
    if (name === undefined) return '$';
    if (!variables.has(name)) return whole;
    const value = variables.get(name);
    if (value === undefined) throw new FieldError(field, `$(${name}) comes from a ConfigMap or a Secret, which is known only when the container is made`, 'have a shell put it in: sh -c, with $NAME');
    return value;
  });
}

function sourceOf(field: Field, pod: Pod): string {
  const [source] = entriesOf(field);
  if (source?.[0] !== 'fieldRef') throw new FieldError(source?.[1] ?? field, 'is not supported', 'write the value out, or use a fieldRef of metadata, a configMapKeyRef or a secretKeyRef', source !== undefined);
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
