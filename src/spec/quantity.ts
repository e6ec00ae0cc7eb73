import { quoted } from '../lib/text.ts';
import { invalid } from './invalid.ts';

/** How a quantity was written, which is how it is written back (Kubernetes' resource.Format). */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** Kubernetes' resource.Quantity: exact, in whole billionths, finer ones rounded away from zero. */
export interface Quantity {
  readonly nanos: bigint;
  readonly format: QuantityFormat;
}

/** The grammar of apimachinery's resource.Quantity; `1E` is an exa, `1E3` an exponent. */
export const QUANTITY_PATTERN = /^([+-]?)([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+|[KMGTPE]i|[numkMGTPE]?)$/;
export const QUANTITY_MAX_LENGTH = 64;

export const NANO = 1_000_000_000n;
/** Kubernetes caps every quantity at 2^63 - 1. */
const MAX_NANOS = (2n ** 63n - 1n) * NANO;
const DECIMAL_SUFFIXES = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/** Parses `500m`, `64Mi`, `1e3`, `.5`, or a number as JSON and YAML have it. Throws `Invalid`. */
export function parseQuantity(text: string | number): Quantity {
  const written = String(text);
  const match = written.length <= QUANTITY_MAX_LENGTH ? QUANTITY_PATTERN.exec(written) : null;
  if (match === null) throw invalid(`${quoted(written)} is not a quantity`, quantityFix(written));
  const [, sign = '', digits = '', suffix = ''] = match;
  const [whole = '', fraction = ''] = digits.split('.');
  const { factor, tens, format } = readSuffix(suffix);
  const mantissa = BigInt(`${whole}${fraction}`) * factor;
  const nanos = min(scaledUp(mantissa, tens - fraction.length + 9), MAX_NANOS);
  return { nanos: sign === '-' ? -nanos : nanos, format };
}

/** The canonical text: no fraction, the largest suffix that needs none, as Kubernetes prints it. */
export function formatQuantity({ nanos, format }: Quantity): string {
  if (nanos === 0n) return '0';
  const small = nanos > -1024n * NANO && nanos < 1024n * NANO;
  if (format === 'BinarySI' && !small && nanos % NANO === 0n) {
    const [number, steps] = withoutFactor(nanos / NANO, 1024n, BINARY_SUFFIXES.length - 1);
    return `${number}${BINARY_SUFFIXES[steps]}`;
  }
  const [number, steps] = withoutFactor(nanos, 1000n, DECIMAL_SUFFIXES.length - 1);
  if (format !== 'DecimalExponent') return `${number}${DECIMAL_SUFFIXES[steps]}`;
  return steps === 3 ? `${number}` : `${number}e${(steps - 3) * 3}`;
}

/** The quantity in steps of `unitNanos` billionths, rounded up as Kubernetes' Value() and MilliValue() do. */
export function quantityIn(quantity: Quantity, unitNanos: bigint): bigint {
  return ceilDivide(quantity.nanos, unitNanos);
}

function readSuffix(suffix: string): { factor: bigint; tens: number; format: QuantityFormat } {
  if (suffix.endsWith('i')) return { factor: 1024n ** BigInt(BINARY_SUFFIXES.indexOf(suffix)), tens: 0, format: 'BinarySI' };
  if (/^[eE]./.test(suffix)) return { factor: 1n, tens: Number(suffix.slice(1)), format: 'DecimalExponent' };
  return { factor: 1n, tens: (DECIMAL_SUFFIXES.indexOf(suffix) - 3) * 3, format: 'DecimalSI' };
}

/** `mantissa * 10^tens`, rounded up. Exponents beyond what any mantissa of 64 digits can bring back are not computed. */
function scaledUp(mantissa: bigint, tens: number): bigint {
  if (mantissa === 0n) return 0n;
  if (tens > 100) return MAX_NANOS;
  if (tens < -200) return 1n;
  return tens >= 0 ? mantissa * 10n ** BigInt(tens) : ceilDivide(mantissa, 10n ** BigInt(-tens));
}

/** Divides `number` by `factor` as often as that leaves no rest, at most `limit` times. */
function withoutFactor(number: bigint, factor: bigint, limit: number): [bigint, number] {
  let steps = 0;
  while (steps < limit && number % factor === 0n) {
    number /= factor;
    steps++;
  }
  return [number, steps];
}

function quantityFix(text: string): string {
  const shape = /^\s*([0-9.]+)\s*([a-zA-Z]+)\s*$/.exec(text);
  const unit = shape?.[2]?.toLowerCase().replace(/i?b(ytes)?$/, (found) => (found.startsWith('i') ? 'i' : ''));
  const suffix = [...BINARY_SUFFIXES, 'k', 'M', 'G', 'T', 'P', 'E'].find((known) => known.toLowerCase() === unit && unit !== '');
  if (shape !== null && suffix !== undefined) return `write ${shape[1]}${suffix}`;
  return 'write a number and, without a space, one of m k M G T P E Ki Mi Gi Ti Pi Ei: 500m, 64Mi, 1.5Gi';
}

function ceilDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor > 0n ? quotient + 1n : quotient;
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
