/** Milliseconds and looks. */
export interface RateLimit {
  /** Takes that are free after a pause. */
  readonly burst: number;
  /** One more take is free each so many milliseconds. */
  readonly interval: number;
}

/** A token bucket a key. A key costs memory only from its first take until `forget`. */
export class RateLimiter<K> {
  readonly #limit: RateLimit;
  /** The instant at which each key's bucket is full again. */
  readonly #fullAt = new Map<K, number>();

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  /** Takes one token of `key` and gives the milliseconds until it may be used: 0 within the burst. */
  take(key: K, now: number): number {
    const { burst, interval } = this.#limit;
    const fullAt = Math.max(now, this.#fullAt.get(key) ?? 0) + interval;
    this.#fullAt.set(key, fullAt);
    return Math.max(0, fullAt - now - burst * interval);
  }

  forget(key: K): void {
    this.#fullAt.delete(key);
  }
}
