import { MooringError, messageOf, type ErrorCode } from '../../lib/errors.ts';
import { DocumentsError } from './documents.ts';
import type { ErrorBody } from './types.ts';

const STATUS: Readonly<Record<ErrorCode, number>> = { Invalid: 400, NotFound: 404, Conflict: 409, Internal: 500, Unsupported: 501, Unavailable: 503 };

/** A failure as it goes to the client. What is not one of our errors is `Internal`. */
export function errorReply(thrown: unknown): { readonly status: number; readonly body: ErrorBody } {
  const { code, at, fix } = thrown instanceof MooringError ? thrown : { code: 'Internal' as const, at: undefined, fix: undefined };
  const problems = thrown instanceof DocumentsError ? { problems: thrown.problems } : {};
  return {
    status: STATUS[code],
    body: { error: { code, message: messageOf(thrown), ...(at !== undefined && { at }), ...(fix !== undefined && { fix }), ...problems } },
  };
}
