import { badFlag } from '../run/bad-flag.ts';

/** `--filter status=exited --filter label=a=b` as the API takes it; undefined for none. */
export function filtersOf(texts: readonly string[] | undefined): string | undefined {
  if (texts === undefined || texts.length === 0) return undefined;
  const filters: Record<string, Record<string, true>> = {};
  for (const text of texts) {
    const equals = text.indexOf('=');
    if (equals < 1) throw badFlag('--filter', text, 'filters by nothing', 'write NAME=VALUE');
    (filters[text.slice(0, equals).trim().toLowerCase()] ??= {})[text.slice(equals + 1).trim()] = true;
  }
  return JSON.stringify(filters);
}

/** A query of what is set. */
export function queryOf(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = Object.entries(parameters).flatMap(([name, value]): [string, string][] => (value === undefined || value === false ? [] : [[name, value === true ? '1' : String(value)]]));
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}
