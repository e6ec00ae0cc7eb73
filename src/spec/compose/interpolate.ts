import type { Field } from '../translate/field.ts';
import type { ProblemList } from '../translate/problem-list.ts';
import { isList, isMap } from '../translate/read-field.ts';
import { expandTemplate, type Lookup } from './template.ts';

/** The field with the variables in all its texts replaced; keys, and what begins with `x-`, stay as they are. */
export function interpolated(field: Field, lookup: Lookup, problems: ProblemList): Field {
  if (isList(field)) return field.with(field.value.map((item) => interpolated(item, lookup, problems)));
  if (isMap(field)) return field.with(new Map([...field.value].map(([key, value]) => [key, key.startsWith('x-') ? value : interpolated(value, lookup, problems)])));
  const { value } = field;
  if (typeof value !== 'string' || !value.includes('$')) return field;
  const unset = (variable: string): void => problems.warn(field, `the variable ${variable} is not set and counts as empty`, `set it in .env beside the file, or give it a default: \${${variable}:-}`, false);
  return problems.attempt(field, () => field.with(expandTemplate(value, lookup, unset))) ?? field;
}
