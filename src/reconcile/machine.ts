import { assign, fromPromise, setup, type ActorRefFrom, type SnapshotFrom } from 'xstate';
import type { Clock } from '../lib/clock.ts';
import { MooringError, messageOf, type ErrorCode } from '../lib/errors.ts';
import type { ContainerName } from '../spec/name.ts';
import { exponentialDelay, type BackoffRange } from './backoff.ts';
import type { Step } from './plan.ts';

/** What the machine does to the world. Both settle within a bounded time, else the actor would wait for ever. */
export interface MachineEffects {
  readonly clock: Clock;
  /** Puts the container into the work queue, whose turn comes back as `LOOK`. */
  enqueue(name: ContainerName): void;
  /** Observes, takes what was seen into the facts, and plans. */
  look(name: ContainerName, signal: AbortSignal): Promise<Step>;
  /** Carries out one step that acts. */
  act(name: ContainerName, step: Step, signal: AbortSignal): Promise<void>;
}

/** The last thing that went wrong and has not gone right since. Times are milliseconds since the epoch. */
export interface Failure {
  readonly kind: Step['kind'] | 'Look';
  readonly code: ErrorCode;
  readonly message: string;
  /** Failures in a row. */
  readonly count: number;
  /** The same is not tried again before this instant. */
  readonly until: number;
}

export interface MachineContext {
  readonly name: ContainerName;
  /** What the last look planned. */
  readonly step: Step;
  readonly failure: Failure | undefined;
  /** A LOOK came while what it speaks of was being read: the reading may predate it. */
  readonly lookAgain: boolean;
  /** The step carried out last without a rest since, and how many times in a row. */
  readonly streak: { readonly kind: Step['kind']; readonly count: number } | undefined;
}

export type MachineEvent =
  | { readonly type: 'LOOK' } // something may have changed
  | { readonly type: 'DESIRED_CHANGED' }; // what is desired changed: earlier failures say nothing of it

export type ContainerMachine = ReturnType<typeof createContainerMachine>;
export type ContainerActor = ActorRefFrom<ContainerMachine>;
export type ContainerSnapshot = SnapshotFrom<ContainerMachine>;
export type MachineState = ContainerSnapshot['value'];

/** Stands for a plan until the first look. */
export const notYetObserved: Step = { kind: 'Wait', until: 0, reason: 'NotYetObserved', message: 'it has not been looked at yet' };

/** For pulls, and for errors that trying again seldom mends: the pace of the kubelet's ImagePullBackOff; milliseconds. */
const SLOW_RETRY: BackoffRange = { initial: 10_000, max: 300_000 };
/** Everything else: controller-runtime's per-item retry. */
const FAST_RETRY: BackoffRange = { initial: 5, max: 1_000_000 };
/** A step that was carried out so often in a row and is planned again has no effect; more of it at once would only burn the CPU. */
const IN_VAIN = 2;
/** So many failures in a row, about a second's worth, are no hiccup any more. */
export const MANY_FAILURES = 8;
/** What the timers of Node can hold; a longer wait is cut and planned anew. */
const MAX_DELAY = 2 ** 31 - 1;

/** Whether the error stands until somebody changes the spec, the images or the host. */
export function isLasting(failure: Pick<Failure, 'kind' | 'code'>): boolean {
  if (failure.kind !== 'PullImage' && failure.kind !== 'BuildImage' && failure.kind !== 'Create' && failure.kind !== 'Start') return false;
  return failure.code === 'NotFound' || failure.code === 'Invalid' || failure.code === 'Unsupported';
}

/**
 * One container's machine: what `plan` can't hold, that is what is in flight, the timers and the retries.
 * It rests in `queued`, `waiting`, `settled` and `failed`; a LOOK there makes it observe, plan, and act until it rests again.
 */
export function createContainerMachine(effects: MachineEffects) {
  const { clock } = effects;
  const delayUntil = (instant: number): number => Math.min(MAX_DELAY, Math.max(0, instant - clock.now()));

  const parts = setup({
    types: {
      context: {} as MachineContext,
      events: {} as MachineEvent,
      input: {} as { readonly name: ContainerName },
    },
    actors: {
      look: fromPromise<Step, { name: ContainerName }>(({ input, signal }) => effects.look(input.name, signal)),
      act: fromPromise<void, { name: ContainerName; step: Step }>(({ input, signal }) => effects.act(input.name, input.step, signal)),
    },
    actions: {
      enqueue: ({ context }) => effects.enqueue(context.name),
      takeStep: assign((_, params: { step: Step }) => ({ step: params.step })),
      noteLook: assign({ lookAgain: true }),
      beginLook: assign({ lookAgain: false }),
      forgive: assign({ failure: () => undefined }),
      noteLooked: assign(({ context }) => ({ failure: context.failure?.kind === 'Look' ? undefined : context.failure })),
      noteActed: assign(({ context: { step, streak, failure } }) => {
        const count = streak?.kind === step.kind ? streak.count + 1 : 1;
        return { streak: { kind: step.kind, count }, failure: failure?.kind === step.kind && count === 1 ? undefined : failure };
      }),
      noteFailure: assign(({ context }, params: { kind: Failure['kind']; error: unknown }) => ({ failure: failureAfter(context.failure, params.kind, params.error, clock.now()) })),
      endStreak: assign({ streak: () => undefined }),
      // The retry gets one attempt, and does not look like a first one.
      shortenStreak: assign(({ context: { streak } }) => ({ streak: streak && { ...streak, count: 1 } })),
    },
    guards: {
      stepIs: ({ context }, params: { kind: Step['kind'] }) => context.step.kind === params.kind,
      lookAgain: ({ context }) => context.lookAgain && (context.step.kind === 'Settled' || context.step.kind === 'Wait'),
      retryNotDue: ({ context }) => context.failure?.kind === context.step.kind && clock.now() < context.failure.until,
      inVain: ({ context: { step, streak } }) => streak?.kind === step.kind && streak.count >= IN_VAIN,
    },
    delays: {
      untilDue: ({ context }) => (context.step.kind === 'Wait' ? delayUntil(context.step.until) : 0),
      untilRetry: ({ context }) => delayUntil(context.failure?.until ?? 0),
    },
  });

  const lookForgiving = { target: 'observing', actions: 'forgive' } as const;
  const acting = (description: string) =>
    parts.createStateConfig({
      description,
      invoke: {
        src: 'act',
        input: ({ context }) => ({ name: context.name, step: context.step }),
        onDone: { target: 'observing', actions: 'noteActed' },
        onError: { target: 'failed', actions: { type: 'noteFailure', params: ({ context, event }) => ({ kind: context.step.kind, error: event.error }) } },
      },
    });

  return parts.createMachine({
    id: 'container',
    context: ({ input }) => ({ name: input.name, step: notYetObserved, failure: undefined, lookAgain: false, streak: undefined }),
    initial: 'queued',
    on: { DESIRED_CHANGED: { actions: 'forgive' } },
    states: {
      queued: {
        description: 'Waits for its turn in the work queue.',
        on: { LOOK: 'observing', DESIRED_CHANGED: lookForgiving },
      },
      observing: {
        description: 'Reads kernel and disk, keeps the facts, plans.',
        entry: 'beginLook',
        invoke: {
          src: 'look',
          input: ({ context }) => ({ name: context.name }),
          onDone: {
            target: 'deciding',
            actions: [
              { type: 'takeStep', params: ({ event }) => ({ step: event.output }) },
              'noteLooked',
            ],
          },
          onError: { target: 'failed', actions: { type: 'noteFailure', params: ({ event }) => ({ kind: 'Look', error: event.error }) } },
        },
        on: { LOOK: { actions: 'noteLook' }, DESIRED_CHANGED: { actions: ['noteLook', 'forgive'] } },
      },
      deciding: {
        description: 'Goes where the planned step leads.',
        always: [
          { guard: 'lookAgain', target: 'observing' },
          { guard: 'retryNotDue', target: 'failed' },
          { guard: 'inVain', target: 'failed', actions: { type: 'noteFailure', params: ({ context }) => ({ kind: context.step.kind, error: vain(context.step) }) } },
          { guard: { type: 'stepIs', params: { kind: 'PullImage' } }, target: 'pulling' },
          { guard: { type: 'stepIs', params: { kind: 'BuildImage' } }, target: 'building' },
          { guard: { type: 'stepIs', params: { kind: 'Create' } }, target: 'creating' },
          { guard: { type: 'stepIs', params: { kind: 'Start' } }, target: 'starting' },
          { guard: { type: 'stepIs', params: { kind: 'Signal' } }, target: 'stopping' },
          { guard: { type: 'stepIs', params: { kind: 'Kill' } }, target: 'killing' },
          { guard: { type: 'stepIs', params: { kind: 'Remove' } }, target: 'removing' },
          { guard: { type: 'stepIs', params: { kind: 'Release' } }, target: 'releasing' },
          { guard: { type: 'stepIs', params: { kind: 'Update' } }, target: 'updating' },
          { guard: { type: 'stepIs', params: { kind: 'Pause' } }, target: 'pausing' },
          { guard: { type: 'stepIs', params: { kind: 'Resume' } }, target: 'resuming' },
          { guard: { type: 'stepIs', params: { kind: 'RestoreLimits' } }, target: 'restoringLimits' },
          { guard: { type: 'stepIs', params: { kind: 'RestoreNetwork' } }, target: 'restoringNetwork' },
          { guard: { type: 'stepIs', params: { kind: 'Reset' } }, target: 'resetting' },
          { guard: { type: 'stepIs', params: { kind: 'Wait' } }, target: 'waiting' },
          { guard: { type: 'stepIs', params: { kind: 'Forget' } }, target: 'gone' },
          { target: 'settled' },
        ],
      },
      pulling: {
        ...acting('Fetches the image, for as long as it takes, without a place in the work queue. A change of what is desired ends it.'),
        // A hint on what is there does not bear on what is fetched.
        on: { LOOK: {}, DESIRED_CHANGED: lookForgiving },
      },
      building: {
        ...acting('Builds the image, likewise. A changed context ends it, too, since it comes as a change of what is desired.'),
        on: { LOOK: {}, DESIRED_CHANGED: lookForgiving },
      },
      creating: acting('Makes record, bundle and writable layer.'),
      starting: acting('Runs the process.'),
      stopping: acting('Sends the stop signal.'),
      killing: acting('Ends every process at once.'),
      removing: acting('Removes the ended container and all it held.'),
      releasing: acting('No longer desires what was to be there for one run.'),
      updating: acting('Changes what can change on the container that is there: networks, ports, limits, logging.'),
      pausing: acting('Has every process stand still.'),
      resuming: acting('Lets them run on.'),
      restoringLimits: acting('Writes the limits to the cgroup again.'),
      restoringNetwork: acting('Makes interface, addresses, routes and rules right again.'),
      resetting: acting('Throws the file changes of an ended container away.'),
      waiting: {
        description: 'Rests until a backoff or the grace of a stop is over.',
        entry: 'endStreak',
        after: { untilDue: { target: 'queued', actions: 'enqueue' } },
        on: { LOOK: 'observing', DESIRED_CHANGED: lookForgiving },
      },
      settled: {
        description: 'Rests: what is there is what is wanted.',
        entry: ['forgive', 'endStreak'],
        on: { LOOK: 'observing', DESIRED_CHANGED: lookForgiving },
      },
      failed: {
        description: 'Rests until the retry is due.',
        entry: 'shortenStreak',
        after: { untilRetry: { target: 'queued', actions: 'enqueue' } },
        on: { LOOK: 'observing', DESIRED_CHANGED: lookForgiving },
      },
      gone: { description: 'Neither desired nor there.', type: 'final' },
    },
  });
}

function failureAfter(previous: Failure | undefined, kind: Failure['kind'], error: unknown, now: number): Failure {
  const count = previous?.kind === kind ? previous.count + 1 : 1;
  const code = error instanceof MooringError ? error.code : 'Internal';
  const delay = exponentialDelay(count - 1, kind === 'PullImage' || kind === 'BuildImage' || isLasting({ kind, code }) ? SLOW_RETRY : FAST_RETRY);
  return { kind, code, message: messageOf(error), count, until: now + delay };
}

function vain(step: Step): MooringError {
  return new MooringError('Internal', `${step.kind} was carried out, and is still needed: ${step.message}`);
}
