/** Colours, or nothing where they are off. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
}

export function createStyle(colours: boolean): Style {
  const wrap = (open: number, close: number) => (text: string) => (colours && text !== '' ? `\u001b[${open}m${text}\u001b[${close}m` : text);
  return { bold: wrap(1, 22), dim: wrap(2, 22), red: wrap(31, 39), green: wrap(32, 39), yellow: wrap(33, 39) };
}

/** Colours are for terminals that can, and for people who have not said no (https://no-color.org). */
export function wantsColour(isTerminal: boolean, { NO_COLOR = '', TERM }: Readonly<Record<string, string | undefined>>): boolean {
  return isTerminal && NO_COLOR === '' && TERM !== 'dumb';
}

/** Colours a container's state word: what runs is green, what waits yellow, what failed red. */
export function stateColour(style: Style, phase: string): (text: string) => string {
  if (phase === 'Running' || phase === 'Completed') return style.green;
  if (phase === 'Failed' || phase === 'CrashLoopBackOff' || phase === 'Stalled' || phase.endsWith('Error')) return style.red;
  return style.yellow;
}
