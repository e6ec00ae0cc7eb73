import { setTimeout as sleep } from 'node:timers/promises';

import { PATIENCE } from './patience.ts';

const POLL_MS = 15;

/**
 * Asks again and again until the answer is there (neither undefined, null nor false), and gives it back. An error counts as no answer yet.
 * Fails after `seconds` (times the machine's patience), saying what was waited for and what came last.
 */
export async function until<T>(what: string, ask: () => Promise<T> | T, seconds = 20): Promise<Exclude<T, undefined | null | false>> {
  const patience = seconds * PATIENCE;
  const deadline = Date.now() + patience * 1000;
  for (;;) {
    let last: unknown;
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== null && answer !== false) return answer as Exclude<T, undefined | null | false>;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`waited ${patience} s in vain until ${what}`, { cause: last });
    await sleep(POLL_MS);
  }
}
