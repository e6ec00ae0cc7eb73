const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes in three digits and decimal units, as Docker shows them: `4.86MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))}${UNITS[unit] ?? ''}`;
}
