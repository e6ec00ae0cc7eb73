import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

import { MooringError } from '../../lib/errors.ts';

/** What a command of `mooring-archive` says in the end: its figures. */
export type ArchiverReport = Readonly<Record<string, number>>;

type Outcome =
  | { readonly report: ArchiverReport }
  | { readonly error: string; readonly archiveFault: boolean }
  | { readonly died: string } // it ended without a report
  | { readonly notStarted: unknown };

/** Of what a process that should give a report says instead. */
const MAX_COMPLAINT = 500;

/** One command of `mooring-archive`, running. It dies with its parent, with `signal`, and with this. */
export class ArchiverProcess implements Disposable {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly #kill: () => void;
  readonly #outcome: Promise<Outcome>;
  readonly #archiver: string;

  /** `archiver` is the static binary, `args` a command with its arguments. */
  constructor(archiver: string, args: readonly string[], signal?: AbortSignal) {
    this.#archiver = archiver;
    const child = spawn(archiver, args, { stdio: ['pipe', 'pipe', 'pipe'], env: {}, killSignal: 'SIGKILL', ...(signal && { signal }) });
    this.stdin = child.stdin;
    this.stdout = child.stdout;
    // Whoever writes hears of it by the outcome; a process that reads no further is no failure of its own.
    child.stdin.on('error', () => {});
    const said = text(child.stderr).catch(() => ''); // broken off, as the process is
    this.#kill = () => void child.kill('SIGKILL');
    this.#outcome = new Promise((resolve) => {
      child.once('error', (error) => resolve({ notStarted: error }));
      child.once('close', (code, by) => void said.then((line) => resolve(outcomeOf(line, by === null ? `it exited with status ${code}` : `${by} ended it`))));
    });
  }

  /**
   * Settles when it has ended. `what` says what it does: `unpack layer`. `Invalid` when what it was given is at fault, `Unavailable` when the disk is.
   */
  async report(what: string): Promise<ArchiverReport> {
    const outcome = await this.#outcome;
    if ('report' in outcome) return outcome.report;
    if ('error' in outcome) throw new MooringError(outcome.archiveFault ? 'Invalid' : 'Unavailable', `${what}: ${outcome.error}`);
    if ('notStarted' in outcome) throw new MooringError('Unavailable', `${what}: run ${this.#archiver}`, { cause: outcome.notStarted, fix: 'build it with `make native`' });
    throw new MooringError('Internal', `${what}: ${outcome.died}`);
  }

  [Symbol.dispose](): void {
    this.#kill();
  }
}

function outcomeOf(said: string, end: string): Outcome {
  try {
    const report = JSON.parse(said) as ArchiverReport | { readonly error: string; readonly archiveFault: boolean };
    return 'error' in report && typeof report.error === 'string' ? (report as { error: string; archiveFault: boolean }) : { report: report as ArchiverReport };
  } catch {
    return { died: `the archiver ended without a report: ${end}${said === '' ? '' : `: ${said.slice(0, MAX_COMPLAINT)}`}` };
  }
}
