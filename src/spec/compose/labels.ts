import { LABEL_VALUE, parseQualifiedName } from '../kubernetes-names.ts';
import type { DraftMetadata } from '../translate/draft.ts';
import type { Field } from '../translate/field.ts';
import { entriesOf, textOf } from '../translate/read-field.ts';
import { asMapping } from './merge.ts';

/** A label's or an annotation's text; null is the empty one. */
export function textsOf(field: Field, name: 'labels' | 'annotations'): [string, string][] {
  return entriesOf(asMapping(field, name)).map(([key, value]) => [parseQualifiedName(key), value.value === null ? '' : textOf(value)]);
}

/** Labels that compose puts on what it makes, and those that were given: what can't be a label of a resource, such as a whole rule of a proxy, is an annotation. */
export function labelsOf(own: Readonly<Record<string, string>>, labels: readonly (readonly [string, string])[], annotations: readonly (readonly [string, string])[]): Required<Pick<DraftMetadata, 'labels' | 'annotations'>> {
  const isLabel = ([, value]: readonly [string, string]): boolean => value.length <= LABEL_VALUE.maxLength && LABEL_VALUE.pattern.test(value);
  return {
    labels: { ...Object.fromEntries(labels.filter(isLabel)), ...own },
    annotations: Object.fromEntries([...labels.filter((label) => !isLabel(label)), ...annotations]),
  };
}
