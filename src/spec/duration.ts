import { quoted } from '../lib/text.ts';
import { invalid } from './invalid.ts';

/** Go's time.ParseDuration without the minus sign, which is metav1.Duration's text form. */
export const DURATION_PATTERN = /^\+?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$/;
export const DURATION_MAX_LENGTH = 64;

const UNIT_NANOS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  'µs': 1_000n, // U+00B5, micro sign
  'μs': 1_000n, // U+03BC, Greek letter mu
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
/** Go keeps a duration in 64 bits of nanoseconds. */
const MAX_NANOS = 2n ** 63n - 1n;

/** Nanoseconds of `10s`, `1m30s`, `1.5h`, `0`; fractions of a nanosecond are dropped, as in Go. Throws `Invalid`. */
export function parseDuration(text: string): bigint {
  if (text.length > DURATION_MAX_LENGTH || !DURATION_PATTERN.test(text)) throw invalid(`${quoted(text)} is not a duration`, durationFix(text));
  let nanos = 0n;
  for (const [, number = '', unit = ''] of text.matchAll(/([0-9.]+)([a-zµμ]+)/g)) {
    const [whole = '', fraction = ''] = number.split('.');
    nanos += (BigInt(`${whole}${fraction}`) * (UNIT_NANOS[unit] ?? 0n)) / 10n ** BigInt(fraction.length);
  }
  if (nanos > MAX_NANOS) throw invalid(`${quoted(text)} is longer than the 292 years that a duration can hold`);
  return nanos;
}

/** Milliseconds of a duration, rounded up. Throws `Invalid`. */
export function durationMs(text: string): number {
  return Math.ceil(Number(parseDuration(text)) / 1e6);
}

/** The text that Go's Duration.String gives: `1m30s`, `1h30m0s`, `1.5ms`, `0s`. */
export function formatDuration(nanos: bigint): string {
  if (nanos === 0n) return '0s';
  if (nanos < 1_000n) return `${nanos}ns`;
  if (nanos < 1_000_000n) return `${decimal(nanos, 1_000n)}µs`;
  if (nanos < 1_000_000_000n) return `${decimal(nanos, 1_000_000n)}ms`;
  const minutes = nanos / 60_000_000_000n;
  const seconds = `${decimal(nanos % 60_000_000_000n, 1_000_000_000n)}s`;
  if (minutes === 0n) return seconds;
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

function decimal(nanos: bigint, unit: bigint): string {
  const places = unit.toString().length - 1;
  const fraction = (nanos % unit).toString().padStart(places, '0').replace(/0+$/, '');
  return fraction === '' ? `${nanos / unit}` : `${nanos / unit}.${fraction}`;
}

function durationFix(text: string): string {
  if (text.startsWith('-')) return 'a duration can not be negative';
  if (/^[0-9]+$/.test(text)) return `name the unit: ${text}s`;
  return 'write numbers with units h, m, s, ms, us or ns and no spaces: 10s, 1m30s, 1.5h';
}
