import type { z } from 'zod';
import { listed, nearest, quoted } from '../lib/text.ts';
import { fieldsOf, type Path, schemaAt, valueAt } from './schema-walk.ts';

/** One mistake in a document, by the path of the field that it concerns. */
export interface FieldFault {
  readonly path: Path;
  /** Whether it is the field's name that is wrong, rather than its value. */
  readonly onKey: boolean;
  readonly message: string;
  readonly fix?: string;
}

type Issue = z.core.$ZodIssue;

interface UnknownField extends FieldFault {
  /** The field that was probably meant. */
  readonly candidate: string | undefined;
}

/** The mistakes that a schema found in `value`, one each: what merely follows from another is left out. */
export function faultsOf(issues: readonly Issue[], schema: z.core.$ZodType, value: unknown, isHidden: (path: Path, value: unknown) => boolean = () => false): FieldFault[] {
  const unknown = issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? unknownFields(issue, schema, value) : []));
  const meant = new Set(unknown.flatMap(({ path, candidate }) => (candidate === undefined ? [] : [JSON.stringify([...path.slice(0, -1), candidate])])));
  const faults = new Map<string, FieldFault>();
  // zod bounds every integer by what a double can hold, before the bound that the field itself has.
  for (const issue of issues.toSorted((a, b) => Number('note' in a) - Number('note' in b))) {
    const path = JSON.stringify(issue.path);
    if (issue.code === 'unrecognized_keys' || faults.has(path) || (isMissing(issue, value) && meant.has(path))) continue;
    faults.set(path, { path: pathOf(issue), onKey: issue.code === 'invalid_key', ...(isHidden(pathOf(issue), value) ? explainHidden(issue) : explain(issue, value)) });
  }
  return [...faults.values(), ...unknown];
}

/** The same without the value. */
function explainHidden(issue: Issue): { message: string; fix?: string } {
  return issue.code === 'invalid_type' ? { message: `must be ${EXPECTED[issue.expected] ?? issue.expected}`, ...(issue.expected === 'string' && { fix: 'put it in quotes' }) } : explain(issue, undefined);
}

/** More of them are no help in one line. */
const MOST_LISTED = 16;

function unknownFields(issue: z.core.$ZodIssueUnrecognizedKeys, schema: z.core.$ZodType, value: unknown): UnknownField[] {
  const parent = schemaAt(schema, pathOf(issue));
  const known = parent === undefined ? [] : Object.keys(fieldsOf(parent));
  const present = Object.keys(valueAt(value, pathOf(issue)) ?? {});
  const free = known.filter((name) => !present.includes(name));
  return issue.keys.map((key) => {
    const candidate = nearest(key, free);
    const home = known.find((name) => parent !== undefined && Object.hasOwn(fieldsOf(fieldsOf(parent)[name] ?? parent), key));
    return {
      path: [...pathOf(issue), key],
      onKey: true,
      message: 'unknown field',
      fix: candidate !== undefined ? `did you mean ${candidate}?` : home !== undefined ? `write it below ${home}` : known.length > MOST_LISTED ? 'the reference page of the kind lists the fields that there are here' : `the fields here are ${listed(known)}`,
      candidate,
    };
  });
}

function explain(issue: Issue, value: unknown): { message: string; fix?: string } {
  const found = valueAt(value, pathOf(issue));
  switch (issue.code) {
    case 'invalid_type':
      return found === undefined ? { message: 'is required' } : mistyped(issue.expected, found);
    case 'invalid_union':
      return mistyped('quantity', found);
    case 'invalid_value':
      return found === undefined ? { message: 'is required' } : unknownValue(issue.values.map(String), found);
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues[0] === undefined ? { message: issue.message } : explain(issue.issues[0], undefined);
    case 'too_small':
      return { message: `${measure(issue.origin, found)}, at least ${issue.minimum} ${isAre(issue.origin)} needed` };
    case 'too_big':
      return { message: `${measure(issue.origin, found)}, at most ${issue.maximum} ${isAre(issue.origin)} allowed` };
    case 'custom':
      return typeof issue.params?.['fix'] === 'string' ? { message: issue.message, fix: issue.params['fix'] } : { message: issue.message };
    case 'invalid_format':
    case 'not_multiple_of':
    case 'unrecognized_keys':
      break;
  }
  return { message: issue.message };
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  quantity: 'a quantity such as 500m or 64Mi',
};

function mistyped(expected: string, found: unknown): { message: string; fix?: string } {
  const message = `must be ${EXPECTED[expected] ?? expected}, not ${described(found)}`;
  const fix = typeFix(expected, found);
  return fix === undefined ? { message } : { message, fix };
}

function typeFix(expected: string, found: unknown): string | undefined {
  if (expected === 'string' && (typeof found === 'number' || typeof found === 'boolean')) return `put it in quotes: "${String(found)}"`;
  if (typeof found !== 'string') return undefined;
  if (expected === 'boolean' && /^(yes|on|y|true)$/i.test(found)) return 'write true';
  if (expected === 'boolean' && /^(no|off|n|false)$/i.test(found)) return 'write false';
  if ((expected === 'number' || expected === 'int') && /^-?[0-9]+$/.test(found)) return `write it without quotes: ${found}`;
  return expected === 'array' ? `write a list: [${quoted(found)}]` : undefined;
}

function unknownValue(values: readonly string[], found: unknown): { message: string; fix?: string } {
  const message = `must be ${listed(values, 'or')}, not ${described(found)}`;
  const near = typeof found === 'string' ? nearest(found, values) : undefined;
  return near === undefined ? { message } : { message, fix: `did you mean ${near}?` };
}

function described(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return `the string ${quoted(value)}`;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'a mapping';
}

function measure(origin: string, found: unknown): string {
  if (origin === 'string') return `is ${String(found).length} characters long`;
  if (origin === 'array') return `has ${Array.isArray(found) ? found.length : 0} items`;
  return `is ${String(found)}`;
}

const isAre = (origin: string): string => (origin === 'string' || origin === 'array' ? 'are' : 'is');

function isMissing(issue: Issue, value: unknown): boolean {
  return (issue.code === 'invalid_type' || issue.code === 'invalid_value') && valueAt(value, pathOf(issue)) === undefined;
}

/** Keys of documents are strings and numbers; a symbol can't come out of a text. */
function pathOf(issue: Issue): (string | number)[] {
  return issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
}
