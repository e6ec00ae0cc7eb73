import { durationMs } from '../spec/duration.ts';
import type { ContainerSpec } from '../spec/container.ts';

/** Milliseconds. */
export interface BackoffRange {
  readonly initial: number;
  readonly max: number;
}

export interface RestartBackoff extends BackoffRange {
  /** A run of at least this many milliseconds ends a series of crashes. */
  readonly resetAfter: number;
}

/** Restarts in a row to undo drift that are made at once; what keeps coming back after them is fought more slowly. */
const PROMPT_REPAIRS = 5;

/** Delay before attempt `attempt` (0 is the first): `initial` doubling up to `max`. */
export function exponentialDelay(attempt: number, { initial, max }: BackoffRange): number {
  return Math.min(max, initial * 2 ** attempt);
}

/** Delay before the restart that follows the `crashes`th end in a row: the first at once, then doubling, as the kubelet does. */
export function crashDelay(crashes: number, range: BackoffRange): number {
  return crashes <= 1 ? 0 : exponentialDelay(crashes - 2, range);
}

/** Delay after the `repairs`th restart in a row that was made to undo drift. */
export function repairDelay(repairs: number, range: BackoffRange): number {
  return repairs < PROMPT_REPAIRS ? 0 : exponentialDelay(repairs - PROMPT_REPAIRS, range);
}

/**
 * Whether `instant` has come. One further ahead than any wait is long was reckoned by a clock that has been set back since,
 * and must not hold a container up until that time comes round.
 */
export function isDue(instant: number, now: number, longestWait: number): boolean {
  return now >= instant || instant - now > longestWait;
}

/** A container's own backoff, in milliseconds. */
export function restartBackoffOf(spec: ContainerSpec): RestartBackoff {
  const { initial, max, resetAfter } = spec.restartBackoff;
  return { initial: durationMs(initial), max: durationMs(max), resetAfter: durationMs(resetAfter) };
}
