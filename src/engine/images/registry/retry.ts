import { setTimeout as sleep } from 'node:timers/promises';

import { errnoOf } from '../../../lib/errors.ts';

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 15_000;
/** Asked to wait longer than this, a pull fails and says so: whoever asked for it can decide. */
export const MAX_RETRY_AFTER_MS = 120_000;

/** A random part of a doubling span, so that many clients don't come back at once. */
export function retryDelay(attempt: number, random: () => number = Math.random): number {
  return Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt) * (0.5 + random() / 2);
}

/** Milliseconds of a `Retry-After` header, which holds seconds or a date (RFC 9110, section 10.2.3). */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 429 || status === 500 || status === 502 || status === 503 || status === 504;
}

/** Whether a connection broke in a way that a new one may not. */
export function isTransientFailure(error: unknown): boolean {
  const code = errnoOf(error) ?? '';
  return ['ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'EPIPE', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(code) || /^UND_ERR_(SOCKET|CONNECT_TIMEOUT|HEADERS_TIMEOUT|BODY_TIMEOUT|RES_CONTENT_LENGTH_MISMATCH|ABORTED)$/.test(code);
}

export async function pause(delay: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(delay, undefined, signal ? { signal } : {});
}
