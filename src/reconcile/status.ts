import type { Condition, ContainerStatus } from '../spec/condition.ts';
import type { Checkup } from './checkup.ts';
import { describeHealth, type Health } from './health.ts';
import { describeDrift, driftPolicyOf, reportsDrift } from './drift.ts';
import { isLasting, MANY_FAILURES, notYetObserved, type Failure } from './machine.ts';
import { isUnmet } from './needs.ts';
import { pauseDrift } from './pause.ts';
import { objectionTo, type Step } from './plan.ts';
import type { Situation } from './situation.ts';
import { instant } from './words.ts';

/** What a status is made from. */
export interface StatusInput {
  /** What the last look rested on; undefined before the first. */
  readonly situation: Situation | undefined;
  readonly step: Step;
  readonly failure: Failure | undefined;
  /** What probes say of the present run; undefined where it does not run. */
  readonly checkup?: Checkup | undefined;
  /** How far the step is, in words, where it takes long. */
  readonly progress?: string | undefined;
  /** The status before, whose transition times go on while a condition's status stays. */
  readonly previous: ContainerStatus | undefined;
  readonly now: number;
}

type Verdict = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

export function statusOf(input: StatusInput): ContainerStatus {
  const { situation, previous, now } = input;
  const observedGeneration = situation?.desired?.generation ?? situation?.facts.observedGeneration ?? 0;
  const conditions = verdictsOf(input).map((verdict) => {
    const before = previous?.conditions.find(({ type }) => type === verdict.type);
    const lastTransitionTime = before?.status === verdict.status ? before.lastTransitionTime : instant(now);
    return { ...verdict, lastTransitionTime, observedGeneration };
  });
  if (situation === undefined) return { conditions, observedGeneration, restartCount: 0 };
  const { observed, facts } = situation;
  return {
    conditions,
    observedGeneration,
    ...(observed && { containerID: observed.id, imageID: observed.imageId, ...(observed.addresses && { addresses: [...observed.addresses] }), ...(observed.exposure !== undefined && { exposure: observed.exposure }) }),
    ...processFields(situation),
    restartCount: facts.restartCount,
    ...(facts.lastDrift && { lastDrift: { ...facts.lastDrift, time: instant(facts.lastDrift.time) } }),
  };
}

/** One CamelCase word for tables. */
export function phaseOf({ situation, step, failure }: StatusInput): string {
  if (situation === undefined) return 'Unknown';
  const { desired, observed } = situation;
  if (step.reason === 'Stopping' || step.kind === 'Signal' || step.kind === 'Kill') return 'Stopping';
  if (observed?.process.state === 'Running') return observed.process.frozen === true && desired?.container.spec.pause === true ? 'Paused' : 'Running';
  if (!isJudged(step)) return 'Unknown';
  if (desired === undefined) return 'Removing';
  if (failure !== undefined && failure.kind === step.kind) return `${failure.kind}Error`;
  if (step.reason === 'BackOff') return 'CrashLoopBackOff';
  return step.kind === 'Settled' || step.kind === 'PullImage' || step.kind === 'BuildImage' ? step.reason : 'Pending';
}

function processFields({ observed, facts }: Situation): Pick<ContainerStatus, 'pid' | 'startedAt' | 'finishedAt' | 'exitCode'> {
  if (observed?.process.state === 'Running') return { pid: observed.process.init.pid, startedAt: instant(observed.process.startedAt) };
  const exit = observed?.process.state === 'Exited' ? observed.process.exit : facts.lastExit;
  return exit === undefined ? {} : { startedAt: instant(exit.startedAt), finishedAt: instant(exit.finishedAt), exitCode: exit.exitCode };
}

function verdictsOf({ situation, step, failure, progress, checkup }: StatusInput): Verdict[] {
  const why = failure === undefined ? { reason: step.reason, message: progress ?? step.message } : { reason: `${failure.kind}Failed`, message: failure.message };
  if (situation === undefined || !isJudged(step)) {
    return (['Ready', 'Progressing', 'Stalled'] as const).map((type) => ({ type, status: 'Unknown', ...why }));
  }
  const ready = isAsWanted(situation, step);
  const { health, unready } = checkup ?? {};
  const stalled = stallOf(step, failure);
  return [
    { type: 'Ready', status: ready && unready === undefined ? 'True' : 'False', ...(ready ? (unready ?? { reason: 'Running', message: 'the process runs as wanted' }) : why) },
    { type: 'Progressing', status: stalled === undefined && step.kind !== 'Settled' ? 'True' : 'False', ...why },
    { type: 'Stalled', status: stalled === undefined ? 'False' : 'True', ...(stalled ?? { reason: 'NotStalled', message: '' }) },
    ...(health === undefined ? [] : [healthVerdict(health)]),
    ...driftVerdict(situation),
  ];
}

/** What differs and is only reported. Added processes are told of elsewhere: they are nothing that the container could be without. */
function driftVerdict({ desired, observed, facts }: Situation): Verdict[] {
  if (desired === undefined || !reportsDrift(desired.container.spec)) return [];
  if (observed === undefined) return [{ type: 'Drifted', status: 'Unknown', reason: 'NotCreated', message: 'there is no such container' }];
  const reported = [...observed.drift, ...pauseDrift(desired, observed, facts)].filter(({ kind }) => kind !== 'Exec' && driftPolicyOf(desired.container.spec, kind) === 'Report');
  const [first] = reported;
  if (first === undefined) return [{ type: 'Drifted', status: 'False', reason: 'NoDrift', message: '' }];
  return [{ type: 'Drifted', status: 'True', reason: `${first.kind}Drifted`, message: describeDrift(reported) }];
}

function healthVerdict(health: Health): Verdict {
  const status = health.status === 'Starting' ? 'Unknown' : health.status === 'Healthy' ? 'True' : 'False';
  return { type: 'Healthy', status, reason: health.status, message: describeHealth(health) };
}

/** Whether the step was planned from what was seen. What is there is told of before that. */
function isJudged({ reason }: Step): boolean {
  return reason !== notYetObserved.reason;
}

function isAsWanted({ desired, observed }: Situation, step: Step): boolean {
  if (observed?.process.state !== 'Running' || observed.process.frozen === true || objectionTo(desired, observed) !== undefined) return false;
  return step.kind === 'Settled' || step.kind === 'RestoreLimits' || step.kind === 'Update' || step.reason === 'ImageMoved';
}

/** Why nothing moves without somebody's help, or only at long intervals. */
function stallOf(step: Step, failure: Failure | undefined): Pick<Verdict, 'reason' | 'message'> | undefined {
  if (failure !== undefined && (isLasting(failure) || failure.count >= MANY_FAILURES)) return { reason: `${failure.kind}Failed`, message: failure.message };
  if (step.reason === 'BackOff') return { reason: 'CrashLoopBackOff', message: step.message };
  if (step.kind === 'Settled' && isUnmet(step.reason)) return { reason: step.reason, message: step.message };
  if (step.kind === 'Settled' && step.reason === 'Failed') return { reason: 'Failed', message: step.message };
  return undefined;
}
