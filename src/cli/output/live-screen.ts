import type { Io } from '../io.ts';
import { cutToWidth } from './table.ts';

/** A block of text at the end of the terminal that is redrawn in place after a change, with a bounded rate, and now and then by itself. */
export class LiveScreen implements Disposable {
  readonly #io: Pick<Io, 'out' | 'rows' | 'columns'>;
  readonly #render: () => string;
  readonly #redrawMs: number;
  readonly #refresh: NodeJS.Timeout;
  #pending: NodeJS.Timeout | undefined;
  #drawnLines = 0;
  #drawnAt = 0;

  constructor(io: Pick<Io, 'out' | 'rows' | 'columns'>, render: () => string, { redrawMs, refreshMs }: { readonly redrawMs: number; readonly refreshMs: number }) {
    this.#io = io;
    this.#render = render;
    this.#redrawMs = redrawMs;
    this.#refresh = setInterval(() => this.changed(), refreshMs);
  }

  /** Draws soon. */
  changed(): void {
    this.#pending ??= setTimeout(() => this.#draw(), Math.max(0, this.#drawnAt + this.#redrawMs - Date.now()));
  }

  /** Draws the last state, and no more after it. */
  finish(): void {
    this[Symbol.dispose]();
    this.#draw();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#refresh);
    clearTimeout(this.#pending);
  }

  #draw(): void {
    this.#pending = undefined;
    this.#drawnAt = Date.now();
    const all = this.#render().trimEnd().split('\n');
    // A terminal can't move the cursor above its first row: what does not fit is counted, not drawn.
    const room = Math.max(2, this.#io.rows() - 1);
    // Nor does it know how many rows a line that wraps has taken.
    const columns = this.#io.columns();
    const lines = all.length <= room ? all : [...all.slice(0, room - 1), `… ${all.length - room + 1} more`];
    const up = this.#drawnLines === 0 ? '' : `\u001b[${this.#drawnLines}A\r`;
    // Each line clears its rest, and the block clears what is below it, so that nothing flickers.
    this.#io.out(`${up}${lines.map((line) => `${cutToWidth(line, columns)}\u001b[K\n`).join('')}\u001b[J`);
    this.#drawnLines = lines.length;
  }
}
