import { DockerError } from './error-reply.ts';
import { type Filters, parseFilters } from './filters.ts';

/** What the engine takes for "no"; anything else is "yes" (docker-py writes `True` and `False`). */
const NO: ReadonlySet<string> = new Set(['', '0', 'no', 'false', 'none']);

/** The query of a request, as the engine reads it. */
export class Query {
  readonly #parameters: URLSearchParams;

  constructor(parameters: URLSearchParams) {
    this.#parameters = parameters;
  }

  /** Undefined also for one that is empty. */
  text(name: string): string | undefined {
    const value = this.#parameters.get(name);
    return value === null || value === '' ? undefined : value;
  }

  /** Throws 400 where there is none. */
  required(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw new DockerError(400, `the query lacks "${name}"`);
    return value;
  }

  all(name: string): string[] {
    return this.#parameters.getAll(name);
  }

  flag(name: string, unlessSaid = false): boolean {
    const value = this.#parameters.get(name);
    return value === null ? unlessSaid : !NO.has(value.trim().toLowerCase());
  }

  /** A whole number. Throws 400 for what is none. */
  number(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (!/^-?\d{1,15}$/.test(value)) throw new DockerError(400, `strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
    return Number(value);
  }

  /** A map of texts, written as JSON. Null stands for an entry without a value. */
  map(name: string): Map<string, string | null> {
    const value = this.text(name);
    if (value === undefined) return new Map();
    const parsed = parseJson(value, name);
    if (parsed === null) return new Map();
    if (typeof parsed !== 'object' || Array.isArray(parsed)) throw new DockerError(400, `${name} is not a map in JSON`);
    return new Map(
      Object.entries(parsed).map(([key, entry]: [string, unknown]) => {
        if (entry !== null && typeof entry !== 'string') throw new DockerError(400, `${name}: the value of ${JSON.stringify(key)} is not a text`);
        return [key, entry];
      }),
    );
  }

  /** The filters, of which the names given are known; without them, all are. Throws 400 for another. */
  filters(known?: readonly string[]): Filters {
    const value = this.text('filters');
    return parseFilters(value === undefined ? undefined : parseJson(value, 'filters'), known);
  }
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DockerError(400, `${name} is not JSON`, { cause });
  }
}
