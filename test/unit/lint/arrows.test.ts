import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
let house: string;

beforeEach(async () => {
  house = await mkdtemp(join(tmpdir(), 'mooring-arrows-'));
  await cp(join(root, '.oxlintrc.json'), join(house, '.oxlintrc.json'));
});

afterEach(() => rm(house, { recursive: true }));

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(house, path)), { recursive: true });
  await writeFile(join(house, path), text);
}

function lint(): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'node_modules/oxlint/bin/oxlint'), 'src'], { cwd: house }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

test('an arrow that points down passes', async () => {
  await put('src/reconcile/actor.ts', "import { engine } from '../engine/engine.ts';\nexport const actor = engine;\n");
  await put('src/engine/engine.ts', 'export const engine = 1;\n');
  const { code, output } = await lint();
  assert.equal(code, 0, output);
});

for (const [from, to] of [
  ['lib', 'spec'],
  ['spec', 'engine'],
  ['native', 'engine'],
  ['engine', 'reconcile'],
  ['reconcile', 'api'],
  ['sources', 'daemon'],
  ['metrics', 'api'],
  ['api', 'cli'],
  ['cli', 'engine'],
] as const) {
  test(`an arrow from ${from} up to ${to} fails`, async () => {
    await put(`src/${from}/low.ts`, `import { high } from '../${to}/high.ts';\nexport const low = high;\n`);
    await put(`src/${to}/high.ts`, 'export const high = 1;\n');
    const { code, output } = await lint();
    assert.notEqual(code, 0);
    assert.match(output, /no-restricted-imports/);
  });
}

test('a circle within a room fails', async () => {
  await put('src/engine/one.ts', "import { two } from './two.ts';\nexport const one = (): number => two();\n");
  await put('src/engine/two.ts', "import { one } from './one.ts';\nexport const two = (): number => one();\n");
  const { code, output } = await lint();
  assert.notEqual(code, 0);
  assert.match(output, /no-cycle/);
});
