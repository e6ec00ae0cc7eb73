import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const TERMINAL = fileURLToPath(new URL('../../support/terminal.py', import.meta.url));

export type Step = readonly ['expect' | 'send', string] | readonly ['until', string, string] | readonly ['size', number, number];

export interface Seen {
  readonly output: string;
  readonly code: number;
  /** The terminal is as it was before. */
  readonly restored: boolean;
}

/** Runs the docker command on a terminal, as a person would. */
export async function onTerminal(host: string, steps: readonly Step[], args: readonly string[]): Promise<Seen> {
  const { stdout } = await promisify(execFile)('python3', [TERMINAL, JSON.stringify(steps), 'docker', ...args], { env: { PATH: process.env['PATH'], DOCKER_HOST: host, DOCKER_CONFIG: '/nonexistent', DOCKER_CLI_HINTS: 'false', TERM: 'xterm' } });
  return JSON.parse(stdout) as Seen;
}
