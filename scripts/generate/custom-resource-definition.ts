import { stringify } from 'yaml';
import { INT_OR_STRING, jsonSchemaOf, type SchemaNode } from './json-schema.ts';
import type { Kind } from './kinds.ts';

const READY = '.status.conditions[?(@.type=="Ready")]';

/** The CustomResourceDefinition of a kind: a structural schema, so nothing closes objects and unions are spelt as Kubernetes wants them. */
export function customResourceDefinition({ kind, plural, shortName, columns, description, spec, specDescription, specOptional, status, statusDescription }: Kind): string {
  const singular = kind.toLowerCase();
  const schema: SchemaNode = {
    type: 'object',
    description,
    ...(!specOptional && { required: ['spec'] }),
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: { description: specDescription, ...jsonSchemaOf(spec, 'openapi-3.0', makeStructural) },
      status: { description: statusDescription, ...jsonSchemaOf(status, 'openapi-3.0', makeStructural) },
    },
  };
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.mooring.dev` },
    spec: {
      group: 'mooring.dev',
      scope: 'Namespaced',
      names: { plural, singular, kind, listKind: `${kind}List`, shortNames: [shortName], categories: ['all', 'mooring'] },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: 'Ready', type: 'string', jsonPath: `${READY}.status` },
            { name: 'Reason', type: 'string', jsonPath: `${READY}.reason` },
            ...columns.map(([name, type, jsonPath]) => ({ name, type, jsonPath })),
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          schema: { openAPIV3Schema: schema },
        },
      ],
    },
  };
  return `# Generated from src/spec by scripts/generate.ts; not to be edited.\n${stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}

function makeStructural(node: SchemaNode): void {
  if (node.additionalProperties === false) delete node.additionalProperties;
  if (node[INT_OR_STRING] === true) node.anyOf = [{ type: 'integer' }, { type: 'string' }];
  // zod says a time's whole grammar as a pattern beside its format; the format is enough, and what Kubernetes knows.
  if (node['format'] === 'date-time') delete node['pattern'];
}
