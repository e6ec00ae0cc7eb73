import { messageOf, type MooringError } from '../lib/errors.ts';
import { ConnectError } from './http/request.ts';

/** What the command's exit status means. Printed by `mooring --help`. */
export const EXIT = {
  ok: 0,
  /** The daemon said no, or something went wrong on the way. */
  failure: 1,
  /** Wrong flags or arguments, or documents that do not validate. */
  usage: 2,
  /** No daemon answers on the socket. */
  unreachable: 3,
  /** `plan --exit-code` and `drift --exit-code` only: something would change, or differs. */
  pending: 4,
  /** `run` and `exec`, which else exit as the program in the container: it is their own failure. */
  own: 125,
} as const;

export function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof ConnectError) return EXIT.unreachable;
  // What the Docker Engine API refuses is a failure, as it is to "docker".
  return isMooringError(thrown) && thrown.code === 'Invalid' && !('status' in thrown) ? EXIT.usage : EXIT.failure;
}

/** What a failure looks like on standard error: what, where, and what to do about it. */
export function errorLines(thrown: unknown): string[] {
  if (!isMooringError(thrown)) return [`mooring: ${messageOf(thrown)}`];
  const lines = [`mooring: ${thrown.at === undefined ? '' : `${thrown.at}: `}${messageOf(thrown)}`];
  if (thrown.fix !== undefined) lines.push(`  fix: ${thrown.fix}`);
  return lines;
}

/** By name, since the daemon's bundle has a class of its own. */
function isMooringError(thrown: unknown): thrown is MooringError {
  return thrown instanceof Error && thrown.name === 'MooringError';
}
