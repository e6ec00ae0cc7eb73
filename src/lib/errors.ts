/**
 * What kind of failure it is, in the field's words. Each face maps it to its own code: HTTP status, exit status, condition reason.
 */
export type ErrorCode =
  | 'Invalid' // the caller's input is wrong; trying again without changing it is useless
  | 'NotFound'
  | 'Conflict' // the object's present state, or another owner, forbids it
  | 'Unsupported' // this kernel, host or build can't do it
  | 'Unavailable' // not now; trying again may work
  | 'Internal';

export interface ErrorDetails {
  /** Where in the input, as `file:line:column` or an API field path. */
  readonly at?: string;
  /** What the reader can do about it. */
  readonly fix?: string;
  /** Where a program can't be run, what a shell's exit status would be: 127 where there is none of that name, else 126. */
  readonly exitCode?: 126 | 127;
  readonly cause?: unknown;
}

/** The one error type that crosses a room's border: says what was being done to which object, and the fix where there is one. */
export class MooringError extends Error {
  override readonly name = 'MooringError';
  readonly code: ErrorCode;
  readonly at: string | undefined;
  readonly fix: string | undefined;
  readonly exitCode: 126 | 127 | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.at = details.at;
    this.fix = details.fix;
    this.exitCode = details.exitCode;
  }
}

/** The message of anything that was thrown, with the messages of its causes behind colons. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause === undefined ? thrown.message : `${thrown.message}: ${messageOf(thrown.cause)}`;
}

/** The `code` of a Node system error (`ENOENT`, `EEXIST`, …), or undefined for anything else. */
export function errnoOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
