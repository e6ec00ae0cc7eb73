import type { ContainerStatus } from '../spec/condition.ts';
import type { Container } from '../spec/container.ts';
import type { ContainerName } from '../spec/name.ts';
import type { Origin } from './desired.ts';
import type { Step } from './plan.ts';

/** A container as faces show it: the desired document with metadata.generation, its origin and its status. */
export interface ContainerView {
  readonly name: ContainerName;
  readonly container: Container;
  readonly generation: number;
  /** Undefined for a container that no source wants any more and that is being removed. */
  readonly origin?: Origin;
  readonly status: ContainerStatus;
  /** One CamelCase word for tables: Running, Pending, Completed, Failed, CrashLoopBackOff, Stopping, Suspended, … */
  readonly phase: string;
}

/** What would be done to one container, and why. */
export interface PlannedChange {
  readonly name: ContainerName;
  readonly action: 'Create' | 'Recreate' | 'Start' | 'Restart' | 'Stop' | 'Remove' | 'Update' | 'None';
  /** The steps in order, each with its reason in words. */
  readonly steps: readonly Step[];
  /** Field paths that differ from what runs, with both values, for a changed spec. Values of env are never shown. */
  readonly changes: readonly { readonly field: string; readonly from: string; readonly to: string }[];
}

/** Why a container is as it is: what was wanted, what was seen, what comes next. */
export interface Explanation {
  readonly name: ContainerName;
  readonly desired: string;
  readonly observed: string;
  readonly next: Step;
  readonly machineState: string;
}

/** The reconciler as the API, the metrics and the daemon see it. */
export interface ReconcilerFace {
  views(): ContainerView[];
  view(name: ContainerName): ContainerView | undefined;
  explain(name: ContainerName): Promise<Explanation>;
  /** What accepting `containers` would do. With `prune`, also what removing those of source `directory` not among them would. Changes nothing. */
  plan(containers: readonly Container[], options: { readonly prune: boolean }): Promise<PlannedChange[]>;
  /** Looks at everything again. Settles when every container was looked at. */
  resync(): Promise<void>;
  /** Settles when no container has work left, bounded by the signal. */
  settled(signal: AbortSignal): Promise<void>;
  /** After any container's view changed, or it went. */
  subscribe(listener: (name: ContainerName) => void): () => void;
}
