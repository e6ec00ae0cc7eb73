import { type ChildProcess, spawn } from 'node:child_process';
import { Duplex, Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

import { errnoOf, type ErrorCode, MooringError } from '../../lib/errors.ts';

/** What a command of `mooring-archive` says in the end: its figures, and digests. */
export type ArchiverReport = Readonly<Record<string, number | string>>;

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

/** Open files in the place of pipes. */
export interface ArchiverFiles {
  /** What it reads; it then gets as descriptor 3 what `feed` gives. */
  readonly input?: number;
  /** What it writes to; what it says of that on descriptor 3 is `growth`. */
  readonly output?: number;
}

/** One command of `mooring-archive`, running. It dies with its parent, with `signal`, and with this. */
export class ArchiverProcess implements Disposable {
  readonly #child: ChildProcess;
  readonly #fedBy: 0 | 3;
  readonly #outcome: Promise<Outcome>;
  readonly #archiver: string;
  readonly #signal: AbortSignal | undefined;

  /** `archiver` is the static binary, `args` a command with its arguments. */
  constructor(archiver: string, args: readonly string[], { signal, input, output }: ArchiverFiles & { readonly signal?: AbortSignal | undefined } = {}) {
    this.#archiver = archiver;
    this.#signal = signal;
    const words = input === undefined && output === undefined ? [] : (['pipe'] as const);
    const child = spawn(archiver, args, { stdio: [input ?? 'pipe', output ?? 'pipe', 'pipe', ...words], env: {}, killSignal: 'SIGKILL', ...(signal && { signal }) });
    this.#child = child;
    this.#fedBy = input === undefined ? 0 : 3;
    // Whoever writes hears of it by the outcome; a process that reads no further is no failure of its own.
    for (const pipe of child.stdio) if (pipe instanceof Writable) pipe.on('error', () => {});
    const said = text(this.#pipe(2)).catch(() => ''); // broken off, as the process is
    this.#outcome = new Promise((resolve) => {
      child.once('error', (error) => resolve({ notStarted: error }));
      child.once('close', (code, by) => void said.then((line) => resolve(outcomeOf(line, by === null ? `it exited with status ${code}` : `${by} ended it`))));
    });
  }

  /** What it writes, unless that goes to a file. */
  get stdout(): Readable {
    return this.#pipe(1);
  }

  /** A byte now and then when the file that it writes to has grown. */
  get growth(): Readable {
    return this.#pipe(3);
  }

  /**
   * Settles when it has ended. `what` says what it does: `unpack layer`. Throws the signal's reason when that has ended it, `Invalid` when what it was given is at
   * fault, `NotFound` when something is not there, `Unsupported` when it is not what the caller sees there, `Conflict` when it may not be written, `Unavailable` when the disk is at fault.
   */
  async report(what: string): Promise<ArchiverReport> {
    const outcome = await this.#outcome;
    if ('report' in outcome) return outcome.report;
    this.#signal?.throwIfAborted();
    if ('error' in outcome) throw new MooringError(codeOf(outcome), `${what}: ${outcome.error}`);
    if ('notStarted' in outcome) throw new MooringError('Unavailable', `${what}: run ${this.#archiver}`, { cause: outcome.notStarted, fix: 'build it with `make native`' });
    throw new MooringError('Internal', `${what}: ${outcome.died}`);
  }

  /** Writes all of `content` to it, and settles as `report` does. */
  async feed(content: AsyncIterable<Buffer>, what: string): Promise<ArchiverReport> {
    const [fed, report] = await Promise.allSettled([pipeline(Readable.from(content, { objectMode: false }), this.#pipe(this.#fedBy)), this.report(what)]);
    if (fed.status === 'rejected' || report.status === 'rejected') this.#signal?.throwIfAborted();
    // What it was to be fed with could not be had: left without the rest, the process has less to say than this.
    if (fed.status === 'rejected' && fed.reason instanceof MooringError) throw fed.reason;
    if (fed.status === 'rejected' && !isBrokenPipe(fed.reason)) throw new MooringError('Unavailable', `${what}: what was to be written broke off`, { cause: fed.reason });
    // That its input broke off is only a consequence of what the process tells.
    if (report.status === 'rejected') throw report.reason;
    if (fed.status === 'rejected') throw new MooringError('Internal', `${what}: the archiver stopped reading`, { cause: fed.reason });
    return report.value;
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }

  #pipe(descriptor: 0 | 1 | 2 | 3): Duplex {
    const pipe = this.#child.stdio[descriptor];
    if (!(pipe instanceof Duplex)) throw new MooringError('Internal', `${this.#archiver} was started without a pipe as descriptor ${descriptor}`);
    return pipe;
  }
}

function isBrokenPipe(error: unknown): boolean {
  return ['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED'].includes(errnoOf(error) ?? '');
}

const ENOENT = 2;
const EROFS = 30;
/** What the caller sees is not what is seen here. */
const ESTALE = 116;

function codeOf({ archiveFault, errno }: Failure): ErrorCode {
  if (archiveFault) return 'Invalid';
  if (errno === ENOENT) return 'NotFound';
  if (errno === ESTALE) return 'Unsupported';
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
