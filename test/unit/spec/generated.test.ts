import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { generatedFiles } from '../../../scripts/generate/files.ts';
import type { SchemaNode } from '../../../scripts/generate/json-schema.ts';

const root = join(import.meta.dirname, '../../..');

for (const [path, wanted] of generatedFiles()) {
  test(`${path} is what the schemas say`, async () => {
    assert.equal(await readFile(join(root, path), 'utf8'), wanted, 'run scripts/generate.ts and commit the result');
  });
}

for (const plural of ['containers', 'networks', 'volumes']) test(`the CRD of ${plural} is structural, and every field of it says what it is for`, () => {
  const crd = parse(generatedFiles().get(`crds/${plural}.mooring.dev.yaml`) ?? '') as { spec: { versions: { schema: { openAPIV3Schema: SchemaNode } }[] } };
  const schema = crd.spec.versions[0]?.schema.openAPIV3Schema;
  assert.ok(schema?.properties?.['spec'] !== undefined && schema.properties['status'] !== undefined);
  for (const [field, node] of nodesOf(schema.properties['spec'], 'spec').concat(nodesOf(schema.properties['status'], 'status'))) {
    assert.equal(node.additionalProperties, undefined, `${field} is closed`);
    assert.ok(node.type !== undefined || node['x-kubernetes-int-or-string'] === true, `${field} has no type`);
    if (!field.endsWith('[]')) assert.ok(typeof node.description === 'string' && node.description.endsWith('.'), `${field} has no description`);
    if (node.type === 'array') assert.ok(typeof node['maxItems'] === 'number', `${field} has no bound`);
    if (node.type === 'string' && node['enum'] === undefined && node['format'] === undefined) assert.ok(typeof node['maxLength'] === 'number', `${field} has no bound`);
  }
});

function nodesOf(node: SchemaNode, path: string): [string, SchemaNode][] {
  return [
    [path, node],
    ...(node.items === undefined ? [] : nodesOf(node.items, `${path}[]`)),
    ...Object.entries(node.properties ?? {}).flatMap(([name, field]) => nodesOf(field, `${path}.${name}`)),
  ];
}
