/**
 * Writes the custom resource definitions, the editors' schemas and the reference pages from the schemas in src/spec, and the command line's reference from its definitions in src/cli.
 * With `--check` it writes nothing and exits 1, naming each file that is not what it would write.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf } from '../src/lib/errors.ts';
import { generatedFiles } from './generate/files.ts';

const root = dirname(import.meta.dirname);
const check = process.argv.includes('--check');

for (const [path, wanted] of generatedFiles()) {
  const file = join(root, path);
  if ((await present(file)) === wanted) continue;
  if (check) {
    console.error(`${path} is not what the sources say: run scripts/generate.ts and commit the result`);
    process.exitCode = 1;
  } else {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, wanted);
    console.log(`wrote ${path}`);
  }
}

async function present(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
