import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
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
  /** Descriptors from 3 on. */
  readonly descriptors?: readonly number[];
}

const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** Runs a command to its end. An exit status other than zero is an outcome like any other. */
export function perform(command: string, args: readonly string[], { env, cwd, input, descriptors = [] }: Surroundings = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, cwd, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', ...descriptors] });
    const said = { stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
    child.stdin?.end(input);
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code: code ?? 128 + (SIGNALS[signal ?? ''] ?? 0), ...said }));
  });
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
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
