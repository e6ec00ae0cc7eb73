import { DockerError } from './error-reply.ts';

/** The `filters` of a list, of events or of a prune: names, each with the values of which one is to match. */
export class Filters {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.values(name).length > 0;
  }

  values(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** The others. */
  without(name: string): Filters {
    return new Filters(new Map([...this.#values].filter(([key]) => key !== name)));
  }

  /** Whether the text is one of the values, or there are none. */
  isOneOf(name: string, text: string): boolean {
    return !this.has(name) || this.values(name).includes(text);
  }

  /** The same, where a value may also be a part of the text. The engine takes values for regular expressions here; in names that differs in `.` alone. */
  isIn(name: string, text: string): boolean {
    return !this.has(name) || this.values(name).some((value) => matches(value, text));
  }

  /** Whether each value, `key` or `key=value`, is one of the labels. */
  haveLabels(labels: Readonly<Record<string, string>>, name = 'label'): boolean {
    return this.values(name).every((value) => hasLabel(labels, value));
  }

  /** Whether none of the values of `label!` is one of the labels. */
  lackLabels(labels: Readonly<Record<string, string>>): boolean {
    return !this.values('label!').some((value) => hasLabel(labels, value));
  }

  /** Undefined where it is not asked for. Throws 400 for what is neither yes nor no. */
  flag(name: string): boolean | undefined {
    const [value, ...more] = this.values(name);
    if (value === undefined) return undefined;
    if (more.length === 0 && (value === 'true' || value === '1')) return true;
    if (more.length === 0 && (value === 'false' || value === '0')) return false;
    throw new DockerError(400, `Invalid filter '${name}=[${this.values(name).join(' ')}]'`);
  }
}

/** Takes the map form of Go's clients (`{"label":{"a=b":true}}`) and the list form of others (`{"label":["a=b"]}`). */
export function parseFilters(value: unknown, known?: readonly string[]): Filters {
  const values = new Map<string, string[]>();
  if (value === undefined || value === null) return new Filters(values);
  if (typeof value !== 'object' || Array.isArray(value)) throw new DockerError(400, 'filters is not a map in JSON');
  for (const [name, entry] of Object.entries(value) as [string, unknown][]) {
    if (known?.includes(name) === false) throw new DockerError(400, `Invalid filter '${name}'`);
    values.set(name, valuesOf(name, entry));
  }
  return new Filters(values);
}

function valuesOf(name: string, entry: unknown): string[] {
  if (typeof entry === 'string') return [entry];
  if (Array.isArray(entry) && entry.every((each) => typeof each === 'string' || typeof each === 'boolean')) return entry.map(String);
  if (typeof entry === 'object' && entry !== null && !Array.isArray(entry)) return Object.entries(entry).flatMap(([text, wanted]) => (wanted === false ? [] : [text]));
  throw new DockerError(400, `Invalid filter '${name}': it has no list of values`);
}

function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const equals = wanted.indexOf('=');
  if (equals < 0) return Object.hasOwn(labels, wanted);
  const key = wanted.slice(0, equals);
  return Object.hasOwn(labels, key) && labels[key] === wanted.slice(equals + 1);
}

/** A pattern with `^`, `$`, `.`, `*` as people write it in filters, never a regular expression of a client's choice: that could take for ever. */
function matches(pattern: string, text: string): boolean {
  const begins = pattern.startsWith('^');
  const ends = pattern.endsWith('$');
  const parts = pattern.slice(begins ? 1 : 0, ends ? -1 : undefined).split(/\.?\*/);
  const [first = '', ...rest] = parts;
  if (rest.length === 0) return begins && ends ? text === first : begins ? text.startsWith(first) : ends ? text.endsWith(first) : text.includes(first);
  const last = rest.at(-1) ?? '';
  if ((begins && !text.startsWith(first)) || (ends && !text.endsWith(last))) return false;
  let at = 0;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return true;
}
