import { spawn } from 'node:child_process';
import { Readable, Writable } from 'node:stream';
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

/** One command of `mooring-archive`, running. It dies with its parent, with `signal`, and with this. */
export class ArchiverProcess implements Disposable {
  readonly #fed: Writable;
  readonly stdout: Readable;
  readonly #kill: () => void;
  readonly #outcome: Promise<Outcome>;
  readonly #archiver: string;
  readonly #signal: AbortSignal | undefined;

  /** `archiver` is the static binary, `args` a command with its arguments. Its input is what `feed` gives it, or an open file; with that, it gets what `feed` gives as descriptor 3. */
  constructor(archiver: string, args: readonly string[], { signal, input }: { readonly signal?: AbortSignal | undefined; readonly input?: number } = {}) {
    this.#archiver = archiver;
    this.#signal = signal;
    const child = spawn(archiver, args, { stdio: input === undefined ? ['pipe', 'pipe', 'pipe'] : [input, 'pipe', 'pipe', 'pipe'], env: {}, killSignal: 'SIGKILL', ...(signal && { signal }) });
    if (!child.stdout || !child.stderr) throw new MooringError('Internal', `${archiver} was started without its output`);
    const fed = input === undefined ? child.stdin : child.stdio[3];
    if (!(fed instanceof Writable)) throw new MooringError('Internal', `${archiver} was started without its input`);
    this.#fed = fed;
    this.stdout = child.stdout;
    // Whoever writes hears of it by the outcome; a process that reads no further is no failure of its own.
    fed.on('error', () => {});
    const said = text(child.stderr).catch(() => ''); // broken off, as the process is
    this.#kill = () => void child.kill('SIGKILL');
    this.#outcome = new Promise((resolve) => {
      child.once('error', (error) => resolve({ notStarted: error }));
      child.once('close', (code, by) => void said.then((line) => resolve(outcomeOf(line, by === null ? `it exited with status ${code}` : `${by} ended it`))));
    });
  }

  /**
   * Settles when it has ended. `what` says what it does: `unpack layer`. Throws the signal's reason when that has ended it, `Invalid` when what it was given is at
   * fault, `NotFound` when something is not there, `Conflict` when it may not be written, `Unavailable` when the disk is at fault.
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
    const [fed, report] = await Promise.allSettled([pipeline(Readable.from(content, { objectMode: false }), this.#fed), this.report(what)]);
    // What it was to be fed with could not be had: left without the rest, the process has less to say than this.
    if (fed.status === 'rejected' && fed.reason instanceof MooringError) throw fed.reason;
    if (fed.status === 'rejected' && !isBrokenPipe(fed.reason)) throw new MooringError('Unavailable', `${what}: what was to be written broke off`, { cause: fed.reason });
    // That its input broke off is only a consequence of what the process tells.
    if (report.status === 'rejected') throw report.reason;
    if (fed.status === 'rejected') throw new MooringError('Internal', `${what}: the archiver stopped reading`, { cause: fed.reason });
    return report.value;
  }

  [Symbol.dispose](): void {
    this.#kill();
  }
}

function isBrokenPipe(error: unknown): boolean {
  return ['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED'].includes(errnoOf(error) ?? '');
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
