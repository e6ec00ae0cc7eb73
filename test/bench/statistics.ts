/** What a series of measurements came to; all in the series' own unit. */
export interface Summary {
  readonly runs: number;
  readonly median: number;
  readonly p99: number;
  readonly min: number;
  readonly max: number;
}

/** The value below which `fraction` (0…1) of the sorted series lies, by the nearest rank. */
function quantile(sorted: readonly number[], fraction: number): number {
  const rank = Math.min(sorted.length - 1, Math.max(0, Math.ceil(fraction * sorted.length) - 1));
  const value = sorted[rank];
  if (value === undefined) throw new RangeError('a quantile of no measurements');
  return value;
}

export function summarise(series: readonly number[]): Summary {
  const sorted = series.toSorted((a, b) => a - b);
  return {
    runs: sorted.length,
    median: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    min: quantile(sorted, 0),
    max: quantile(sorted, 1),
  };
}
