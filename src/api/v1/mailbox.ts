import { Bell } from '../../lib/bell.ts';
import { MooringError } from '../../lib/errors.ts';

/** Values by key that a slow reader collects when it can: a newer value of a key takes the older one's place, so memory stays bounded by the keys. */
export class Mailbox<Key, Value> {
  readonly #limit: number;
  readonly #arrived = new Bell();
  #pending = new Map<Key, Value>();

  /** Beyond `limit` keys the reader is given up: `batches` throws. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  put(key: Key, value: Value): void {
    this.#pending.set(key, value);
    if (this.#pending.size === 1) this.#arrived.ring();
  }

  /** What came since the last batch, in order of first arrival, until the signal. */
  async *batches(signal: AbortSignal): AsyncGenerator<readonly Value[], void, void> {
    while (!signal.aborted) {
      if (this.#pending.size === 0 && !(await this.#arrived.next(signal))) return;
      if (this.#pending.size > this.#limit) throw new MooringError('Unavailable', `the client fell ${this.#pending.size} changes behind`);
      const batch = [...this.#pending.values()];
      this.#pending = new Map();
      yield batch;
    }
  }
}
