import { spawn } from 'node:child_process';
import { accessSync, constants as access } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Outcome {
  /** As shells have it: 128 + n for signal n. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string;
  /** A file for its standard output, which is then not in the outcome. */
  readonly output?: string;
  /** Descriptors from 3 on. */
  readonly descriptors?: readonly number[];
}

/**
 * Runs a command to its end. An exit status other than zero is an outcome like any other.
 * It writes to files, since what it leaves running may hold on to its output for longer than it lives.
 */
export async function perform(command: string, args: readonly string[], { env, cwd, input, output, descriptors = [] }: Surroundings = {}): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-command-'));
  try {
    await using stdout = await open(output ?? join(folder, 'stdout'), 'w+');
    await using stderr = await open(join(folder, 'stderr'), 'w+');
    const code = await new Promise<number>((resolve, reject) => {
      const child = spawn(command, args, { env, cwd, stdio: [input === undefined ? 'ignore' : 'pipe', stdout.fd, stderr.fd, ...descriptors] });
      child.stdin?.end(input);
      child.once('error', reject);
      child.once('exit', (status, signal) => resolve(status ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 0)));
    });
    return { code, stdout: output === undefined ? await readFile(join(folder, 'stdout'), 'utf8') : '', stderr: await readFile(join(folder, 'stderr'), 'utf8') };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** As perform(), but fails where the command does; gives what it wrote to its standard output, without the last line's end. */
export async function succeed(command: string, args: readonly string[], surroundings?: Surroundings): Promise<string> {
  const { code, stdout, stderr } = await perform(command, args, surroundings);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit status ${code}: ${stderr}`);
  return stdout.trimEnd();
}

/** Why a test that needs these programs can't run here; false where it can. */
export function missing(...programs: readonly string[]): string | false {
  const lacking = programs.filter((program) => !(process.env['PATH'] ?? '').split(':').some((folder) => isExecutable(join(folder, program))));
  return lacking.length === 0 ? false : `not installed here: ${lacking.join(', ')}`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, access.X_OK);
    return true;
  } catch {
    return false;
  }
}
