import type { DesiredContainer } from './desired.ts';
import type { ContainerView } from './view.ts';

/** How far a container has come that others build on: what depends on it, and what would be led to it. */
export interface Milestones {
  /** Its program runs, or has ended well. */
  readonly isStarted: boolean;
  /** It runs as desired, and its probes, where it has any, say that it is ready. */
  readonly isReady: boolean;
  /** It has ended with exit status 0, and does not run again. */
  readonly isCompleted: boolean;
  /** It has ended with another one, and does not run again. */
  readonly isFailed: boolean;
  /** Which run of it this is; undefined before the first. */
  readonly run: string | undefined;
}

/** Of a container that has yet to come into being. */
export const noMilestones: Milestones = { isStarted: false, isReady: false, isCompleted: false, isFailed: false, run: undefined };

/** What the last look at a container says of what is desired now; nothing as long as it was judged by something older. */
export function milestonesOf(desired: DesiredContainer | undefined, view: ContainerView | undefined): Milestones {
  if (desired === undefined || view === undefined || view.status.observedGeneration !== desired.generation) return noMilestones;
  const { status, phase } = view;
  const isCompleted = phase === 'Completed';
  return {
    isStarted: status.pid !== undefined || isCompleted,
    isReady: status.conditions.some(({ type, status: holds }) => type === 'Ready' && holds === 'True'),
    isCompleted,
    isFailed: phase === 'Failed',
    run: status.startedAt,
  };
}
