import type { ImageProgress, LayerState } from '../../engine/images.ts';
import { Telling } from '../telling.ts';

/** One line of a pull or a push, `CreateImageInfo` or `PushImageInfo` of the API. */
export interface TransferLine {
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly aux?: object;
}

/** A layer's states in the engine's words. Those of which it has none are passed over. */
const PULL: Readonly<Partial<Record<LayerState, string>>> = { Downloading: 'Downloading', Unpacking: 'Download complete', Exists: 'Already exists', Done: 'Pull complete' };
const PUSH: Readonly<Partial<Record<LayerState, string>>> = { Uploading: 'Pushing', Exists: 'Layer already exists', Mounted: 'Mounted', Done: 'Pushed' };
const MOVING: ReadonlySet<LayerState> = new Set(['Downloading', 'Uploading']);

/** The lines of a transfer. Its first layers are told when the transfer knows them. */
export class TransferLines {
  readonly #words: typeof PULL;
  readonly #first: string;
  readonly #label: (digest: string) => string | undefined;
  readonly #begun = new Set<string>();
  readonly lines = new Telling<TransferLine>();

  /** `label` says what a blob is called, undefined for one that is not told of. */
  constructor(direction: 'pull' | 'push', label: (digest: string) => string | undefined) {
    this.#words = direction === 'pull' ? PULL : PUSH;
    this.#first = direction === 'pull' ? 'Pulling fs layer' : 'Preparing';
    this.#label = label;
  }

  say(line: TransferLine): void {
    this.lines.put(line, line);
  }

  layer(progress: Extract<ImageProgress, { type: 'LAYER' }>): void {
    const { digest, state, bytes, size } = progress;
    const [status, id] = [this.#words[state], this.#label(digest)];
    if (status === undefined || id === undefined) return;
    if (!this.#begun.has(digest) && state !== 'Exists') this.lines.put(`${digest} first`, { status: this.#first, progressDetail: {}, id });
    this.#begun.add(digest);
    this.lines.put(`${digest} ${state}`, { status, progressDetail: MOVING.has(state) ? { current: bytes, total: size } : {}, id });
  }
}

/** Twelve digits, as layers are told apart by. */
export function shortDigest(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1).slice(0, 12);
}
