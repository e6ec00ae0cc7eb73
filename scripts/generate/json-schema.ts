import { z } from 'zod';
import { CLUSTER_METADATA } from '../../src/spec/metadata.ts';
import type { CoreKind } from './kinds.ts';

/** A node of a JSON Schema as the generators read it. */
export interface SchemaNode {
  [keyword: string]: unknown;
  type?: string;
  description?: string;
  default?: unknown;
  properties?: Record<string, SchemaNode>;
  required?: string[];
  minimum?: number;
  maximum?: number;
  items?: SchemaNode;
  additionalProperties?: boolean | SchemaNode;
  anyOf?: SchemaNode[];
}

export const INT_OR_STRING = 'x-kubernetes-int-or-string';

/** A zod schema as JSON Schema of what may be written, each node passed through `refine` from the leaves up. */
export function jsonSchemaOf(schema: z.ZodType, target: 'draft-7' | 'openapi-3.0', refine: (node: SchemaNode) => void): SchemaNode {
  return z.toJSONSchema(schema, {
    target,
    io: 'input',
    reused: 'inline',
    cycles: 'throw',
    override: ({ jsonSchema }) => {
      const node = jsonSchema as SchemaNode;
      delete node['readOnly']; // zod's `.readonly()` is about types, not about who may write the field
      if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum; // zod's bound of every integer, not a rule of ours
      refine(node);
    },
  }) as SchemaNode;
}

/** The JSON Schema that editors check files against; what only a cluster writes is allowed, as the parser allows it. */
export function editorSchema({ kind, resource }: CoreKind): string {
  const schema = jsonSchemaOf(resource, 'draft-7', (node) => {
    if (node[INT_OR_STRING] === true) {
      node.anyOf = [{ type: 'number' }, { type: 'string', pattern: node['pattern'], maxLength: node['maxLength'] }];
      delete node['pattern'];
      delete node['maxLength'];
    }
    for (const keyword of Object.keys(node)) if (keyword.startsWith('x-kubernetes-')) delete node[keyword];
  });
  const ignored = { description: 'Written by a cluster; ignored in files.' };
  const { metadata } = schema.properties ?? {};
  if (metadata?.properties === undefined || schema.properties === undefined) throw new Error(`the schema of ${kind} has no metadata`);
  for (const field of CLUSTER_METADATA) metadata.properties[field] = ignored;
  schema.properties['status'] = ignored;
  return `${JSON.stringify({ $schema: schema['$schema'], title: `Mooring ${kind}`, ...schema }, null, 2)}\n`;
}
