/** One cell: its text, and how to colour it once it is padded. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

const GAP = '   ';

/**
 * Rows under a header, columns padded to their widest cell and the last one cut at `columns`. Control characters, which a message may carry from
 * a file or a program, are shown as `?` so that they can't drive the terminal.
 */
export function renderTable(header: readonly string[], rows: readonly (readonly (Cell | string)[])[], columns = Infinity): string {
  const cells = [header, ...rows].map((row) => row.map((cell) => (typeof cell === 'string' ? { text: printable(cell) } : { ...cell, text: printable(cell.text) })));
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]?.text.length ?? 0)));
  return cells.map((row) => `${renderRow(row, widths, columns)}\n`).join('');
}

function renderRow(row: readonly Cell[], widths: readonly number[], columns: number): string {
  let used = 0;
  let line = '';
  row.forEach(({ text, paint }, column) => {
    const last = column === row.length - 1;
    const room = columns - used;
    const padded = last ? text : text.padEnd(widths[column] ?? 0);
    const cut = padded.length > room ? `${padded.slice(0, Math.max(0, room - 1))}…` : padded;
    if (room <= 0) return;
    line += (paint === undefined ? cut : paint(cut)) + (last ? '' : GAP);
    used += cut.length + GAP.length;
  });
  return line.trimEnd();
}

/** The text on one line, without anything that a terminal would obey. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/\s*\n\s*/g, ' ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}
