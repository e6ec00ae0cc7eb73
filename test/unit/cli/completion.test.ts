import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { runCommand } from '../../../src/cli/program.ts';
import { fakeIo } from './fake-io.ts';

const run = promisify(execFile);

/** A `mooring` that has one of each. */
const FAKE = 'case "$*" in get*) echo container/web; echo prod/api ;; images*) echo example/app:1 ;; network*) echo back ;; volume*) echo data ;; esac';

const CASES: readonly (readonly [words: string, expected: readonly string[]])[] = [
  ['ap', ['apply']],
  ['get -o ', ['json', 'yaml', 'wide', 'name']],
  ['logs --ta', ['--tail']],
  ['completion z', ['zsh']],
  ['image pru', ['prune']],
  ['image rm --fo', ['--force']],
  ['network rm ', ['back']],
  ['volume inspect ', ['data']],
  ['stop ', ['web', 'prod/api']],
  ['rmi ', ['example/app:1']],
  ['run --network ', ['back']],
  ['-H /x rmi ', ['example/app:1']],
  ['run --pull ', ['always', 'missing', 'never']],
  ['inspect ', ['web', 'prod/api', 'example/app:1', 'back', 'data']],
];

async function scriptOf(shell: string): Promise<string> {
  const io = fakeIo();
  assert.equal(await runCommand(['completion', shell], io), 0);
  return io.written.out;
}

async function isThere(shell: string): Promise<boolean> {
  return run('sh', ['-c', `command -v ${shell}`]).then(() => true, () => false);
}

test('bash completes commands, those of groups, flags, their values, and names of what there is', async () => {
  const script = await scriptOf('bash');
  for (const [words, expected] of CASES) {
    const { stdout } = await run('bash', ['-c', `mooring() { ${FAKE}; }\n${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mooring; printf '%s\\n' "\${COMPREPLY[@]}"`, 'bash', 'mooring', ...words.split(' ')]);
    assert.deepEqual(stdout.trim().split('\n'), expected, words);
  }
});

test('fish completes the same', async (t) => {
  if (!(await isThere('fish'))) return t.skip('there is no fish here');
  const script = await scriptOf('fish');
  for (const [words, expected] of CASES) {
    const { stdout } = await run('fish', ['-c', `function mooring\n sh -c '${FAKE.replaceAll("'", `'\\''`)}' sh $argv\nend\n${script}\ncomplete -C 'mooring ${words}'`], { env: { PATH: process.env['PATH'], HOME: '/nonexistent' } });
    const found = stdout.trim().split('\n').map((line) => line.split('\t')[0] ?? '');
    assert.deepEqual(found.toSorted((a, b) => (a < b ? -1 : 1)), [...expected].toSorted((a, b) => (a < b ? -1 : 1)), words);
  }
});

test('each shell that is here accepts its completion script', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const script = await scriptOf(shell);
    assert.match(script, /all-namespaces/);
    if (!(await isThere(shell))) continue;
    const folder = await mkdtemp(join(tmpdir(), 'mooring-completion-'));
    await writeFile(join(folder, 'script'), script);
    await run(shell, ['-n', join(folder, 'script')]);
    await rm(folder, { recursive: true });
  }
});
