import type { ContainerId, ExecRequest, ExecResult, ExitRecord } from '../engine/engine.ts';
import type { ContainerName } from '../spec/name.ts';
import type { Resource } from '../spec/resource.ts';
import type { ContainerDrift } from './drift-report.ts';
import type { Explanation } from './explain.ts';
import type { Health } from './health.ts';
import type { Milestones } from './milestones.ts';
import type { PlannedChange } from './planned-change.ts';
import type { StopOptions } from './verbs.ts';
import type { ContainerView } from './view.ts';

/** An end of a run, accounted for. */
export interface RunEnd {
  readonly name: ContainerName;
  readonly id: ContainerId;
  readonly exit: ExitRecord;
}

/**
 * The reconciler as the API, the metrics and the daemon see it. What its verbs ask for is persisted, so that a daemon that is started again goes on with it:
 * an aborted signal ends the waiting, not the wish.
 */
export interface ReconcilerFace {
  views(): ContainerView[];
  view(name: ContainerName): ContainerView | undefined;
  explain(name: ContainerName): Promise<Explanation>;
  /** What differs from what is desired now, and what was undone lately, of every container. */
  drift(): Promise<ContainerDrift[]>;
  /** As `ContainerEngine.exec`, and kept on record as done by hand. */
  exec(id: ContainerId, request: ExecRequest, onEnd?: (exit: ExitRecord | undefined) => void): Promise<ExecResult>;
  /** What accepting `resources` would do. With `prune`, also what removing those of source `directory` not among them would. Changes nothing. */
  plan(resources: readonly Resource[], options: { readonly prune: boolean }): Promise<PlannedChange[]>;
  /**
   * Has a container made, though `spec.suspend` keeps it from running. Settles with its id once it is there as desired. Rejects, and then wants it no more, with the
   * failure that keeps it from being made; `NotFound` where nobody desires it.
   */
  make(name: ContainerName, signal: AbortSignal): Promise<ContainerId>;
  /**
   * Has one that has ended run again, whatever its restart policy, and at once, whatever its backoff; restarts are counted anew. Settles once that run has begun, also if
   * it has ended since, or when it runs already. Rejects, and then wants it no more, with why it can't be started: `Conflict` while it is suspended,
   * an error with an `exitCode` where its program can't be run. `begin` is to lift a suspension once the run is asked for: done before, that could begin a run of its own, and
   * that end before this one is asked for.
   */
  run(name: ContainerName, signal: AbortSignal, begin?: () => void): Promise<void>;
  /**
   * Ends the present run: signal, grace and SIGKILL as ever, or as `options` say for this once. Whether it runs again afterwards is the desired state's to say.
   * Settles once it has ended; false when it does not run. `NotFound` for one that is neither desired nor there. `begin` is to suspend it once the stop is asked for:
   * done before, that could send a signal of its own first.
   */
  stop(name: ContainerName, options: StopOptions, abort: AbortSignal, begin?: () => void): Promise<boolean>;
  /**
   * Has a container's file changes thrown away: it is stopped as ever, and started again afterwards where it is wanted running. Settles once they are gone,
   * or the container is. `NotFound` for a container that is not there.
   */
  reset(name: ContainerName, signal: AbortSignal): Promise<void>;
  /** After each end of a run that was accounted for, once it is in the facts. Returns the function that unsubscribes. */
  onExit(listener: (end: RunEnd) => void): () => void;
  /** What probes say of a container's present run; undefined where none are made. */
  health(name: ContainerName): Health | undefined;
  /** How far a container has come, by its last look; nothing of what is not desired. */
  milestones(name: ContainerName): Milestones;
  /** Looks at everything again. Settles when every container was looked at. */
  resync(): Promise<void>;
  /** Settles when no container has work left, bounded by the signal. */
  settled(signal: AbortSignal): Promise<void>;
  /** After any container's view changed, or it went. */
  subscribe(listener: (name: ContainerName) => void): () => void;
}
