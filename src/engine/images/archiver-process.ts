import { spawn } from 'node:child_process';
import { Readable, type Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

import { type ErrorCode, MooringError } from '../../lib/errors.ts';

/** What a command of `mooring-archive` says in the end: its figures. */
export type ArchiverReport = Readonly<Record<string, number>>;

interface Failure {
  readonly error: string;
  /** What it was given is at fault. */
  readonly archiveFault: boolean;
  /** 0 where no system call failed. */
  readonly errno: number;
}

type Outcome =
  | { readonly report: ArchiverReport }
  | Failure
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
   * Settles when it has ended. `what` says what it does: `unpack layer`. `Invalid` when what it was given is at fault, `NotFound` when something is not there,
   * `Conflict` when it may not be written, `Unavailable` when the disk is at fault.
   */
  async report(what: string): Promise<ArchiverReport> {
    const outcome = await this.#outcome;
    if ('report' in outcome) return outcome.report;
    if ('error' in outcome) throw new MooringError(codeOf(outcome), `${what}: ${outcome.error}`);
    if ('notStarted' in outcome) throw new MooringError('Unavailable', `${what}: run ${this.#archiver}`, { cause: outcome.notStarted, fix: 'build it with `make native`' });
    throw new MooringError('Internal', `${what}: ${outcome.died}`);
  }

  /** Writes all of `content` to it, and settles as `report` does. */
  async feed(content: AsyncIterable<Buffer>, what: string): Promise<ArchiverReport> {
    const [fed, report] = await Promise.allSettled([pipeline(Readable.from(content, { objectMode: false }), this.stdin), this.report(what)]);
    if (fed.status === 'rejected' && fed.reason instanceof MooringError) throw fed.reason;
    // That its input broke off is only a consequence of what the process tells.
    if (report.status === 'rejected') throw report.reason;
    if (fed.status === 'rejected') throw new MooringError('Unavailable', `${what}: what was to be written broke off`, { cause: fed.reason });
    return report.value;
  }

  [Symbol.dispose](): void {
    this.#kill();
  }
}

const ENOENT = 2;
const EROFS = 30;

function codeOf({ archiveFault, errno }: Failure): ErrorCode {
  if (archiveFault) return 'Invalid';
  if (errno === ENOENT) return 'NotFound';
  return errno === EROFS ? 'Conflict' : 'Unavailable';
}

function outcomeOf(said: string, end: string): Outcome {
  try {
    const report = JSON.parse(said) as ArchiverReport | Failure;
    return isFailure(report) ? report : { report };
  } catch {
    return { died: `the archiver ended without a report: ${end}${said === '' ? '' : `: ${said.slice(0, MAX_COMPLAINT)}`}` };
  }
}

function isFailure(report: ArchiverReport | Failure): report is Failure {
  return typeof report.error === 'string';
}
