import type { ObservedContainer } from '../engine/engine.ts';
import { stopAskedOf } from './asked.ts';
import { exponentialDelay, isDue } from './backoff.ts';
import type { Facts, Stop, StopCause } from './facts.ts';

/** A process in uninterruptible sleep outlives a kill; it is sent again, ever more rarely. Milliseconds. */
const KILL_AGAIN = { initial: 1_000, max: 60_000 };

/** The stop of this very container that is under way. */
export function stopOf(observed: ObservedContainer, facts: Facts): Stop | undefined {
  return facts.stop?.id === observed.id ? facts.stop : undefined;
}

/** Seconds that stand for as long as it takes: a hundred years. */
export const FOR_EVER = 3_155_760_000;

/** How to ask the container to stop. */
export function stopBy(observed: ObservedContainer, facts: Facts): NonNullable<Facts['stopBy']> {
  const { stopSignal, stopTimeoutSeconds } = observed.container.spec;
  const { signal, timeoutSeconds } = facts.stopBy ?? { signal: stopSignal, timeoutSeconds: stopTimeoutSeconds };
  const asked = stopAskedOf(observed, facts);
  return { signal: asked?.signal ?? signal, timeoutSeconds: asked?.graceSeconds ?? timeoutSeconds };
}

/** When the stop's next harder measure is due. Who asks for another grace while it is under way gets that, from then on. */
export function deadlineOf(stop: Stop, observed: ObservedContainer, facts: Facts): number {
  const asked = stopAskedOf(observed, facts);
  if (stop.kills > 0 || asked?.graceSeconds === undefined) return stop.deadline;
  return Math.max(asked.askedAt, stop.requestedAt) + asked.graceSeconds * 1000;
}

/** Whether somebody asked for another signal than was sent. */
export function wantsOtherSignal(stop: Stop, observed: ObservedContainer, facts: Facts): boolean {
  const signal = stopAskedOf(observed, facts)?.signal;
  return stop.kills === 0 && signal !== undefined && signal !== stop.signal;
}

/** Whether the stop's next harder measure has fallen due. */
export function isOverdue(stop: Stop, observed: ObservedContainer, facts: Facts, now: number): boolean {
  return isDue(deadlineOf(stop, observed, facts), now, Math.max((stop.graceSeconds ?? stopBy(observed, facts).timeoutSeconds) * 1000, KILL_AGAIN.max));
}

/** What to remember once the stop signal was sent, or could not be: either way the kill falls due. */
export function afterSignal(facts: Facts, observed: ObservedContainer, cause: StopCause, requestedAt: number, graceSeconds?: number): Facts {
  const { signal, timeoutSeconds } = stopBy(observed, facts);
  const deadline = requestedAt + (graceSeconds ?? timeoutSeconds) * 1000;
  return { ...facts, stop: { id: observed.id, cause, requestedAt, signal, ...(graceSeconds !== undefined && { graceSeconds }), deadline, kills: 0 } };
}

/** What to remember once a kill was sent, or could not be. */
export function afterKill(facts: Facts, observed: ObservedContainer, cause: StopCause, now: number): Facts {
  const stop = stopOf(observed, facts) ?? { id: observed.id, cause, requestedAt: now, deadline: now, kills: 0 };
  return { ...facts, stop: { ...stop, kills: stop.kills + 1, deadline: now + exponentialDelay(stop.kills, KILL_AGAIN) } };
}
