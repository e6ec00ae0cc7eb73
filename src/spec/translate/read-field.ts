import { listed, nearest, quoted } from '../../lib/text.ts';
import type { Field, ListField, MappingField } from './field.ts';
import { FieldError } from './problem-list.ts';

/** The readers throw a FieldError where the field is not what is asked for. */

/** A text; numbers and booleans as they are written. */
export function textOf(field: Field): string {
  const { value } = field;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new FieldError(field, `must be a text, not ${described(field)}`);
}

/** A whole number, also in quotes, as a variable's value is. */
export function integerOf(field: Field): number {
  const text = textOf(field);
  if (/^[+-]?[0-9]{1,15}$/.test(text)) return Number(text);
  throw new FieldError(field, `must be a whole number, not ${quoted(text)}`);
}

/** A number, also in quotes. */
export function numberOf(field: Field): number {
  const text = textOf(field);
  if (/^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)$/.test(text)) return Number(text);
  throw new FieldError(field, `must be a number, not ${quoted(text)}`);
}

/** True or false, also in quotes. */
export function flagOf(field: Field): boolean {
  const text = textOf(field).toLowerCase();
  if (['true', 'yes', 'y', 'on', '1'].includes(text)) return true;
  if (['false', 'no', 'n', 'off', '0'].includes(text)) return false;
  throw new FieldError(field, `must be true or false, not ${quoted(text)}`);
}

export function itemsOf(field: Field): readonly Field[] {
  if (isList(field)) return field.value;
  throw new FieldError(field, `must be a list, not ${described(field)}`);
}

/** A list, or the one value that stands for a list of itself. */
export function oneOrMore(field: Field): readonly Field[] {
  return isList(field) ? field.value : [field];
}

export function entriesOf(field: Field): readonly (readonly [string, Field])[] {
  if (isMap(field)) return [...field.value];
  throw new FieldError(field, `must be a mapping, not ${described(field)}`);
}

/** The fields of a mapping that has no others than these. */
export function fieldsAmong<const Name extends string>(field: Field, names: readonly Name[]): Partial<Record<Name, Field>> {
  for (const [key, value] of entriesOf(field)) if (!(names as readonly string[]).includes(key) && !key.startsWith('x-')) throw unknownField(value, key, names);
  const given: Partial<Record<Name, Field>> = {};
  for (const name of names) {
    const value = field.get(name);
    if (value !== undefined) given[name] = value;
  }
  return given;
}

export function unknownField(field: Field, key: string, known: readonly string[]): FieldError {
  const near = nearest(key, known);
  return new FieldError(field, 'unknown field', near !== undefined ? `did you mean ${near}?` : known.length <= 16 ? `the fields here are ${listed(known)}` : undefined, true);
}

/** One of the words. */
export function wordOf<const Word extends string>(field: Field, words: readonly Word[]): Word {
  const text = textOf(field);
  const word = words.find((known) => known === text);
  if (word !== undefined) return word;
  const near = nearest(text, words);
  throw new FieldError(field, `must be ${listed(words, 'or')}, not ${quoted(text)}`, near === undefined ? undefined : `did you mean ${near}?`);
}

export function isMap(field: Field): field is MappingField {
  return field.value instanceof Map;
}

export function isList(field: Field): field is ListField {
  return Array.isArray(field.value);
}

export function described(field: Field): string {
  const { value } = field;
  if (typeof value === 'string') return `the text ${quoted(value)}`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value === null ? 'nothing' : isList(field) ? 'a list' : 'a mapping';
}
