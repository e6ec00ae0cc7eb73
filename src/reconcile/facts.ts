import type { ContainerId, DriftKind, ExitRecord } from '../engine/engine.ts';
import type { ProcessIdentity } from '../native/native.ts';
import type { ContainerName } from '../spec/name.ts';
import type { DriftEntry } from './drift-record.ts';

/** Why a running process is to end, though it has not ended by itself. */
export type StopCause = 'Undesired' | 'Suspended' | 'Asked' | 'Reset' | 'SpecChanged' | 'ConfigChanged' | 'ImageMoved' | 'Drift' | 'DependencyRestarted' | 'Unhealthy';

/** A stop that is under way. */
export interface Stop {
  readonly id: ContainerId;
  readonly cause: StopCause;
  readonly requestedAt: number;
  /** The signal that was sent. */
  readonly signal?: string;
  /** Seconds between the signal and the first kill, where they are not those of the spec. */
  readonly graceSeconds?: number;
  /** When the next harder measure is due: the first kill after the grace, then each further kill. */
  readonly deadline: number;
  /** Kills sent so far. */
  readonly kills: number;
}

/** A stop that somebody asked for, of one run, with what is otherwise than the spec says for this once. */
export interface StopAsked {
  readonly id: ContainerId;
  readonly init: ProcessIdentity;
  readonly askedAt: number;
  readonly signal?: string;
  readonly graceSeconds?: number;
}

/**
 * What the reconciler remembers of a container beyond what the kernel can tell. Persisted as facts, never as machine snapshots.
 * Times are milliseconds since the epoch.
 */
export interface Facts {
  /** Restarts since the container's name was first desired, or since somebody asked for a run. */
  readonly restartCount: number;
  /** Hash of the desired spec that `crashes`, `backoffUntil`, `completed` and the repairs speak of; they start afresh with another. */
  readonly specHash?: string;
  /** Ends in a row without a stable run between them; what the backoff grows with. */
  readonly crashes: number;
  /** No start before this instant. */
  readonly backoffUntil?: number;
  /** The end that is already accounted for, by its finishing time, so that none is counted twice. */
  readonly countedExit?: number;
  readonly lastExit?: ExitRecord;
  /** Whether `lastExit` was Mooring's own doing, which makes it neither drift nor a completed run. */
  readonly exitAsked?: boolean;
  /** Whether the run has ended for good under its restart policy; it is not run again for the same spec. */
  readonly completed?: boolean;
  /** How to stop it, as last desired: a change of these makes no new container, and outlives the wish for it. */
  readonly stopBy?: { readonly signal: string; readonly timeoutSeconds: number };
  readonly stop?: Stop;
  /** The container that has run, of one that is to be removed once it has ended: after a reboot nothing else tells. */
  readonly begun?: ContainerId;
  /** Somebody asked to have it made, though it is suspended; until it is. */
  readonly made?: true;
  /** Somebody asked for another run than the one that ended at `endedAt`; until that has begun. */
  readonly runAsked?: { readonly endedAt?: number };
  /** Until that run has ended. */
  readonly stopAsked?: StopAsked;
  /** The container whose file changes somebody asked to throw away, until that is done. */
  readonly reset?: { readonly id: ContainerId };
  /** The runs of the dependencies whose restarts it follows, that its present run began with. */
  readonly dependencyRuns?: Readonly<Record<ContainerName, string>>;
  /** First process of the run that stands still since `spec.pause` says so. */
  readonly paused?: ProcessIdentity;
  readonly lastDrift?: { readonly kind: DriftKind; readonly message: string; readonly time: number };
  /** Kinds of drift found and not yet seen undone. */
  readonly drifted?: readonly DriftKind[];
  /** What differs and what was undone lately, oldest first. Bounded. */
  readonly driftRecord?: readonly DriftEntry[];
  /** Restarts in a row, without a stable run between them, that were made to undo drift. */
  readonly repairs?: number;
  /** No further restart to undo drift before this instant. */
  readonly repairAfter?: number;
  /** Generation that the last look judged (Kubernetes' status.observedGeneration). */
  readonly observedGeneration?: number;
}

export const noFacts: Facts = { restartCount: 0, crashes: 0 };

export interface FactsStore {
  get(name: ContainerName): Facts | undefined;
  /** Every name that facts are kept of. */
  names(): ContainerName[];
  set(name: ContainerName, facts: Facts): void;
  delete(name: ContainerName): void;
}
