import { MooringError } from '../../lib/errors.ts';
import { parseDuration } from '../../spec/duration.ts';
import { badFlag } from './bad-flag.ts';
import { wholeNumber } from './numbers.ts';
import type { RunFlags } from './run-flags.ts';

export interface HealthRequest {
  readonly Test?: string[];
  /** Nanoseconds, as all times here. */
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** --health-*; undefined where none is given, and the image's own counts. */
export function healthOf({ healthcheck, healthCmd, healthInterval, healthTimeout, healthStartPeriod, healthStartInterval, healthRetries }: RunFlags): HealthRequest | undefined {
  const given: HealthRequest = {
    ...(healthCmd !== undefined && healthCmd !== '' && { Test: ['CMD-SHELL', healthCmd] }),
    ...(healthInterval !== undefined && { Interval: nanoseconds('--health-interval', healthInterval) }),
    ...(healthTimeout !== undefined && { Timeout: nanoseconds('--health-timeout', healthTimeout) }),
    ...(healthStartPeriod !== undefined && { StartPeriod: nanoseconds('--health-start-period', healthStartPeriod) }),
    ...(healthStartInterval !== undefined && { StartInterval: nanoseconds('--health-start-interval', healthStartInterval) }),
    ...(healthRetries !== undefined && { Retries: wholeNumber('--health-retries', healthRetries) }),
  };
  const isGiven = Object.keys(given).length > 0;
  if (healthcheck) return isGiven ? given : undefined;
  if (isGiven) throw new MooringError('Invalid', '--no-healthcheck does not go with --health-*');
  return { Test: ['NONE'] };
}

function nanoseconds(flag: string, text: string): number {
  try {
    return Number(parseDuration(text));
  } catch {
    throw badFlag(flag, text, 'is no span of time', 'write it like 30s or 1m30s');
  }
}
