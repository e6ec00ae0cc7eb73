/** A timer's handle, as the clock that made it understands it. */
export type TimerHandle = unknown;

/**
 * Time as Mooring's rooms see it. Injected everywhere, so that a simulation runs months in seconds;
 * its two timer functions are the shape that XState takes as an actor system's clock.
 */
export interface Clock {
  /** Wall-clock time, milliseconds since the Unix epoch. */
  now(): number;
  /** Runs `callback` once, `delay` milliseconds from now. */
  setTimeout(callback: () => void, delay: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delay) => setTimeout(callback, delay),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
};
