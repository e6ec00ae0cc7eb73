/** One cell: its text, and how to colour it once it is padded. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

const GAP = '   ';

/**
 * Rows under a header, columns padded to their widest cell. Control characters, which a message may carry from a file or a
 * program, are shown as `?` so that they can't drive the terminal.
 */
export function renderTable(header: readonly string[], rows: readonly (readonly (Cell | string)[])[]): string {
  const cells = [header, ...rows].map((row) => row.map((cell) => (typeof cell === 'string' ? { text: printable(cell) } : { ...cell, text: printable(cell.text) })));
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]?.text.length ?? 0)));
  return cells.map((row) => `${renderRow(row, widths)}\n`).join('');
}

function renderRow(row: readonly Cell[], widths: readonly number[]): string {
  const padded = row.map(({ text, paint }, column) => {
    const cell = column === row.length - 1 ? text : text.padEnd(widths[column] ?? 0);
    return paint === undefined ? cell : paint(cell);
  });
  return padded.join(GAP).trimEnd();
}

/** A line, with its colours, cut to so many characters on the screen. */
export function cutToWidth(line: string, columns: number): string {
  // oxlint-disable-next-line no-control-regex -- colours are escape sequences
  const tokens = line.match(/\u001b\[[\d;]*m|[^]/gu) ?? [];
  const isColour = (token: string): boolean => token.length > 2;
  if (tokens.filter((token) => !isColour(token)).length <= columns) return line;
  let shown = 0;
  // Colours beyond the cut are kept: they end those before it.
  return tokens.map((token) => (isColour(token) ? token : ++shown < columns ? token : shown === columns ? '…' : '')).join('');
}

/** The text on one line, without anything that a terminal would obey. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/\s*\n\s*/g, ' ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}
