import type { Digest } from './digest.ts';
import { type FlushLedger, layerNames, type Unflushed } from './flush-ledger.ts';

/** Keeps what operations under way count on from being collected: what they bring in has no name yet that would hold it. */
export class Pins {
  readonly #held = new Map<Digest, number>();
  readonly #ledger: Pick<FlushLedger, 'note' | 'release' | 'settle'>;
  #sweep: Promise<unknown> = Promise.resolve();

  constructor(ledger: Pick<FlushLedger, 'note' | 'release' | 'settle'>) {
    this.#ledger = ledger;
  }

  /** A hand that holds what is added to it until it is disposed of. */
  open(): Hold {
    const mine: Digest[] = [];
    const noted: Unflushed[] = [];
    const add = async (digests: readonly Digest[]): Promise<void> => {
      for (const digest of digests) this.#held.set(digest, (this.#held.get(digest) ?? 0) + 1);
      mine.push(...digests);
      await this.#sweep;
    };
    return {
      add,
      expect: async ({ blobs = [], layers = [] }) => {
        const names = [...blobs, ...layerNames(layers)];
        if (names.length === 0) return;
        await add([...blobs, ...layers]);
        await this.#ledger.note(names);
        noted.push(...names);
      },
      [Symbol.dispose]: () => {
        mine.splice(0).forEach((digest) => this.#release(digest));
        this.#ledger.release(noted.splice(0));
      },
    };
  }

  isHeld(digest: Digest): boolean {
    return this.#held.has(digest);
  }

  /** Settles once what of these is in the store is on disk, too. */
  settle({ blobs = [], layers = [] }: Incoming): Promise<void> {
    return this.#ledger.settle([...blobs, ...layerNames(layers)]);
  }

  /** One sweep at a time; whoever holds something new waits for its end. */
  sweep<T>(work: () => Promise<T>): Promise<T> {
    const sweeping = this.#sweep.then(work);
    this.#sweep = sweeping.catch(() => {}); // its own caller is told
    return sweeping;
  }

  #release(digest: Digest): void {
    const left = (this.#held.get(digest) ?? 1) - 1;
    if (left === 0) this.#held.delete(digest);
    else this.#held.set(digest, left);
  }
}

/** Digests of blobs, and chain IDs of unpacked layers. */
export interface Incoming {
  readonly blobs?: readonly Digest[];
  readonly layers?: readonly Digest[];
}

export interface Hold extends Disposable {
  /** Waits for a sweep under way, so that what is found in the store afterwards stays there. */
  add(digests: readonly Digest[]): Promise<void>;
  /** For what this operation brings in: also has the ledger name it, so that it may get its place before it is on disk. */
  expect(incoming: Incoming): Promise<void>;
}
