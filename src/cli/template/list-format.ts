import { renderTemplate } from './template.ts';

/** One line of a list: texts by the names that a template calls them by, and methods such as `.Label "key"`. */
export type Row = Readonly<Record<string, string | ((key: string) => string)>>;

export interface ListFormat {
  /** What stands above a column, by the field in it. */
  readonly headers: Readonly<Record<string, string>>;
  /** The template where none is given, as `table {{.ID}}\t{{.Names}}`. */
  readonly usual: string;
  /** With --quiet. */
  readonly quiet: string;
}

const MIN_CELL = 10;
const GAP = 3;

/** Rows in Docker's formats: `json` (one object a line), `table TEMPLATE` (columns under a header), or a template a line. */
export function renderList(rows: readonly Row[], { headers, usual, quiet }: ListFormat, { format, isQuiet = false }: { readonly format: string | undefined; readonly isQuiet?: boolean }): string {
  const wanted = isQuiet ? quiet : format === undefined || format === '' || format === 'table' ? usual : format;
  if (wanted === 'json') return rows.map((row) => `${JSON.stringify(textsOf(row))}\n`).join('');
  const isTable = /^table\b/.test(wanted);
  const template = (isTable ? wanted.slice('table'.length).trimStart() : wanted).replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  const lineOf = renderTemplate(template);
  const lines = rows.map((row) => lineOf(row));
  return isTable ? aligned([lineOf({ ...headers, Label: (key: string) => key }), ...lines]) : lines.map((line) => `${line}\n`).join('');
}

function textsOf(row: Row): Record<string, string> {
  return Object.fromEntries(Object.entries(row).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])));
}

/** Columns between tabs, as wide as their widest cell and a gap (Go's text/tabwriter, as Docker sets it up). */
function aligned(lines: readonly string[]): string {
  const rows = lines.map((line) => line.split('\t'));
  const widths = rows.reduce<number[]>((found, cells) => cells.map((cell, column) => Math.max(found[column] ?? MIN_CELL, cell.length + GAP)).concat(found.slice(cells.length)), []);
  return rows.map((cells) => `${cells.map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('')}\n`).join('');
}
