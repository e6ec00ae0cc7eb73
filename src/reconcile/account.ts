import type { Drift, DriftKind, ExitRecord, ObservedContainer } from '../engine/engine.ts';
import { isToBeReset, stopAskedOf, withAnswered } from './asked.ts';
import { configChange } from './config-change.ts';
import { crashDelay, repairDelay, restartBackoffOf } from './backoff.ts';
import type { DriftPolicy } from '../spec/drift.ts';
import type { DesiredContainer } from './desired.ts';
import { correctable, driftPolicyOf, processDrift, restartDrift } from './drift.ts';
import { type ActedStep, type DriftEntry, recordOf, withFound, withoutPresent, withUndone } from './drift-record.ts';
import type { Facts, StopCause } from './facts.ts';
import { type OrderSituation, restartedDependency, withRunsFollowed } from './order.ts';
import { pauseDrift, withPaused } from './pause.ts';
import { objectionTo } from './plan.ts';
import { isExhausted, restartsAfter, type RestartRules } from './restart-policy.ts';
import type { Situation } from './situation.ts';
import { isOverdue, stopOf } from './stop.ts';

/** A shorter run is a crash whatever resetAfter says, else a program that ends at once would be restarted in a hot loop. Milliseconds. */
const SHORTEST_STABLE_RUN = 1_000;

/** Something that accounting found out, told exactly once. */
export type Happening =
  | { readonly kind: 'Exited'; readonly exit: ExitRecord; readonly asked: boolean }
  | { readonly kind: 'Restarting' } // the exit just told leads to a restart, which is counted
  | { readonly kind: 'BackOff'; readonly exit: ExitRecord; readonly crashes: number; readonly delay: number }
  | { readonly kind: 'DriftDetected'; readonly drift: Drift; readonly policy: DriftPolicy }
  | { readonly kind: 'DriftRepaired'; readonly drift: DriftKind };

export interface Account {
  /** The very object given where nothing new was learnt. */
  readonly facts: Facts;
  readonly happenings: readonly Happening[];
}

/** Takes what was just observed into the facts, purely: ends, crashes, drift found and undone. */
export function account(situation: Situation): Account {
  const { desired, observed, order, now } = situation;
  let facts = withDesired(situation.facts, desired);
  if (observed === undefined) return { facts: withAnswered(facts, desired, observed), happenings: [] };
  const wanted = objectionTo(desired, observed) === undefined && configChange(situation) === undefined ? desired : undefined;
  const happenings: Happening[] = [];
  const { process } = observed;

  if (process.state === 'Exited' && process.exit.finishedAt !== facts.countedExit) {
    const counted = accountExit({ facts, observed, exit: process.exit, wanted, acted: situation.acted ?? [], now });
    facts = counted.facts;
    happenings.push(...counted.happenings);
  }
  facts = withAnswered(facts, desired, observed);
  if (desired?.container.spec.autoRemove === true && (process.state === 'Running' || process.state === 'Exited') && facts.begun !== observed.id) facts = { ...facts, begun: observed.id };
  if (wanted === undefined) return { facts: withoutDrift(facts, situation), happenings };
  // Also after a change of restartPolicy, which makes a completed run of an end that was a crash.
  if (process.state === 'Exited' && facts.exitAsked !== true && facts.runAsked === undefined && !restartsAfter(wanted.container.spec, process.exit.exitCode, facts.crashes)) {
    facts = withCompleted(facts, wanted.container.spec, situation);
  }
  if (process.state !== 'Running') return { facts, happenings };

  // The wish to stop it went away, and it outlived the signal: from now on its end is its own again.
  const stop = stopOf(observed, facts);
  const { spec } = wanted.container;
  const toUndo = correctable(spec, observed.drift);
  if (stop !== undefined && !isStillDue(stop.cause, toUndo, facts, order) && !isToBeReset(observed, facts) && stopAskedOf(observed, facts) === undefined && isOverdue(stop, observed, facts, now)) facts = withoutStop(facts);
  const found = [...observed.drift, ...pauseDrift(wanted, observed, facts)];
  const present = found.filter(({ kind }) => driftPolicyOf(spec, kind) !== 'Ignore');
  facts = withRunsFollowed(withPaused(facts, wanted, observed), wanted.container, order);
  const known = facts.drifted ?? [];
  const fresh = present.filter(({ kind }) => !known.includes(kind));
  const undone = known.filter((kind) => !found.some((drift) => drift.kind === kind));
  for (const drift of fresh) happenings.push({ kind: 'DriftDetected', drift, policy: driftPolicyOf(spec, drift.kind) });
  for (const drift of undone) happenings.push({ kind: 'DriftRepaired', drift });
  const last = fresh.at(-1);
  if (last !== undefined) facts = { ...facts, lastDrift: { kind: last.kind, message: last.message, time: now } };
  const kinds = [...new Set(present.map(({ kind }) => kind))];
  // What is ignored from now on is gone from the list, and was not repaired.
  if (kinds.length !== known.length || fresh.length > 0) facts = withDrifted(facts, kinds);
  facts = withRecord(facts, recordOf(facts.driftRecord, { spec, present, known, undone, situation }));
  return { facts, happenings };
}

/** Whether a stop of what is desired has its cause still. */
function isStillDue(cause: StopCause, drift: readonly Drift[], facts: Facts, order: OrderSituation | undefined): boolean {
  if (cause === 'Unhealthy') return true;
  if (cause === 'ImageMoved') return drift.some(({ kind }) => kind === 'Image');
  if (cause === 'DependencyRestarted' && restartedDependency(facts, order) !== undefined) return true;
  return restartDrift(drift).length > 0;
}

interface Ended {
  readonly facts: Facts;
  readonly observed: ObservedContainer;
  readonly exit: ExitRecord;
  /** Undefined where what ended isn't what is desired. */
  readonly wanted: DesiredContainer | undefined;
  readonly acted: readonly ActedStep[];
  readonly now: number;
}

function accountExit({ facts, observed, exit, wanted, acted, now }: Ended): Account {
  const stop = stopOf(observed, facts);
  // What probes ended counts as what ended by itself: the restart policy and its backoff are for that.
  const asked = stop !== undefined && exit.finishedAt >= stop.requestedAt && stop.cause !== 'Unhealthy';
  const happenings: Happening[] = [];
  // It can only end again after it ran again, though nobody may have looked in between.
  if (facts.drifted?.includes('Process')) happenings.push({ kind: 'DriftRepaired', drift: 'Process' });
  happenings.push({ kind: 'Exited', exit, asked });
  const drifted = (facts.drifted ?? []).filter((kind) => kind !== 'Process');
  const record = withUndone(facts.driftRecord ?? [], 'Process', acted, now);
  const counted = withRecord(withDrifted({ ...withoutStop(facts), countedExit: exit.finishedAt, lastExit: exit, exitAsked: asked }, drifted), record);
  if (wanted === undefined || (asked && stop.cause !== 'Drift')) return { facts: counted, happenings };

  const { spec } = wanted.container;
  const backoff = restartBackoffOf(spec);
  const stable = exit.finishedAt - exit.startedAt >= Math.max(backoff.resetAfter, SHORTEST_STABLE_RUN);
  if (asked) {
    const repairs = stable ? 1 : (facts.repairs ?? 0) + 1;
    const repairAfter = exit.finishedAt + repairDelay(repairs, backoff);
    happenings.push({ kind: 'Restarting' });
    return { facts: { ...counted, restartCount: facts.restartCount + 1, repairs, repairAfter }, happenings };
  }

  const crashes = stable ? 1 : facts.crashes + 1;
  const drift = processDrift(spec, exit, crashes);
  if (drift === undefined) return { facts: isExhausted(spec, crashes) ? { ...counted, crashes } : counted, happenings };
  const delay = crashDelay(crashes, backoff);
  happenings.push({ kind: 'DriftDetected', drift, policy: 'Correct' }, { kind: 'Restarting' });
  if (delay > 0) happenings.push({ kind: 'BackOff', exit, crashes, delay });
  const { backoffUntil: _passed, ...kept } = counted;
  const crashed: Facts = {
    ...kept,
    restartCount: facts.restartCount + 1,
    crashes,
    drifted: [...drifted, drift.kind],
    lastDrift: { ...drift, time: now },
    driftRecord: withFound(record, drift, 'Correct', now),
    ...(delay > 0 ? { backoffUntil: exit.finishedAt + delay } : {}),
  };
  return { facts: crashed, happenings };
}

/** A changed spec starts afresh: what crashed before says nothing of it, so it needn't wait for the old one's backoff. Nor does a suspension. */
function withDesired(facts: Facts, desired: DesiredContainer | undefined): Facts {
  if (desired === undefined) return facts;
  const { specHash, generation: observedGeneration, container } = desired;
  const { suspend, stopSignal: signal, stopTimeoutSeconds: timeoutSeconds } = container.spec;
  const base = facts.specHash !== specHash ? withoutRun(facts) : suspend && facts.crashes > 0 ? withoutBackoff(facts) : facts;
  const { stopBy } = base;
  if (base === facts && facts.observedGeneration === observedGeneration && stopBy?.signal === signal && stopBy.timeoutSeconds === timeoutSeconds) return facts;
  return { ...base, specHash, observedGeneration, stopBy: { signal, timeoutSeconds } };
}

/** Marks the end as that of a completed run. */
function withCompleted(facts: Facts, rules: RestartRules, situation: Situation): Facts {
  const crashes = isExhausted(rules, facts.crashes) ? facts.crashes : 0;
  const known = facts.completed === true && facts.crashes === crashes && facts.drifted === undefined;
  return known ? facts : withoutDrift({ ...withoutBackoff(facts), crashes, completed: true }, situation);
}

/** As if it had never run. */
export function withoutRun(facts: Facts): Facts {
  const { completed: _completed, ...kept } = withoutBackoff(facts);
  return kept;
}

function withoutStop({ stop: _stop, ...kept }: Facts): Facts {
  return kept;
}

function withoutBackoff({ backoffUntil: _until, repairs: _repairs, repairAfter: _repairAfter, ...kept }: Facts): Facts {
  return { ...kept, crashes: 0 };
}

/** What differed does not any more, since it runs no more or is to go. */
function withoutDrift(facts: Facts, { now }: Situation): Facts {
  return withRecord(withDrifted(facts, []), withoutPresent(facts.driftRecord ?? [], now));
}

function withRecord(facts: Facts, driftRecord: readonly DriftEntry[]): Facts {
  return driftRecord === facts.driftRecord || (driftRecord.length === 0 && facts.driftRecord === undefined) ? facts : { ...facts, driftRecord };
}

function withDrifted(facts: Facts, kinds: readonly DriftKind[]): Facts {
  if (kinds.length > 0) return { ...facts, drifted: kinds };
  if (facts.drifted === undefined) return facts;
  const { drifted: _drifted, ...kept } = facts;
  return kept;
}
