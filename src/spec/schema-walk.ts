import { z } from 'zod';

type Schema = z.core.$ZodType;
export type Path = readonly (string | number)[];

/** The schema inside optional, default and read-only wrappers. */
export function unwrapped(schema: Schema): Schema {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault || inner instanceof z.ZodReadonly) inner = inner.unwrap();
  return inner;
}

/** The fields of an object's schema; empty for any other schema. */
export function fieldsOf(schema: Schema): Readonly<Record<string, Schema>> {
  const inner = unwrapped(schema);
  return inner instanceof z.ZodObject ? inner.shape : {};
}

/** The schema of a list's items; undefined for any other schema. */
export function itemOf(schema: Schema): Schema | undefined {
  const inner = unwrapped(schema);
  return inner instanceof z.ZodArray ? inner.element : undefined;
}

/** The schema that governs the value at `path`; undefined where the path leaves the schema. */
export function schemaAt(schema: Schema, path: Path): Schema | undefined {
  let current: Schema | undefined = schema;
  for (const step of path) {
    if (current === undefined) return undefined;
    current = typeof step === 'number' ? itemOf(current) : ownField(fieldsOf(current), step);
  }
  return current;
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at `path` below a plain value; undefined where there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const step of path) {
    if (Array.isArray(current) && typeof step === 'number') current = current[step];
    else if (isMapping(current) && Object.hasOwn(current, step)) current = current[step];
    else return undefined;
  }
  return current;
}

/**
 * The value without the nulls that stand for known fields: Kubernetes takes `command:` with nothing behind it for a field that was left out.
 */
export function withoutNulls(schema: Schema, value: unknown): unknown {
  const item = itemOf(schema);
  if (Array.isArray(value) && item !== undefined) return value.map((element) => withoutNulls(item, element));
  const fields = fieldsOf(schema);
  if (!isMapping(value) || Object.keys(fields).length === 0) return value;
  const kept: Record<string, unknown> = Object.create(null);
  for (const [key, field] of Object.entries(value)) {
    const known = ownField(fields, key);
    if (known === undefined) kept[key] = field;
    else if (field !== null) kept[key] = withoutNulls(known, field);
  }
  return kept;
}

/** The field path as people write it: `spec.env[2].name`, `metadata.labels["app.kubernetes.io/name"]`. */
export function fieldPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(step)) return `${text}[${JSON.stringify(step)}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

function ownField(fields: Readonly<Record<string, Schema>>, key: string): Schema | undefined {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}
