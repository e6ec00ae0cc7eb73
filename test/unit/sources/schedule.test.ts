import assert from 'node:assert/strict';
import { setImmediate as immediate } from 'node:timers/promises';
import { test } from 'node:test';
import type { Clock } from '../../../src/lib/clock.ts';
import { Schedule } from '../../../src/sources/directory/schedule.ts';

/** A clock that moves when told to. */
class HandClock implements Clock {
  #now = 0;
  readonly #timers = new Map<object, { readonly at: number; readonly callback: () => void }>();

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, delay: number): object {
    const handle = {};
    this.#timers.set(handle, { at: this.#now + delay, callback });
    return handle;
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as object);
  }

  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      const [next] = [...this.#timers].filter(([, { at }]) => at <= end).toSorted(([, a], [, b]) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next[0]);
      this.#now = next[1].at;
      next[1].callback();
      await immediate();
      await immediate();
    }
    this.#now = end;
  }
}

function create(work: () => Promise<void> = async () => {}) {
  const clock = new HandClock();
  const runs: { at: number; quiet: boolean }[] = [];
  const schedule = new Schedule({
    clock,
    quietMs: 30,
    maxMs: 80,
    run: (quiet) => {
      runs.push({ at: clock.now(), quiet });
      return work();
    },
  });
  return { clock, runs, schedule };
}

test('a change is followed once it has been quiet', async () => {
  const { clock, runs, schedule } = create();
  schedule.touch();
  await clock.advance(10);
  schedule.touch();
  await clock.advance(200);
  assert.deepEqual(runs, [{ at: 40, quiet: true }]);
});

test('changes without end are followed all the same, and known not to be quiet', async () => {
  const { clock, runs, schedule } = create();
  for (let step = 0; step < 20; step += 1) {
    schedule.touch();
    await clock.advance(10);
  }
  await clock.advance(100);
  assert.deepEqual(
    runs.map(({ quiet }) => quiet),
    [false, false, true],
  );
  assert.equal(runs[0]?.at, 80);
});

test('one run at a time; what changes meanwhile is followed after', async () => {
  let end = Promise.withResolvers<void>();
  const { clock, runs, schedule } = create(() => end.promise);
  schedule.touch();
  await clock.advance(30);
  schedule.touch();
  assert.equal(schedule.pending, true);
  const flushed = schedule.flush();
  await clock.advance(500);
  assert.equal(runs.length, 1);
  end.resolve();
  end = Promise.withResolvers<void>();
  end.resolve();
  await flushed;
  await clock.advance(500);
  assert.equal(runs.length, 2);
  assert.equal(schedule.pending, false);
});

test('nothing runs after stop, which waits for what does', async () => {
  const end = Promise.withResolvers<void>();
  const { clock, runs, schedule } = create(() => end.promise);
  schedule.touch();
  await clock.advance(30);
  let stopped = false;
  const stopping = schedule.stop().then(() => (stopped = true));
  schedule.touch();
  await clock.advance(500);
  assert.equal(stopped, false);
  end.resolve();
  await stopping;
  await schedule.flush();
  await clock.advance(500);
  assert.equal(runs.length, 1);
});
