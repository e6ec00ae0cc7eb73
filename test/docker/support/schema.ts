/** The part of JSON Schema that the answers' documented types are written in. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly additionalProperties?: Schema | boolean;
  readonly allOf?: readonly Schema[];
  readonly $ref?: string;
}

/** Everything in which a value is not of a schema, each with its place. Null stands for an object, a list or a text that is not there, as Go writes it. */
export function faultsIn(value: unknown, schema: Schema, definitions: Readonly<Record<string, Schema>>, at = ''): string[] {
  if (schema.$ref !== undefined) {
    const target = definitions[schema.$ref.slice('#/$defs/'.length)];
    return target === undefined ? [`${at}: ${schema.$ref} is not defined`] : faultsIn(value, target, definitions, at);
  }
  const below = (schema.allOf ?? []).flatMap((part) => faultsIn(value, part, definitions, at));
  if (value === null || value === undefined) return below;
  if (schema.type !== undefined && !isOf(value, schema.type)) return [...below, `${at}: ${JSON.stringify(value)?.slice(0, 80)} is not of type ${schema.type}`];
  if (schema.enum !== undefined && value !== '' && !schema.enum.includes(value)) return [...below, `${at}: ${JSON.stringify(value)} is none of ${JSON.stringify(schema.enum)}`];
  if (Array.isArray(value)) return [...below, ...(schema.items === undefined ? [] : value.flatMap((item, index) => faultsIn(item, schema.items as Schema, definitions, `${at}[${index}]`)))];
  if (typeof value !== 'object') return below;
  const { properties = {}, required = [], additionalProperties } = schema;
  const missing = required.filter((name) => !Object.hasOwn(value, name)).map((name) => `${at}.${name}: is required`);
  const inner = Object.entries(value).flatMap(([name, item]) => {
    const known = properties[name] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
    return known === undefined ? [] : faultsIn(item, known, definitions, `${at}.${name}`);
  });
  return [...below, ...missing, ...inner];
}

function isOf(value: unknown, type: NonNullable<Schema['type']>): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && !Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

/**
 * What an answer has of fields, each with its type: `.State.Pid number`. Of a list the first item stands for all, of a map of free keys (as ids and names are)
 * nothing below it is told. Null and an empty list or object tell nothing of what they would hold.
 */
export function fieldsOf(value: unknown, at = ''): Map<string, string> {
  const fields = new Map<string, string>();
  if (Array.isArray(value)) {
    // Of all items together: an engine lists them in any order, and not each has every field.
    for (const [path, type] of value.flatMap((item) => [...fieldsOf(item, `${at}[]`)])) if (type !== 'null' || !fields.has(path)) fields.set(path, type);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      if (!/^[A-Z][A-Za-z0-9]*$|^[a-z_]+$/.test(name)) continue;
      const path = `${at}.${name}`;
      fields.set(path, item === null ? 'null' : Array.isArray(item) ? 'array' : typeof item);
      for (const [inner, type] of fieldsOf(item, path)) fields.set(inner, type);
    }
  }
  return fields;
}
