import type { ObservedContainer } from '../engine/engine.ts';
import { exponentialDelay, isDue } from './backoff.ts';
import type { Facts, Stop, StopCause } from './facts.ts';

/** A process in uninterruptible sleep outlives a kill; it is sent again, ever more rarely. Milliseconds. */
const KILL_AGAIN = { initial: 1_000, max: 60_000 };

/** The stop of this very container that is under way. */
export function stopOf(observed: ObservedContainer, facts: Facts): Stop | undefined {
  return facts.stop?.id === observed.id ? facts.stop : undefined;
}

/** How to ask the container to stop. */
export function stopBy(observed: ObservedContainer, facts: Facts): NonNullable<Facts['stopBy']> {
  const { stopSignal, stopTimeoutSeconds } = observed.container.spec;
  return facts.stopBy ?? { signal: stopSignal, timeoutSeconds: stopTimeoutSeconds };
}

/** Whether the stop's next harder measure has fallen due. */
export function isOverdue(stop: Stop, observed: ObservedContainer, facts: Facts, now: number): boolean {
  return isDue(stop.deadline, now, Math.max(stopBy(observed, facts).timeoutSeconds * 1000, KILL_AGAIN.max));
}

/** What to remember once the stop signal was sent, or could not be: either way the kill falls due. */
export function afterSignal(facts: Facts, observed: ObservedContainer, cause: StopCause, requestedAt: number): Facts {
  const deadline = requestedAt + stopBy(observed, facts).timeoutSeconds * 1000;
  return { ...facts, stop: { id: observed.id, cause, requestedAt, deadline, kills: 0 } };
}

/** What to remember once a kill was sent, or could not be. */
export function afterKill(facts: Facts, observed: ObservedContainer, cause: StopCause, now: number): Facts {
  const stop = stopOf(observed, facts) ?? { id: observed.id, cause, requestedAt: now, deadline: now, kills: 0 };
  return { ...facts, stop: { ...stop, kills: stop.kills + 1, deadline: now + exponentialDelay(stop.kills, KILL_AGAIN) } };
}
