import type { ObservedContainer } from '../engine/engine.ts';
import type { ProcessIdentity } from '../native/native.ts';
import type { DesiredContainer } from './desired.ts';
import type { Facts, StopAsked } from './facts.ts';
import { isOutdated } from './outdated.ts';

/** Somebody asked for its file changes to be thrown away, and that is not done yet. */
export function isToBeReset({ id }: ObservedContainer, { reset }: Facts): boolean {
  return reset?.id === id;
}

/** The stop that somebody asked of the very run that goes on now. */
export function stopAskedOf({ id, process }: ObservedContainer, { stopAsked }: Facts): StopAsked | undefined {
  if (stopAsked?.id !== id) return undefined;
  // Before its end is on record it may be found being started, or just ending.
  return process.state === 'Creating' || (process.state === 'Running' && isSameRun(process.init, stopAsked.init)) ? stopAsked : undefined;
}

/** Whether the run that somebody asked for has begun, though it may have ended since. */
export function hasBegun({ process }: ObservedContainer, { endedAt }: NonNullable<Facts['runAsked']>): boolean {
  return process.state === 'Running' || (process.state === 'Exited' && process.exit.finishedAt !== endedAt);
}

/** Forgets what was asked for and is done, or can't be any more. The very object given where nothing was. */
export function withAnswered(facts: Facts, desired: DesiredContainer | undefined, observed: ObservedContainer | undefined): Facts {
  const { made, runAsked, stopAsked, ...rest } = facts;
  const isMade = desired !== undefined && observed !== undefined && !isOutdated(desired, observed);
  const runGoesOn = runAsked !== undefined && desired?.container.spec.suspend === false && (observed === undefined || !hasBegun(observed, runAsked));
  const stopGoesOn = observed !== undefined && stopAskedOf(observed, facts) !== undefined;
  if ((made === undefined || !isMade) && (runAsked === undefined || runGoesOn) && (stopAsked === undefined || stopGoesOn)) return facts;
  return { ...rest, ...(made && !isMade && { made }), ...(runGoesOn && { runAsked }), ...(stopAsked && stopGoesOn && { stopAsked }) };
}

/** ` and …` for each thing that somebody asked for and that is not done yet. */
export function describeAsked({ made, runAsked, stopAsked, reset }: Facts): string {
  const asked = [
    ...(made ? [' and to be made, as somebody asked'] : []),
    ...(runAsked ? [' and to run once more, as somebody asked'] : []),
    ...(stopAsked ? [' and its present run to end, as somebody asked'] : []),
    ...(reset ? [' and its file changes to be thrown away, as somebody asked'] : []),
  ];
  return asked.join('');
}

/** Whether both are the first process of one run. */
export function isSameRun(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.startTime === b.startTime;
}
