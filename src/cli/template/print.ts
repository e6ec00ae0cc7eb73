/** A value as Go's fmt prints it: `[a b]`, `map[a:1 b:2]`, `<no value>`. */
export function printed(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '<no value>';
  if (Array.isArray(value)) return `[${value.map(printed).join(' ')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  return `map[${Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => `${key}:${printed(each)}`).join(' ')}]`;
}

const VERB = /%([-0]*)(\d*)(?:\.(\d+))?([%sdvqxXtfc])/g;

/** Go's Sprintf, for the verbs that templates use. */
export function formatted(format: string, values: readonly unknown[]): string {
  let next = 0;
  return format.replace(VERB, (_, flags: string, width: string, precision: string | undefined, letter: string) => {
    if (letter === '%') return '%';
    if (next >= values.length) return `%!${letter}(MISSING)`;
    const text = one(letter, values[next++], precision);
    if (flags.includes('-')) return text.padEnd(Number(width));
    return text.padStart(Number(width), flags.includes('0') ? '0' : ' ');
  });
}

function one(letter: string, value: unknown, precision: string | undefined): string {
  if (letter === 'q') return JSON.stringify(printed(value));
  if (letter === 'f') return Number(value).toFixed(precision === undefined ? 6 : Number(precision));
  if (letter === 'c') return String.fromCodePoint(Number(value));
  if (letter === 'x' || letter === 'X') {
    const text = typeof value === 'number' ? value.toString(16) : Buffer.from(printed(value)).toString('hex');
    return letter === 'X' ? text.toUpperCase() : text;
  }
  const text = printed(value);
  return precision === undefined ? text : text.slice(0, Number(precision));
}
