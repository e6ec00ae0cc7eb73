import { commandReference } from './command-reference.ts';
import { customResourceDefinition } from './custom-resource-definition.ts';
import { editorSchema } from './json-schema.ts';
import { CORE_KINDS, KINDS } from './kinds.ts';
import { referencePage } from './reference.ts';

/** Every file that is made from the schemas in src/spec and from the definitions of commands in src/cli, by its path in the repository. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/reference/cli.md', commandReference()],
    ...KINDS.flatMap((kind) => {
      const name = kind.kind.toLowerCase();
      return [
        [`crds/${kind.plural}.mooring.dev.yaml`, customResourceDefinition(kind)],
        [`schemas/${name}.schema.json`, editorSchema(kind)],
        [`docs/reference/${name}.md`, referencePage(kind)],
      ] as const;
    }),
    ...CORE_KINDS.flatMap((kind) => {
      const name = kind.kind.toLowerCase();
      return [
        [`schemas/${name}.schema.json`, editorSchema(kind)],
        [`docs/reference/${name}.md`, referencePage(kind)],
      ] as const;
    }),
  ]);
}
