import type { Clock, TimerHandle } from '../lib/clock.ts';
import { RateLimiter, type RateLimit } from './rate-limiter.ts';

/** Told what a queue does, under controller-runtime's `workqueue_…` notions. Must not throw. */
export interface QueueObserver {
  /** A key was accepted; `depth` keys now wait for their turn. */
  added(depth: number): void;
  /** A key's work began after it waited so long. */
  taken(waitedSeconds: number, depth: number): void;
  /** A key's work ended. */
  done(workedSeconds: number): void;
  /** A key was put off by the rate limit. */
  retried(): void;
}

export const noQueueObserver: QueueObserver = { added: () => {}, taken: () => {}, done: () => {}, retried: () => {} };

export interface WorkQueueOptions<K> {
  /** The work on one key. A rejection goes to `onError`; trying again is the work's own affair. */
  readonly work: (key: K) => Promise<void>;
  readonly onError: (key: K, error: unknown) => void;
  /** After the last key's work ended and none waits or is put off. */
  readonly onIdle?: () => void;
  /** Keys worked on at once. */
  readonly concurrency: number;
  readonly rateLimit: RateLimit;
  readonly clock: Clock;
  readonly observer: QueueObserver;
}

/**
 * A work queue of keys in the manner of controller-runtime's: a key that waits already isn't added twice, one that is
 * being worked on and is added again gets one more turn after, and never two turns at a time.
 */
export class WorkQueue<K> {
  readonly #options: WorkQueueOptions<K>;
  readonly #limiter: RateLimiter<K>;
  /** Waiting keys in order, with the instant they came. */
  readonly #waiting = new Map<K, number>();
  /** Keys being worked on, with the instant their work began. */
  readonly #working = new Map<K, number>();
  /** Keys added while being worked on. */
  readonly #again = new Map<K, number>();
  /** Keys put off by the rate limit. */
  readonly #putOff = new Map<K, TimerHandle>();
  #stopped = false;

  constructor(options: WorkQueueOptions<K>) {
    this.#options = options;
    this.#limiter = new RateLimiter(options.rateLimit);
  }

  /** Keys that wait for their turn. */
  get depth(): number {
    return this.#waiting.size + this.#again.size;
  }

  get idle(): boolean {
    return this.#waiting.size === 0 && this.#working.size === 0 && this.#putOff.size === 0;
  }

  /** Seconds of work in progress: their sum, and that of the key which takes longest. */
  unfinished(): { readonly totalSeconds: number; readonly longestSeconds: number } {
    const now = this.#options.clock.now();
    const seconds = [...this.#working.values()].map((since) => (now - since) / 1000);
    return { totalSeconds: seconds.reduce((sum, each) => sum + each, 0), longestSeconds: Math.max(0, ...seconds) };
  }

  add(key: K): void {
    if (this.#stopped) return;
    // Whatever put the key off is seen by the turn it gets now.
    this.#cancelPutOff(key);
    const keys = this.#working.has(key) ? this.#again : this.#waiting;
    if (keys.has(key)) return;
    keys.set(key, this.#options.clock.now());
    this.#options.observer.added(this.depth);
    this.#next();
  }

  /** Adds the key once its own rate limit allows, so that a storm of hints on one key costs a bounded share. */
  addRateLimited(key: K): void {
    if (this.#stopped || this.#putOff.has(key) || this.#waiting.has(key) || this.#again.has(key)) return;
    const delay = this.#limiter.take(key, this.#options.clock.now());
    if (delay === 0) {
      this.add(key);
      return;
    }
    this.#options.observer.retried();
    this.#putOff.set(
      key,
      this.#options.clock.setTimeout(() => {
        this.#putOff.delete(key);
        this.add(key);
      }, delay),
    );
  }

  /** Drops what is remembered of a key that won't come again. */
  forget(key: K): void {
    this.#limiter.forget(key);
  }

  /** Takes no more keys and begins no more work. What is being worked on goes on. */
  stop(): void {
    this.#stopped = true;
    for (const key of [...this.#putOff.keys()]) this.#cancelPutOff(key);
    this.#waiting.clear();
    this.#again.clear();
  }

  #cancelPutOff(key: K): void {
    if (!this.#putOff.has(key)) return;
    this.#options.clock.clearTimeout(this.#putOff.get(key));
    this.#putOff.delete(key);
  }

  #next(): void {
    for (const [key, since] of this.#waiting) {
      if (this.#working.size >= this.#options.concurrency) return;
      this.#waiting.delete(key);
      void this.#work(key, since);
    }
  }

  /** Never rejects: what the work throws goes to `onError`. */
  async #work(key: K, since: number): Promise<void> {
    const { clock, observer, work, onError, onIdle } = this.#options;
    const began = clock.now();
    this.#working.set(key, began);
    observer.taken((began - since) / 1000, this.depth);
    try {
      await work(key);
    } catch (error) {
      onError(key, error);
    }
    this.#working.delete(key);
    observer.done((clock.now() - began) / 1000);
    const added = this.#again.get(key);
    if (added !== undefined) {
      this.#again.delete(key);
      this.#waiting.set(key, added);
    }
    this.#next();
    if (this.idle) onIdle?.();
  }
}
