import { badFlag } from './bad-flag.ts';

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40, p: 2 ** 50 };

/** Bytes of `512m`, `1.5g`, `64 MiB`, `1000`: units of 1024, as Docker reads them (go-units' RAMInBytes). */
export function bytesOf(flag: string, text: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d*)?|\.\d+) ?(?:([kmgtp])(?:i?b)?|b)?$/i.exec(text) ?? [];
  if (digits === undefined) throw badFlag(flag, text, 'is no size', 'write a number with b, k, m, g or t, such as 512m');
  return Math.trunc(Number(digits) * (UNITS[unit.toLowerCase()] ?? 1));
}

/** As `bytesOf`, with -1 for no limit. */
export function bytesOrUnlimited(flag: string, text: string): number {
  return text === '-1' ? -1 : bytesOf(flag, text);
}

/** Billionths of a processor of `1.5`. */
export function nanoCpusOf(flag: string, text: string): number {
  const [, whole, fraction = ''] = /^(\d*)(?:\.(\d*))?$/.exec(text) ?? [];
  if (whole === undefined || `${whole}${fraction}` === '') throw badFlag(flag, text, 'is no number of processors', 'write it like 1.5');
  if (fraction.replace(/0+$/, '').length > 9) throw badFlag(flag, text, 'is finer than a billionth of a processor');
  return Number(`${whole}${fraction.padEnd(9, '0').slice(0, 9)}`);
}

/** A whole number, at least `least`. */
export function wholeNumber(flag: string, text: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value)) throw badFlag(flag, text, 'is no whole number');
  if (value < least || value > most) throw badFlag(flag, text, most === Number.MAX_SAFE_INTEGER ? `is less than ${least}` : `is not between ${least} and ${most}`);
  return value;
}

/** What Go's ParseBool takes. */
export function booleanOf(flag: string, text: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw badFlag(flag, text, 'is neither true nor false');
}
