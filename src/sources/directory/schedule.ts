import type { Clock, TimerHandle } from '../../lib/clock.ts';

export interface ScheduleOptions {
  readonly clock: Clock;
  /** Runs this long after the last change… */
  readonly quietMs: number;
  /** …or this long after the first, whatever goes on changing. */
  readonly maxMs: number;
  /** `quiet`: nothing changed for `quietMs` before. Must not throw. */
  readonly run: (quiet: boolean) => Promise<void>;
}

/** Gathers changes into runs, one at a time. A change during a run leads to another. */
export class Schedule {
  readonly #options: ScheduleOptions;
  #first: number | undefined;
  #last = 0;
  #timer: TimerHandle | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(options: ScheduleOptions) {
    this.#options = options;
  }

  /** Something changed after the present run began, or since the last one. */
  get pending(): boolean {
    return this.#first !== undefined;
  }

  /** Something changed. */
  touch(): void {
    const now = this.#options.clock.now();
    this.#first ??= now;
    this.#last = now;
    if (this.#running === undefined) this.#arm();
  }

  /** Runs now, after a run that is under way; settles when done. */
  async flush(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    if (!this.#stopped) await this.#run();
  }

  /** No run begins after this; settles when the one under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#disarm();
    await this.#running;
  }

  #arm(): void {
    this.#disarm();
    if (this.#stopped || this.#first === undefined) return;
    const { clock, quietMs, maxMs } = this.#options;
    const due = Math.min(this.#last + quietMs, this.#first + maxMs);
    this.#timer = clock.setTimeout(() => this.#due(), Math.max(0, due - clock.now()));
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #due(): void {
    this.#timer = undefined;
    const last = this.#last;
    // Timers come before file events in the event loop: where it was late, changes may be waiting to be heard.
    setImmediate(() => {
      if (this.#stopped || this.#running !== undefined) return;
      const { clock, maxMs } = this.#options;
      const overdue = this.#first !== undefined && clock.now() - this.#first >= maxMs;
      if (this.#last === last || overdue) void this.#run();
      else this.#arm();
    });
  }

  #run(): Promise<void> {
    const { clock, quietMs, run } = this.#options;
    const quiet = clock.now() - this.#last >= quietMs;
    this.#disarm();
    this.#first = undefined;
    this.#running = run(quiet).finally(() => {
      this.#running = undefined;
      this.#arm();
    });
    return this.#running;
  }
}
