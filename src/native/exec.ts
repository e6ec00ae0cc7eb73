import { MooringError } from '../lib/errors.ts';
import type { MonitorOptions, ProcessIdentity, StartedContainer } from './native.ts';

export interface ExecMonitorOptions extends Pick<MonitorOptions, 'runtime' | 'bundle' | 'stdin'> {
  /** Id of the container that the process is to run in. */
  readonly container: string;
  /** The container's first process. */
  readonly init: ProcessIdentity;
  /** Folder of this process: holds `process.json`, a `process` object of the OCI runtime spec, which the monitor removes; gets `attach.sock` and `exit.json`. */
  readonly stateDir: string;
  /** Nobody will attach: what it writes waits for no client. */
  readonly detached?: boolean;
}

/** A program that can't be run, with what a shell's exit status would be: 127 where there is none of that name, else 126. */
export interface RefusedProgram {
  readonly exitCode: 126 | 127;
  readonly message: string;
}

/** What a spawned monitor said first. */
export type MonitorOutcome = StartedContainer | { readonly failed: string; readonly errno: number };

const ENOENT = 2;

export function execArguments({ container, bundle, init, stateDir, stdin = 'none', detached = false }: ExecMonitorOptions, statusFd: number): string[] {
  return [
    ...['exec-monitor', '--container', container, '--bundle', bundle, '--pid', String(init.pid), '--start-time', String(init.startTime)],
    ...['--state-dir', stateDir, '--stdin', stdin, '--client', detached ? 'none' : 'awaited', '--status-fd', String(statusFd)],
  ];
}

/** Failures of the program itself bear its name, as runtime/exec.h says; all others are ours, and have no exit code. */
export function refusalOf({ failed, errno }: { readonly failed: string; readonly errno: number }): RefusedProgram['exitCode'] | undefined {
  if (!failed.startsWith('exec: ')) return undefined;
  return errno === ENOENT ? 127 : 126;
}

export function execOutcome(outcome: MonitorOutcome, object: string): StartedContainer | RefusedProgram {
  if (!('failed' in outcome)) return outcome;
  const { failed: message } = outcome;
  const exitCode = refusalOf(outcome);
  if (exitCode !== undefined) return { exitCode, message };
  throw new MooringError('Unavailable', `${object}: ${message}`);
}
