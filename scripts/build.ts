// Bundles the program into dist/, ES modules with source maps:
//   cli.js      starts fast: `mooring version` needs nothing else
//   program.js  the command line's parser and all commands
//   yaml.js     for `-o yaml` only
//   documents.js  for compose files, and `mooring convert`
//   daemon.js   the daemon
// A file each, since a start costs about a millisecond for every further file that it imports.
import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build as esbuild, type BuildOptions, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = `${root}dist`;

/** Leaves these dynamic imports to be loaded, when they are reached, from a file of their own. */
function apart(files: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'apart',
    setup: (build) =>
      build.onResolve({ filter: /./ }, ({ path, kind }) => {
        const file = kind === 'dynamic-import' ? files[path] : undefined;
        return file === undefined ? undefined : { path: file, external: true };
      }),
  };
}

async function bundle(name: string, source: Pick<BuildOptions, 'entryPoints' | 'stdin'>, plugins: Plugin[] = []): Promise<void> {
  await esbuild({
    absWorkingDir: root,
    ...source,
    outfile: `${dist}/${name}.js`,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // Node 24 has it; lowered, an error caught within a loop would be thrown again by its next turn.
    supported: { using: true },
    sourcemap: true,
    legalComments: 'none',
    logLevel: 'warning',
    plugins,
    // CommonJS dependencies ask for Node's own modules through `require`, which an ES module does not have.
    banner: { js: "import { createRequire as createRequireHere } from 'node:module'; const require = createRequireHere(import.meta.url);" },
  });
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
const loadedLater = apart({ './program.ts': './program.js', yaml: './yaml.js', '../spec/read-documents.ts': './documents.js' });
await Promise.all([
  bundle('cli', { entryPoints: ['src/cli/main.ts'] }, [loadedLater]),
  bundle('program', { entryPoints: ['src/cli/program.ts'] }, [loadedLater]),
  bundle('yaml', { stdin: { contents: "export { stringify } from 'yaml';", resolveDir: root } }),
  bundle('documents', { entryPoints: ['src/spec/read-documents.ts'] }),
  bundle('daemon', { entryPoints: ['src/daemon/daemon.ts'] }),
]);

// The first run fills the V8 compile cache beside the bundle, so that every user's first run finds it warm.
await promisify(execFile)(process.execPath, [`${dist}/cli.js`, '--help']);
