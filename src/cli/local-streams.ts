import type { Socket } from 'node:net';
import type { DetachKeys } from '../lib/detach-keys.ts';
import { RawTerminal } from './terminal.ts';

/** Those by which people and programs tell a process something. */
const PASSED = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const;
/** Who sends so many to end it means this command, whatever the process makes of them. */
const ENOUGH = 3;
const FORCED = 1;

/** Hands on the signals that come to this process, until the resources are disposed of. */
export function takeSignals(pass: (signal: string) => void, resources: DisposableStack): void {
  let ends = 0;
  const take = (signal: string): void => {
    if ((signal === 'SIGINT' || signal === 'SIGTERM') && ++ends === ENOUGH) {
      process.stderr.write(`\ngot ${ENOUGH} signals to end, and does; what it was joined to may run on\n`);
      process.exit(FORCED);
    }
    pass(signal);
  };
  for (const signal of PASSED) {
    process.on(signal, take);
    resources.defer(() => process.off(signal, take));
  }
}

/** Tells the size of this terminal, if there is one, and every change of it. */
export function followSize(tell: (rows: number, columns: number) => void, resources: DisposableStack): void {
  const { stdout } = process;
  if (!stdout.isTTY) return;
  const tellNow = (): void => tell(stdout.rows, stdout.columns);
  tellNow();
  stdout.on('resize', tellNow);
  resources.defer(() => stdout.off('resize', tellNow));
}

export interface StdinOptions {
  /** The other end is a terminal: keys go there as they are typed. */
  readonly terminal: boolean;
  readonly detachKeys: DetachKeys;
  readonly onDetach: () => void;
  /** How the other end wants bytes. */
  readonly encode: (bytes: Buffer) => Buffer;
  /** Tells the other end that there is no more. */
  readonly end: () => void;
}

/** Passes standard input on, no faster than it is taken. */
export function passStdin(socket: Socket, { terminal, detachKeys, onDetach, encode, end }: StdinOptions, resources: DisposableStack): void {
  const { stdin } = process;
  const raw = terminal && stdin.isTTY;
  if (raw) resources.use(new RawTerminal(stdin));
  const onData = (typed: Buffer): void => {
    const { bytes, found } = raw ? detachKeys.take(typed) : { bytes: typed, found: false };
    if (bytes.length > 0 && !socket.write(encode(bytes))) {
      stdin.pause();
      socket.once('drain', () => stdin.resume());
    }
    if (found) onDetach();
  };
  stdin.on('data', onData).on('end', end);
  resources.defer(() => {
    stdin.off('data', onData).off('end', end);
    stdin.destroy(); // or the process would wait for more
  });
}
