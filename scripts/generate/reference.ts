import { containerStatusSchema } from '../../src/spec/condition.ts';
import { containerSchema } from '../../src/spec/container.ts';
import { WITHOUT_RECREATION } from '../../src/spec/hash.ts';
import { CLUSTER_METADATA } from '../../src/spec/metadata.ts';
import { MAX_FILE_BYTES } from '../../src/spec/source-text.ts';
import { MAX_DOCUMENTS } from '../../src/spec/yaml-text.ts';
import { INT_OR_STRING, jsonSchemaOf, type SchemaNode } from './json-schema.ts';

/** The reference page of `Container`, in Markdown. */
export function containerReference(): string {
  const resource = jsonSchemaOf(containerSchema, 'openapi-3.0', () => {});
  const status = jsonSchemaOf(containerStatusSchema, 'openapi-3.0', () => {});
  return `${[INTRODUCTION, ...sections('', resource), STATUS, ...sections('status', status)].join('\n\n')}\n`;
}

const words = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ');

const INTRODUCTION = `<!-- Generated from src/spec by scripts/generate.ts; not to be edited. -->
# Container

A container that Mooring keeps as it is described: in a file of the specs directory, in a cluster, or given to \`mooring apply\`.

\`\`\`yaml
apiVersion: mooring.dev/v1alpha1
kind: Container
metadata:
  name: hello
spec:
  image: mooring.local/busybox:latest
  command: [sh, -c, "while :; do date; sleep 10; done"]
\`\`\`

## How files are read

- YAML 1.2 with its core schema, or JSON. \`yes\`, \`no\`, \`on\` and \`off\` are strings; write \`true\` and \`false\`.
- Several documents in one file are divided by \`---\`; empty ones are skipped. A \`v1\` \`List\`, as \`kubectl get -o yaml\` prints it, counts as its items.
- Anchors and aliases work. Merge keys (\`<<\`) and tags beyond \`!!str\`, \`!!int\`, \`!!float\`, \`!!bool\`, \`!!null\`, \`!!map\` and \`!!seq\` are refused.
- A field with nothing behind its colon, or \`null\`, is a field left out.
- Fields that are not listed here are mistakes, and so are repeated ones. What a cluster adds is accepted and ignored: \`status\`, and in
  \`metadata\` ${words(CLUSTER_METADATA)}.
- A file holds at most ${MAX_FILE_BYTES / 1024} KiB and ${MAX_DOCUMENTS} documents. It is UTF-8.
- A schema for editors is in \`schemas/container.schema.json\`: begin a file with
  \`# yaml-language-server: $schema=…/schemas/container.schema.json\`.

Quantities and durations follow the grammar of Kubernetes. A quantity is a number, alone or with a suffix: \`m\` for
thousandths, \`k M G T P E\` for powers of 1000, \`Ki Mi Gi Ti Pi Ei\` for powers of 1024, \`e3\` for a power of 10. A duration is a sequence of numbers with
units out of \`h m s ms us ns\`: \`1m30s\`, \`1.5h\`.

A change of ${words(WITHOUT_RECREATION.map((field) => `spec.${field}`))} or of the metadata takes effect on the container that is there.
A change of any other field makes a new container. Two ways of writing the same value, such as \`0.5\` and \`500m\`, are no change.

## Fields`;

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
