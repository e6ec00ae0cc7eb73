import { stringify } from 'yaml';
import { containerStatusSchema } from '../../src/spec/condition.ts';
import { containerSpecSchema } from '../../src/spec/container.ts';
import { INT_OR_STRING, jsonSchemaOf, type SchemaNode } from './json-schema.ts';

const READY = '.status.conditions[?(@.type=="Ready")]';

/** The CustomResourceDefinition of `Container`: a structural schema, so nothing closes objects and unions are spelt as Kubernetes wants them. */
export function customResourceDefinition(): string {
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'containers.mooring.dev' },
    spec: {
      group: 'mooring.dev',
      scope: 'Namespaced',
      names: { plural: 'containers', singular: 'container', kind: 'Container', listKind: 'ContainerList', shortNames: ['mc'], categories: ['all', 'mooring'] },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: 'Ready', type: 'string', jsonPath: `${READY}.status` },
            { name: 'Reason', type: 'string', jsonPath: `${READY}.reason` },
            { name: 'Restarts', type: 'integer', jsonPath: '.status.restartCount' },
            { name: 'Node', type: 'string', jsonPath: '.status.nodeName' },
            { name: 'Image', type: 'string', jsonPath: '.spec.image' },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          schema: { openAPIV3Schema: resourceSchema() },
        },
      ],
    },
  };
  return `# Generated from src/spec by scripts/generate.ts; not to be edited.\n${stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}

function resourceSchema(): SchemaNode {
  return {
    type: 'object',
    description: 'A container that Mooring keeps as it is described here.',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: { description: 'What should run.', ...jsonSchemaOf(containerSpecSchema, 'openapi-3.0', makeStructural) },
      status: { description: 'What runs.', ...jsonSchemaOf(containerStatusSchema, 'openapi-3.0', makeStructural) },
    },
  };
}

function makeStructural(node: SchemaNode): void {
  if (node.additionalProperties === false) delete node.additionalProperties;
  if (node[INT_OR_STRING] === true) node.anyOf = [{ type: 'integer' }, { type: 'string' }];
  // zod says a time's whole grammar as a pattern beside its format; the format is enough, and what Kubernetes knows.
  if (node['format'] === 'date-time') delete node['pattern'];
}
