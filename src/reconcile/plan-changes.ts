import type { ContainerId, DriftKind, ExitRecord, ObservedContainer, ObservedProcess } from '../engine/engine.ts';
import { MooringError } from '../lib/errors.ts';
import type { Container } from '../spec/container.ts';
import { specChanged } from '../spec/hash.ts';
import type { ContainerName } from '../spec/name.ts';
import { account, withoutRun } from './account.ts';
import type { DesiredContainer } from './desired.ts';
import { isUnmet } from './needs.ts';
import { WAITING_FOR_DEPENDENCY, withRunsOfStart } from './order.ts';
import { plan, type Step } from './plan.ts';
import type { PlannedChange } from './planned-change.ts';
import type { Situation } from './situation.ts';
import { afterKill, afterSignal } from './stop.ts';

/** More steps than any plan needs; past it, the plan goes in a circle. */
const MAX_STEPS = 20;

/** Stands for the process and the container that a step would make. */
const imagined = { pid: 0, startTime: 0 };
const imaginedId = '0'.repeat(64) as ContainerId;

/**
 * The dry run: what would be done, step by step, if each step did what it is meant to do. Changes nothing.
 * `accepted` is what is desired now, before the change.
 */
export function planChanges(name: ContainerName, start: Situation, accepted: DesiredContainer | undefined): PlannedChange {
  const { desired, observed } = start;
  const steps: Step[] = [];
  let situation = start;
  for (;;) {
    situation = { ...situation, facts: account(situation).facts };
    const step = plan(situation);
    const last = step.kind === 'Settled' || step.kind === 'Forget';
    // What there is nothing to do for still says why.
    if (!last || steps.length === 0) steps.push(step);
    if (last) break;
    if (steps.length > MAX_STEPS) throw new MooringError('Internal', `the plan for ${name} doesn't come to an end: it stands at ${step.kind} (${step.message})`);
    situation = afterStep(situation, step);
  }
  const changes = desired === undefined || observed === undefined ? [] : specChanged(inForce(observed, accepted), desired.container);
  return { kind: 'Container', name, action: actionOf(steps, observed, changes.length > 0), steps, changes };
}

/** What runs, with what has changed on it since it was created. */
function inForce(observed: ObservedContainer, accepted: DesiredContainer | undefined): Container {
  return accepted?.specHash === observed.specHash ? accepted.container : observed.container;
}

/** The situation that a step leads to when all goes well. */
export function afterStep(situation: Situation, step: Step): Situation {
  const { desired, observed, facts, now } = situation;
  switch (step.kind) {
    case 'Settled':
    case 'Forget':
      return situation;
    case 'Wait':
      // Goes by no time: each of those containers does what it is to do first.
      if (step.reason === WAITING_FOR_DEPENDENCY) return situation.order === undefined ? situation : { ...situation, order: { ...situation.order, awaited: [] } };
      return { ...situation, now: step.until, ...(isUnmet(step.reason) && { unmet: [] }), ...(observed?.process.state === 'Creating' ? { observed: running(observed, now) } : {}) };
    case 'PullImage':
      return { ...situation, image: { name: step.image, isThere: true, isFresh: true, ...(situation.image?.moved && { moved: { ...situation.image.moved, isFetched: true } }) } };
    case 'BuildImage':
      return { ...situation, image: { name: step.image, isThere: true, isFresh: true, build: 'Done' } };
    case 'Create':
      return desired === undefined ? situation : { ...situation, observed: created(desired, now, situation.config) };
    case 'Remove':
      return { ...situation, observed: undefined, ...(step.reason === 'ConfigChanged' && { facts: withoutRun(facts) }), image: situation.image && { name: situation.image.name, isThere: situation.image.isThere, isFresh: situation.image.isFresh } };
    case 'Pause':
    case 'Resume':
      return observed?.process.state !== 'Running' ? situation : undrifted({ ...situation, observed: { ...observed, process: paused(observed.process, step.kind === 'Pause') } }, 'Frozen');
    case 'Release':
      return { ...situation, desired: undefined, image: undefined };
    case 'Start':
      return observed === undefined ? situation : { ...situation, observed: running(observed, now), facts: withRunsOfStart(facts, situation.order) };
    case 'Reset': {
      const { reset: _, ...rest } = facts;
      return { ...undrifted(situation, 'Files'), facts: rest };
    }
    case 'RestoreLimits':
      return undrifted(situation, 'Limits');
    case 'RestoreNetwork':
      return undrifted(situation, 'Network');
    case 'Update':
      return updated(undrifted(undrifted(situation, 'Network'), 'Limits'));
    case 'Signal':
      return observed === undefined ? situation : { ...situation, observed: ended(observed, now, 15), facts: afterSignal(facts, observed, step.cause, now, step.graceSeconds) };
    case 'Kill':
      return observed === undefined ? situation : { ...situation, observed: ended(observed, now, 9), facts: afterKill(facts, observed, step.cause, now) };
  }
}

function undrifted(situation: Situation, undone: DriftKind): Situation {
  const { observed } = situation;
  return observed === undefined ? situation : { ...situation, observed: { ...observed, drift: observed.drift.filter(({ kind }) => kind !== undone) } };
}

/** As if it had been made from what is wanted. */
function updated(situation: Situation): Situation {
  const { desired, observed } = situation;
  return desired === undefined || observed === undefined ? situation : { ...situation, observed: { ...observed, container: desired.container, specHash: desired.specHash } };
}

function created({ name, container, specHash }: NonNullable<Situation['desired']>, now: number, config: Situation['config']): ObservedContainer {
  return { id: imaginedId, name, container, specHash, imageId: '', ...(config && { config }), createdAt: now, process: { state: 'None' }, drift: [] };
}

function running(observed: ObservedContainer, now: number): ObservedContainer {
  return { ...observed, drift: [], process: { state: 'Running', init: imagined, monitor: imagined, startedAt: now } };
}

function paused({ frozen: _frozen, ...process }: ObservedProcess & { state: 'Running' }, frozen: boolean): ObservedProcess {
  return frozen ? { ...process, frozen } : process;
}

function ended(observed: ObservedContainer, now: number, signal: number): ObservedContainer {
  const exit: ExitRecord = { exitCode: 128 + signal, signal, oomKilled: false, startedAt: now, finishedAt: now };
  return { ...observed, process: { state: 'Exited', exit } };
}

function actionOf(steps: readonly Step[], observed: ObservedContainer | undefined, changed: boolean): PlannedChange['action'] {
  const has = (kind: Step['kind']): boolean => steps.some((step) => step.kind === kind);
  const [first] = steps;
  if (first?.kind === 'Settled' && isUnmet(first.reason)) return 'Wait';
  if (has('Remove')) return has('Create') ? 'Recreate' : 'Remove';
  if (has('Create')) return 'Create';
  if (has('Start')) return observed?.process.state === 'None' ? 'Start' : 'Restart';
  // A wait is for a process to end that has been told to already.
  if (has('Signal') || has('Kill') || (has('Wait') && observed?.process.state === 'Running')) return 'Stop';
  // What changed and needs no step takes effect with the next decision that it bears on.
  return has('RestoreLimits') || has('RestoreNetwork') || has('Update') || has('Pause') || has('Resume') || changed ? 'Update' : 'None';
}
