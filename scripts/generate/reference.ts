import type { CoreKind, Kind } from './kinds.ts';
import { INT_OR_STRING, jsonSchemaOf, type SchemaNode } from './json-schema.ts';

/** The reference page of a kind, in Markdown. */
export function referencePage(kind: CoreKind | Kind): string {
  const resource = jsonSchemaOf(kind.resource, 'openapi-3.0', () => {});
  const status = 'status' in kind ? [STATUS, ...sections('status', jsonSchemaOf(kind.status, 'openapi-3.0', () => {}))] : [];
  return `${[kind.introduction, ...sections('', resource), ...status].join('\n\n')}\n`;
}

const STATUS = `## Status

Written by Mooring.`;

/** The table of one object, then those of the objects in it. */
function sections(path: string, object: SchemaNode): string[] {
  const fields = Object.entries(object.properties ?? {});
  const rows = fields.map(([name, field]) => `| \`${name}\` | ${typeOf(field)} | ${defaultOf(field, object.required?.includes(name) ?? false)} | ${cell(field.description ?? '')} |`);
  const title = path === '' ? [] : [`### ${path}`];
  const table = ['| Field | Type | Default | Description |', '| --- | --- | --- | --- |', ...rows].join('\n');
  const below = fields.flatMap(([name, field]) => {
    const at = path === '' ? name : `${path}.${name}`;
    if (field.properties !== undefined) return sections(at, field);
    return field.items?.properties === undefined ? [] : sections(`${at}[]`, field.items);
  });
  return [...title, table, ...below];
}

function typeOf(node: SchemaNode): string {
  if (node[INT_OR_STRING] === true) return 'quantity';
  if (Array.isArray(node['enum'])) return node['enum'].map((value) => `\`${String(value)}\``).join(', ');
  if (node.items !== undefined) return `list of ${node.items.properties === undefined ? `${typeOf(node.items)}s` : 'objects'}, at most ${String(node['maxItems'])}`;
  if (typeof node.additionalProperties === 'object') return 'map of strings';
  if (node.type === 'integer') return integerRange(node);
  return node.type ?? 'any';
}

function integerRange({ minimum, maximum }: SchemaNode): string {
  return maximum === undefined ? `integer from ${minimum}` : `integer ${minimum}–${maximum}`;
}

function defaultOf(node: SchemaNode, required: boolean): string {
  if (required) return 'required';
  return node.default === undefined ? '' : `\`${JSON.stringify(node.default).replace(/^"(.+)"$/, '$1')}\``;
}

const cell = (text: string) => text.replaceAll('|', '\\|');
