import type { ExitRecord, ObservedContainer, ObservedProcess } from '../engine/engine.ts';
import { listed } from '../lib/text.ts';
import { imagePullPolicyOf } from '../spec/image-pull-policy.ts';
import { isToBeReset, stopAskedOf } from './asked.ts';
import { configChange } from './config-change.ts';
import { isDue, restartBackoffOf } from './backoff.ts';
import type { DesiredContainer } from './desired.ts';
import { correctable, describeDrift, driftPolicyOf, restartDrift } from './drift.ts';
import { pauseDrift } from './pause.ts';
import type { Facts, StopCause } from './facts.ts';
import { describeChange, isOutdated, updateReason } from './outdated.ts';
import { describeRestarts, restartsAfter, type RestartRules } from './restart-policy.ts';
import { isUnmet } from './needs.ts';
import { restartedDependency } from './order.ts';
import type { Situation } from './situation.ts';
import { deadlineOf, FOR_EVER, isOverdue, stopBy, stopOf, wantsOtherSignal } from './stop.ts';
import { describeExit, describeSpan, instant } from './words.ts';

/**
 * The next thing to do to a container. `plan(situation)` returns one, purely.
 * `reason` is CamelCase for programs, `message` says why to people.
 */
export type Step = { readonly reason: string; readonly message: string } & (
  | { readonly kind: 'Settled' } // nothing to do until an event or the resync
  | { readonly kind: 'Wait'; readonly until: number } // nothing to do before that instant (ms since the epoch): a backoff or a stop's grace
  | { readonly kind: 'PullImage'; readonly image: string }
  | { readonly kind: 'BuildImage'; readonly image: string }
  | { readonly kind: 'Create' }
  | { readonly kind: 'Start' }
  | { readonly kind: 'Signal'; readonly signal: string; readonly cause: StopCause; readonly graceSeconds?: number }
  | { readonly kind: 'Kill'; readonly cause: StopCause }
  | { readonly kind: 'Update' } // of what can change on the container that is there
  | { readonly kind: 'Pause' }
  | { readonly kind: 'Resume' }
  | { readonly kind: 'RestoreLimits' }
  | { readonly kind: 'RestoreNetwork' }
  | { readonly kind: 'Reset' } // throws the file changes of a container away that does not run
  | { readonly kind: 'Remove' }
  | { readonly kind: 'Release' } // no longer desires what was to be there only as long as it runs
  | { readonly kind: 'Forget' } // neither desired nor there: the actor ends
);

/** Causes for which a container makes room for a successor of its own. */
const SUCCEEDED: ReadonlySet<StopCause> = new Set(['SpecChanged', 'ConfigChanged', 'ImageMoved']);

/** Why what is there may not go on as it is. */
export interface Objection {
  readonly cause: StopCause;
  readonly reason: string;
  readonly message: string;
  /** Seconds between the stop signal and SIGKILL, where they are not those of the spec. */
  readonly graceSeconds?: number;
}

/** What is under way tells when it is done; should that be lost, this is when to look, in milliseconds. */
const LOOK_AGAIN = 10_000;
/** The same for what others tell of, whose loss the resync makes good. */
const LOOK_AGAIN_LATE = 3_600_000;

/** The next step towards what is desired. The facts must account for what was observed (`account`). */
export function plan(situation: Situation): Step {
  const step = decide(situation);
  return isOver(situation, step) ? { kind: 'Release', reason: 'AutoRemove', message: 'it has ended for good, and spec.autoRemove is true' } : step;
}

/** Whether it was to be there for one run, and that is over. */
function isOver({ desired, observed, facts }: Situation, step: Step): boolean {
  if (desired?.container.spec.autoRemove !== true || desired.origin.source !== 'api' || observed === undefined) return false;
  if (observed.process.state === 'Exited') return step.kind === 'Settled' && !isUnmet(step.reason);
  // The machine went down under it.
  return observed.process.state === 'None' && facts.begun === observed.id && facts.runAsked === undefined;
}

function decide(situation: Situation): Step {
  const { desired, observed } = situation;
  if (observed === undefined) return planAbsent(situation);
  const objection = objectionTo(desired, observed) ?? objectionToConfig(situation) ?? objectionToImage(situation);
  const goesAnyway = objection !== undefined && objection.cause !== 'Suspended';
  if (!goesAnyway && isToBeReset(observed, situation.facts)) return planReset(observed, situation);
  if (stopAskedOf(observed, situation.facts) !== undefined) return planStop(objection ?? { cause: 'Asked', reason: 'StopAsked', message: 'somebody asked for its end' }, observed, situation);
  if (objection !== undefined) return planUnwanted(objection, observed, situation);
  // Only a desired container is free of objections.
  return planWanted(desired as DesiredContainer, observed, situation);
}

/** Why the container as it is now may not stay, running or not; undefined when it is what is desired. */
export function objectionTo(desired: DesiredContainer | undefined, observed: ObservedContainer): Objection | undefined {
  if (desired === undefined) return { cause: 'Undesired', reason: 'NotDesired', message: 'no source wants it any more' };
  if (desired.container.spec.suspend) return { cause: 'Suspended', reason: 'Suspended', message: 'spec.suspend is true' };
  if (isOutdated(desired, observed)) return { cause: 'SpecChanged', reason: 'SpecChanged', message: describeChange(desired, observed) };
  return undefined;
}

/** Why the container may not stay though nobody changed its spec: what it was given of ConfigMaps and Secrets is not what it would be given now. */
function objectionToConfig(situation: Situation): Objection | undefined {
  const { desired, facts } = situation;
  const message = configChange(situation);
  if (desired === undefined || message === undefined || planCompleted(desired, facts) !== undefined) return undefined;
  return { cause: 'ConfigChanged', reason: 'ConfigChanged', message };
}

/** Why the container may not stay though nobody changed its spec: the tag that it follows stands for another image, which is there. */
function objectionToImage({ desired, facts, image }: Situation): Objection | undefined {
  if (desired === undefined || image?.moved?.isFetched !== true || !followsImage(desired) || planCompleted(desired, facts) !== undefined) return undefined;
  return { cause: 'ImageMoved', reason: 'ImageMoved', message: image.moved.message };
}

function followsImage({ container }: DesiredContainer): boolean {
  return driftPolicyOf(container.spec, 'Image') === 'Correct';
}

/** Fetches what a followed tag stands for now, while the container runs on. */
function planMoved({ desired, image }: Situation): Step | undefined {
  if (desired !== undefined && image?.build === 'Due') return planBuild(desired);
  if (desired === undefined || image?.moved === undefined || image.moved.isFetched || !followsImage(desired)) return undefined;
  return { kind: 'PullImage', image: desired.container.spec.image, reason: 'ImageMoved', message: image.moved.message };
}

function planReset(observed: ObservedContainer, situation: Situation): Step {
  const why = { reason: 'ResetAsked', message: 'its file changes are to be thrown away' };
  const { state } = observed.process;
  return state === 'Running' || state === 'Creating' ? planStop({ cause: 'Reset', ...why }, observed, situation) : { kind: 'Reset', ...why };
}

function planAbsent(situation: Situation): Step {
  const { desired, facts } = situation;
  if (desired === undefined) return { kind: 'Forget', reason: 'NotDesired', message: 'no source wants it, and nothing of it is there' };
  const { suspend } = desired.container.spec;
  if (suspend && facts.made !== true) return { kind: 'Settled', reason: 'Suspended', message: 'spec.suspend is true: it is not created' };
  const why = suspend ? { reason: 'MakeAsked', message: 'somebody asked to have it made' } : { reason: 'NotCreated', message: 'it is wanted, and there is none' };
  return planCompleted(desired, facts) ?? planNeeds(situation) ?? planPull(situation) ?? (suspend ? undefined : planAwaited(situation)) ?? { kind: 'Create', ...why };
}

/** Builds the image; what runs goes on meanwhile, and for good if it can't be built. */
function planBuild({ container }: DesiredContainer): Step {
  const { image, build } = container.spec;
  return { kind: 'BuildImage', image, reason: 'Building', message: `builds image ${image} from ${build?.context ?? ''}` };
}

/** What has to be fetched or built before a container is made; undefined when nothing has. */
function planPull({ desired, image }: Situation): Step | undefined {
  if (desired === undefined || image?.name !== desired.container.spec.image) return undefined;
  if (image.build !== undefined) return image.build === 'Due' ? planBuild(desired) : undefined;
  const { spec } = desired.container;
  const policy = imagePullPolicyOf(spec);
  if (policy === 'Never' || image.isFresh || (policy === 'IfNotPresent' && image.isThere)) return undefined;
  const why = policy === 'Always' ? 'imagePullPolicy is Always' : 'the node lacks it';
  return { kind: 'PullImage', image: spec.image, reason: 'Pulling', message: `fetches image ${spec.image}: ${why}` };
}

/** What has to be there before a container is made or started; undefined when all is. Whoever makes it there has the container looked at again. */
function planNeeds({ unmet = [], now }: Situation): Step | undefined {
  const first = unmet.find(({ isComing }) => !isComing) ?? unmet[0];
  if (first === undefined) return undefined;
  const why = { reason: first.reason, message: unmet.map(({ message }) => message).join('; ') };
  return first.isComing ? { kind: 'Wait', until: now + LOOK_AGAIN, ...why } : { kind: 'Settled', ...why };
}

/** Waits for what it depends on to be as far as it must be; whatever moves there has it looked at again. */
function planAwaited({ order, now }: Situation): Step | undefined {
  const { awaited = [] } = order ?? {};
  const first = awaited.find(({ isComing }) => !isComing) ?? awaited[0];
  if (first === undefined) return undefined;
  const why = { reason: first.reason, message: awaited.map(({ message }) => message).join('; ') };
  return first.isComing ? { kind: 'Wait', until: now + LOOK_AGAIN_LATE, ...why } : { kind: 'Settled', ...why };
}

/** Lets those stop first that depend on it and go away, too. */
function planHeld({ cause, message }: Objection, observed: ObservedContainer, { facts, order, now }: Situation): Step | undefined {
  const hold = order?.hold;
  if (hold === undefined || now >= hold.until || observed.process.state !== 'Running' || stopOf(observed, facts) !== undefined) return undefined;
  if (cause !== 'Undesired' && cause !== 'Suspended') return undefined;
  return { kind: 'Wait', until: hold.until, reason: 'StoppingDependants', message: `${message}; it is stopped after ${listed(hold.names)}` };
}

function planUnwanted(objection: Objection, observed: ObservedContainer, situation: Situation): Step {
  const { state } = observed.process;
  // What runs goes on until its successor can be made, for good if the image can't be had.
  const pull = SUCCEEDED.has(objection.cause) && stopOf(observed, situation.facts) === undefined ? (planNeeds(situation) ?? planPull(situation) ?? planAwaited(situation)) : undefined;
  if (pull !== undefined) return pull;
  const held = planHeld(objection, observed, situation);
  if (held !== undefined) return held;
  if (state === 'Running' || state === 'Creating') return planStop(objection, observed, situation);
  if (objection.cause === 'Suspended') {
    // One that is as desired answers the wish to have it made.
    if (situation.facts.made === true) return { kind: 'Remove', reason: 'MakeAsked', message: 'somebody asked to have it made as it is desired now' };
    const { desired } = situation;
    const change = desired === undefined || isOutdated(desired, observed) ? undefined : planUpdate(desired, observed, situation);
    if (change !== undefined) return change;
    return { kind: 'Settled', reason: 'Suspended', message: `${objection.message}: it is not started` };
  }
  return { kind: 'Remove', reason: objection.reason, message: objection.message };
}

function planStop({ cause, reason, message, graceSeconds }: Objection, observed: ObservedContainer, { facts, now }: Situation): Step {
  const stop = stopOf(observed, facts);
  const { signal, timeoutSeconds: usual } = stopBy(observed, facts);
  const timeoutSeconds = stop?.graceSeconds ?? usual;
  if (stop !== undefined && observed.process.state === 'Running' && wantsOtherSignal(stop, observed, facts)) return { kind: 'Signal', signal, cause, reason, message: `${message}, by another signal` };
  // Signals reach what stands still only once it runs on.
  if (stop !== undefined && isFrozen(observed)) return { kind: 'Resume', reason: 'Stopping', message: `${message}; it is paused, and has to run to end` };
  if (stop !== undefined && !isOverdue(stop, observed, facts, now)) {
    const until = deadlineOf(stop, observed, facts);
    const sent = stop.kills === 0 ? `${stop.signal ?? signal} was sent` : 'SIGKILL was sent';
    const next = stop.kills === 0 && timeoutSeconds >= FOR_EVER ? 'it may take as long as it takes' : `SIGKILL follows at ${instant(until)}`;
    return { kind: 'Wait', until, reason: 'Stopping', message: `${message}; ${sent}, ${next}` };
  }
  // Before its own program runs there is nothing that a signal could ask to end in order.
  if (observed.process.state === 'Creating') return { kind: 'Kill', cause, reason, message: `${message}; it is still being started` };
  if (stop === undefined) return { kind: 'Signal', signal, cause, reason, message, ...(graceSeconds !== undefined && { graceSeconds }) };
  const grace = stop.kills === 0 ? `it still runs ${timeoutSeconds} s after ${signal}` : `it still runs after ${stop.kills} × SIGKILL`;
  return { kind: 'Kill', cause, reason, message: `${message}; ${grace}` };
}

/** What is desired otherwise, and can be changed on the container that is there. */
function planUpdate(desired: DesiredContainer, observed: ObservedContainer, situation: Situation): Step | undefined {
  if (desired.specHash === observed.specHash) return undefined;
  return planNeeds(situation) ?? { kind: 'Update', reason: updateReason(desired, observed), message: `${describeChange(desired, observed)}; that needs no other container` };
}

function planWanted(desired: DesiredContainer, observed: ObservedContainer, situation: Situation): Step {
  const { process } = observed;
  const change = process.state === 'Creating' ? undefined : planUpdate(desired, observed, situation);
  if (change !== undefined) return change;
  switch (process.state) {
    case 'Creating':
      return { kind: 'Wait', until: situation.now + LOOK_AGAIN, reason: 'Starting', message: `monitor ${process.monitor.pid} is starting it` };
    case 'Running':
      return planRunning(desired, observed, process.init.pid, situation);
    case 'None':
      return afterReset(planCompleted(desired, situation.facts) ?? startOrWait('NotStarted', 'it is wanted running, and has not been started', desired, situation), desired, observed);
    case 'Exited':
      return afterReset(planExited(desired, process, situation), desired, observed);
  }
}

/** No start from files that are to be the image's and are not. */
function afterReset(step: Step, { container }: DesiredContainer, { drift }: ObservedContainer): Step {
  const files = correctable(container.spec, drift).filter(({ kind }) => kind === 'Files');
  if (step.kind !== 'Start' || files.length === 0) return step;
  return { kind: 'Reset', reason: 'FilesDrifted', message: `${describeDrift(files)}; all of its file changes are thrown away` };
}

function planRunning(desired: DesiredContainer, observed: ObservedContainer, pid: number, situation: Situation): Step {
  const toUndo = correctable(desired.container.spec, observed.drift);
  const toRestart = restartDrift(toUndo);
  if (toRestart.length > 0) {
    const reason = `${toRestart[0]?.kind}Drifted`;
    const message = `${describeDrift(toRestart)}; only a restart makes it whole`;
    const { repairAfter = 0, repairs = 0 } = situation.facts;
    const due = isDue(repairAfter, situation.now, restartBackoffOf(desired.container.spec).max);
    if (stopOf(observed, situation.facts) === undefined && !due) {
      return { kind: 'Wait', until: repairAfter, reason: 'RepairBackOff', message: `${message}; ${repairs} such restarts in a row, the next at ${instant(repairAfter)}` };
    }
    return planStop({ cause: 'Drift', reason, message }, observed, situation);
  }
  const unwell = objectionOfProbes(observed, situation);
  if (unwell !== undefined) return planStop(unwell, observed, situation);
  const restarted = restartedDependency(situation.facts, situation.order);
  if (restarted !== undefined) return planStop({ cause: 'DependencyRestarted', reason: 'DependencyRestarted', message: `container ${restarted} runs anew, and dependsOn says to restart with it` }, observed, situation);
  const network = toUndo.filter(({ kind }) => kind === 'Network');
  if (network.length > 0) return { kind: 'RestoreNetwork', reason: 'NetworkDrifted', message: describeDrift(network) };
  const { pause } = desired.container.spec;
  const keepsFreeze = pauseDrift(desired, observed, situation.facts).length > 0 && driftPolicyOf(desired.container.spec, 'Frozen') !== 'Correct';
  if (pause && !isFrozen(observed) && !keepsFreeze) return { kind: 'Pause', reason: 'PauseWanted', message: 'spec.pause is true' };
  if (!pause && isFrozen(observed) && !keepsFreeze) return { kind: 'Resume', reason: 'PauseNotWanted', message: 'its processes stand still, and spec.pause is false' };
  const stopped = toUndo.filter(({ kind }) => kind === 'Frozen');
  if (stopped.length > 0) return { kind: 'Resume', reason: 'FrozenDrifted', message: describeDrift(stopped) };
  const limits = toUndo.filter(({ kind }) => kind === 'Limits');
  if (limits.length > 0) return { kind: 'RestoreLimits', reason: 'LimitsDrifted', message: describeDrift(limits) };
  if (keepsFreeze) return { kind: 'Settled', reason: pause ? 'Running' : 'Frozen', message: `pid ${pid} and its processes ${pause ? 'run on' : 'stand still'} by another hand than spec.pause, and spec.drift leaves it at that` };
  const settled: Step = pause ? { kind: 'Settled', reason: 'Paused', message: `pid ${pid} and its processes stand still, since spec.pause is true` } : { kind: 'Settled', reason: 'Running', message: `runs as pid ${pid}` };
  return planMoved(situation) ?? settled;
}

/** Why it is to run anew by its probes. What was begun for it is brought to its end, also by a daemon that has not probed yet. */
function objectionOfProbes(observed: ObservedContainer, { facts, unwell }: Situation): Objection | undefined {
  if (isFrozen(observed)) return undefined;
  if (unwell !== undefined) return { cause: 'Unhealthy', ...unwell };
  return stopOf(observed, facts)?.cause === 'Unhealthy' ? { cause: 'Unhealthy', reason: 'Unhealthy', message: 'its probes failed' } : undefined;
}

function isFrozen({ process }: ObservedContainer): boolean {
  return process.state === 'Running' && process.frozen === true;
}

function planExited(desired: DesiredContainer, { exit }: ObservedProcess & { state: 'Exited' }, situation: Situation): Step {
  const { facts } = situation;
  if (facts.runAsked !== undefined) return planNeeds(situation) ?? planAwaited(situation) ?? { kind: 'Start', reason: 'RunAsked', message: `it ended with ${describeExit(exit)}, and somebody asked for another run` };
  if (facts.exitAsked === true && facts.countedExit === exit.finishedAt) {
    return planNeeds(situation) ?? planAwaited(situation) ?? { kind: 'Start', reason: 'Stopped', message: `Mooring stopped it (${describeExit(exit)}), and it is wanted running` };
  }
  const { spec } = desired.container;
  if (!restartsAfter(spec, exit.exitCode, facts.crashes)) return completed(spec, exit, facts.crashes);
  return startOrWait('Exited', `it ended with ${describeExit(exit)}, and ${describeRestarts(spec, facts.crashes)}`, desired, situation);
}

function startOrWait(reason: string, message: string, desired: DesiredContainer, situation: Situation): Step {
  const { facts, now } = situation;
  const needs = planNeeds(situation) ?? planAwaited(situation);
  if (needs !== undefined) return needs;
  const { backoffUntil = 0, crashes } = facts;
  if (isDue(backoffUntil, now, restartBackoffOf(desired.container.spec).max)) return { kind: 'Start', reason, message };
  // What it ends of may be mended in the image that its tag has moved to.
  return planMoved(situation) ?? { kind: 'Wait', until: backoffUntil, reason: 'BackOff', message: `${message}; ${crashes} ends in a row, next start at ${instant(backoffUntil)}` };
}

/** A run that ended for good is not repeated for the same spec, even if the container or the machine went down since. */
function planCompleted(desired: DesiredContainer, { specHash, completed: isCompleted, lastExit, crashes, made, runAsked }: Facts): Step | undefined {
  const { spec } = desired.container;
  if (made !== undefined || runAsked !== undefined) return undefined;
  if (isCompleted !== true || specHash !== desired.specHash || lastExit === undefined || restartsAfter(spec, lastExit.exitCode, crashes)) return undefined;
  return completed(spec, lastExit, crashes);
}

function completed(rules: RestartRules, exit: ExitRecord, crashes: number): Step {
  const ran = describeSpan(exit.finishedAt - exit.startedAt);
  const message = `ended with ${describeExit(exit)} after ${ran}, and ${describeRestarts(rules, crashes)}`;
  return { kind: 'Settled', reason: exit.exitCode === 0 ? 'Completed' : 'Failed', message };
}
