import type { Clock } from '../../src/lib/clock.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that moves only when told to. Timers run in the order of their instants, and between two of them everything that promises lead to. */
export class SimulatedClock implements Clock {
  #now: number;
  #order = 0;
  readonly #timers = new Map<number, Timer>();

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  /** Timers that have neither run nor been cleared. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, delay: number): number {
    this.#order += 1;
    this.#timers.set(this.#order, { at: this.#now + Math.max(0, delay), order: this.#order, callback });
    return this.#order;
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as number);
  }

  /** Lets everything happen that takes no time. */
  async flush(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets `milliseconds` pass. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await this.flush();
    for (let timer = this.#next(); timer !== undefined && timer.at <= end; timer = this.#next()) {
      this.#now = timer.at;
      this.#timers.delete(timer.order);
      timer.callback();
      await this.flush();
    }
    this.#now = end;
  }

  /** Lets time pass until `done`, at most `limit` milliseconds of it. False when that was not enough. */
  async advanceUntil(done: () => boolean, limit: number): Promise<boolean> {
    const end = this.#now + limit;
    await this.flush();
    while (!done()) {
      const timer = this.#next();
      if (timer === undefined || timer.at > end) return false;
      await this.advance(timer.at - this.#now);
    }
    return true;
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers.values()) {
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) first = timer;
    }
    return first;
  }
}
