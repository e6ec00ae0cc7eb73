import type { Drift, ObservedContainer } from '../engine/engine.ts';
import { isSameRun } from './asked.ts';
import type { DesiredContainer } from './desired.ts';
import type { Facts } from './facts.ts';
import { stopOf } from './stop.ts';

/** The drift that a container is which somebody else has frozen, or let run on. What is merely not done yet is none. */
export function pauseDrift(desired: DesiredContainer, observed: ObservedContainer, facts: Facts): Drift[] {
  const { process } = observed;
  if (process.state !== 'Running' || stopOf(observed, facts) !== undefined) return [];
  const { pause } = desired.container.spec;
  const isFrozen = process.frozen === true;
  const wasPaused = facts.paused !== undefined && isSameRun(facts.paused, process.init);
  if (isFrozen === pause || wasPaused !== pause) return [];
  return [{ kind: 'Frozen', message: isFrozen ? 'its processes stand still, want them running' : 'its processes run, want them to stand still (spec.pause)' }];
}

/** Remembers the run that stands still as it is wanted to, and no other. The very object given where nothing changed. */
export function withPaused(facts: Facts, desired: DesiredContainer, { process }: ObservedContainer): Facts {
  if (process.state !== 'Running' || (process.frozen === true) !== desired.container.spec.pause) return facts;
  if (!desired.container.spec.pause) {
    if (facts.paused === undefined) return facts;
    const { paused: _paused, ...rest } = facts;
    return rest;
  }
  return facts.paused !== undefined && isSameRun(facts.paused, process.init) ? facts : { ...facts, paused: process.init };
}
