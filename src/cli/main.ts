import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

const args = process.argv.slice(2);
const [only = ''] = args;
if (args.length === 1 && (only === 'version' || only === '--version' || only === '-V')) {
  const { quickVersion } = await import('./quick-version.ts');
  process.exitCode = await quickVersion();
} else {
  // Compiled code is kept beside the bundle. Where that can't be written, each run compiles anew, and nothing else changes.
  enableCompileCache({ directory: fileURLToPath(new URL('compile-cache', import.meta.url)), portable: true });
  const [{ runCommand }, { processIo }] = await Promise.all([import('./program.ts'), import('./io.ts')]);
  process.exitCode = await runCommand(args, processIo());
}
