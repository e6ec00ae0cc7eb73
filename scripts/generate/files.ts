import { customResourceDefinition } from './custom-resource-definition.ts';
import { editorSchema } from './json-schema.ts';
import { containerReference } from './reference.ts';

/** Every file that is made from the schemas in src/spec, by its path in the repository. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['crds/containers.mooring.dev.yaml', customResourceDefinition()],
    ['schemas/container.schema.json', editorSchema()],
    ['docs/reference/container.md', containerReference()],
  ]);
}
