import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHidden, isSpecFile } from '../../../src/sources/directory/names.ts';

test('spec files are known by their suffix', () => {
  for (const name of ['web.yaml', 'web.yml', 'web.json', 'a.b.yaml', 'web-1.yaml', 'wéb.yaml', 'with space.yaml']) assert.ok(isSpecFile(name), name);
});

test("what editors and tools leave beside a file is none", () => {
  const strays = ['.web.yaml', '.web.yaml.swp', '.web.yaml.swx', 'web.yaml~', 'web.yaml.bak', 'web.yaml-bak', 'web.yaml.orig', '#web.yaml#', '.#web.yaml', '#web.yaml', '~web.yaml', '4913', 'web.yaml.tmp', 'yaml', '.yaml', 'web.yaml.kate-swp', 'web.YAML.old', 'sedAbC123', '..data'];
  for (const name of strays) assert.ok(!isSpecFile(name), name);
});

test('dot folders are hidden', () => {
  for (const name of ['.git', '..data', '..2024_01_01']) assert.ok(isHidden(name), name);
  assert.ok(!isHidden('sites'));
});
