import { spawn } from 'node:child_process';
import { PATIENCE } from '../../support/patience.ts';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that takes longer hangs. */
const DEADLINE_MS = 60_000 * PATIENCE;

/** Runs the docker command of this machine against an engine. Never throws for an exit status; 124 is for one that did not end. */
export function runDocker(host: string, args: readonly string[], { input = '', command = 'docker', env = {} }: { readonly input?: string | Buffer; readonly command?: string; readonly env?: Readonly<Record<string, string>> } = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { PATH: process.env['PATH'], HOME: '/nonexistent', DOCKER_CONFIG: '/nonexistent', DOCKER_CLI_HINTS: 'false', DOCKER_HOST: host, LC_ALL: 'C', ...env } });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString('latin1')));
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString('latin1')));
    child.stdin.on('error', () => {}); // a command that ends without reading all of it
    child.stdin.end(input);
    const timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 124, stdout, stderr });
    });
  });
}
