import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { stateDiagram } from '../../../scripts/state-diagram.ts';

test('docs/state-diagram.md is what the machine says', async () => {
  const page = await readFile(new URL('../../../docs/state-diagram.md', import.meta.url), 'utf8');
  assert.equal(page, stateDiagram(), 'run scripts/state-diagram.ts and commit the result');
});
