import { Bell } from '../lib/bell.ts';

/** What work tells as it goes, and its end: the newest of each key for a reader that is slow. Throws what the work throws. */
export class Telling<T> {
  readonly #arrived = new Bell();
  #pending = new Map<unknown, T>();
  #ended = false;
  #failure: unknown;

  put(key: unknown, object: T): void {
    this.#pending.set(key, object);
    this.#arrived.ring();
  }

  /** Everything until the work is done. */
  async *during(work: Promise<unknown>): AsyncGenerator<T, void, void> {
    work.then(
      () => this.#end(undefined),
      (error: unknown) => this.#end(error ?? new Error('it failed')),
    );
    for (;;) {
      const batch = [...this.#pending.values()];
      this.#pending = new Map();
      yield* batch;
      if (this.#pending.size > 0) continue;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return;
      await this.#arrived.next();
    }
  }

  #end(failure: unknown): void {
    this.#failure = failure;
    this.#ended = true;
    this.#arrived.ring();
  }
}
