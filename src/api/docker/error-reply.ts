import { type ErrorCode, MooringError, messageOf } from '../../lib/errors.ts';

/** A failure whose status, or whose wording, the engine's clients go by. */
export class DockerError extends Error {
  override readonly name = 'DockerError';
  readonly status: number;

  constructor(status: number, message: string, details: { readonly cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.status = status;
  }
}

const STATUS: Readonly<Record<ErrorCode, number>> = { Invalid: 400, NotFound: 404, Conflict: 409, Internal: 500, Unsupported: 501, Unavailable: 503 };

export interface ErrorReply {
  readonly status: number;
  /** The API's `ErrorResponse`. */
  readonly body: { readonly message: string };
}

/** A failure as Docker's clients are told it. What to do about it, where we know, stands behind a semicolon. */
export function errorReply(thrown: unknown): ErrorReply {
  if (thrown instanceof DockerError) return { status: thrown.status, body: { message: thrown.message } };
  if (!(thrown instanceof MooringError)) return { status: STATUS.Internal, body: { message: messageOf(thrown) } };
  return { status: STATUS[thrown.code], body: { message: thrown.fix === undefined ? messageOf(thrown) : `${messageOf(thrown)}; ${thrown.fix}` } };
}
