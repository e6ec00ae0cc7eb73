import { spawn } from 'node:child_process';

/** Longer than any command of the benches takes: whatever hangs is ended, and its contender out. */
const PATIENCE_MS = 600_000;

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: NodeJS.ReadableStream;
}

/** Runs a command, its descriptor 3 being /dev/null, and gives its standard output; a non-zero exit, or ten minutes, throws with what it said. */
export function capture(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: options.env ?? process.env, stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', 'ignore'], timeout: PATIENCE_MS, killSignal: 'SIGKILL' });
    let output = '';
    let errors = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    if (options.input !== undefined && child.stdin !== null) options.input.pipe(child.stdin);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${command} ${args.join(' ')}: exit ${code ?? signal}: ${(errors || output).trim().slice(-600)}`));
    });
  });
}

/** Milliseconds that a command takes from spawn to exit. */
export async function timeCommand(command: string, args: readonly string[], options: RunOptions = {}): Promise<number> {
  const start = performance.now();
  await capture(command, args, options);
  return performance.now() - start;
}

/** The figure of `work`, which begins with nothing in memory that the disk has yet to get: what others wrote before is nobody's to pay for. */
export async function fromRest(work: () => Promise<number>): Promise<number> {
  await capture('sync', []);
  return work();
}
