import type { LayerState, TransferEvent } from '../../api/v1/image-types.ts';
import type { Io } from '../io.ts';
import { formatBytes } from './bytes.ts';
import { LiveScreen } from './live-screen.ts';

const BAR_WIDTH = 30;
const REDRAW = { redrawMs: 100, refreshMs: 1000 };
/** States worth a line of their own where nothing can be drawn over. */
const TOLD: ReadonlySet<LayerState> = new Set(['Exists', 'Mounted', 'Done']);

/** Shows a transfer as it goes: a bar a layer on a terminal, else a line for every layer that is done. */
export class TransferScreen implements Disposable {
  readonly #io: Io;
  readonly #screen: LiveScreen | undefined;
  readonly #layers = new Map<string, { readonly state: LayerState; readonly bytes: number; readonly size: number }>();

  constructor(io: Io) {
    this.#io = io;
    this.#screen = io.terminal ? new LiveScreen(io, () => this.render(), REDRAW) : undefined;
  }

  show(event: TransferEvent): void {
    if (event.type === 'RESOLVED') this.#io.out(`${event.name}\n  ${event.digest}\n`);
    if (event.type !== 'LAYER') return;
    const before = this.#layers.get(event.digest)?.state;
    this.#layers.set(event.digest, event);
    if (this.#screen) this.#screen.changed();
    else if (event.state !== before && TOLD.has(event.state)) this.#io.out(`  ${short(event.digest)} ${event.state} ${formatBytes(event.size)}\n`);
  }

  /** The layers as they are now, a line each. */
  render(): string {
    return [...this.#layers].map(([digest, { state, bytes, size }]) => `  ${short(digest)} ${state.padEnd(11)} ${bar(bytes, size)} ${formatBytes(bytes)} of ${formatBytes(size)}`).join('\n');
  }

  [Symbol.dispose](): void {
    this.#screen?.finish();
  }
}

function bar(bytes: number, size: number): string {
  const full = size === 0 ? BAR_WIDTH : Math.round((Math.min(bytes, size) / size) * BAR_WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}]`;
}

function short(digest: string): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + 12);
}
