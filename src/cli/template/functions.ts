import { formatted, printed } from './print.ts';
import { wrong } from './wrong.ts';

type Value = unknown;

/** Those of Go's text/template and of Docker's own (https://docs.docker.com/engine/cli/formatting/). */
export const FUNCTIONS: Readonly<Record<string, (...values: Value[]) => Value>> = {
  json: (value) => JSON.stringify(value ?? null),
  join: (list, separator) => listOf('join', list).map(printed).join(printed(separator)),
  split: (text, separator) => printed(text).split(printed(separator)),
  lower: (text) => printed(text).toLowerCase(),
  upper: (text) => printed(text).toUpperCase(),
  title: (text) => printed(text).replace(/(^|\s)\S/g, (letter) => letter.toUpperCase()),
  pad: (text, before, after) => `${' '.repeat(Number(before))}${printed(text)}${' '.repeat(Number(after))}`,
  truncate: (text, length) => printed(text).slice(0, Number(length)),
  len: (value) => (typeof value === 'string' ? Buffer.byteLength(value) : Object.keys(collectionOf('len', value)).length),
  index: (value, ...keys) => keys.reduce(indexed, value),
  slice: (value, from = 0, to?: Value) => (typeof value === 'string' ? value.slice(Number(from), to === undefined ? undefined : Number(to)) : listOf('slice', value).slice(Number(from), to === undefined ? undefined : Number(to))),
  print: (...values) => values.map(printed).join(''),
  println: (...values) => `${values.map(printed).join(' ')}\n`,
  printf: (format, ...values) => formatted(printed(format), values),
  and: (...values) => values.find((value) => !isTrue(value)) ?? (values.every(isTrue) ? values.at(-1) : undefined),
  or: (...values) => values.find(isTrue) ?? values.at(-1),
  not: (value) => !isTrue(value),
  eq: (first, ...others) => others.some((other) => isSame(first, other)),
  ne: (first, second) => !isSame(first, second),
  lt: (first, second) => compared(first, second) < 0,
  le: (first, second) => compared(first, second) <= 0,
  gt: (first, second) => compared(first, second) > 0,
  ge: (first, second) => compared(first, second) >= 0,
};

/** Go's truth: false, 0, "", nil and what holds nothing are not. */
export function isTrue(value: Value): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

function indexed(value: Value, key: Value): Value {
  const collection = collectionOf('index', value);
  if (!Array.isArray(collection)) return Object.hasOwn(collection, printed(key)) ? collection[printed(key)] : '';
  const item: Value = collection[Number(key)];
  if (item === undefined) throw wrong(`index ${printed(key)} is beyond the ${collection.length} that there are`);
  return item;
}

function collectionOf(name: string, value: Value): Record<string, Value> | Value[] {
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object') throw wrong(`${name} of ${JSON.stringify(value)}: it holds nothing`);
  return value as Record<string, Value>;
}

function listOf(name: string, value: Value): Value[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw wrong(`${name} wants a list, not ${JSON.stringify(value)}`);
  return value;
}

function isSame(a: Value, b: Value): boolean {
  return a === b || ((a ?? null) === null && (b ?? null) === null);
}

function compared(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  throw wrong(`${JSON.stringify(a)} and ${JSON.stringify(b)} have no order`);
}
