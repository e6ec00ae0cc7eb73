import type { ContainerName } from '../spec/name.ts';

/** Something worth telling, in the manner of Kubernetes' events. Repetitions raise `count` of the row that is there. */
export interface MooringEvent {
  readonly id: number;
  /** RFC 3339. */
  readonly firstTime: string;
  readonly lastTime: string;
  readonly count: number;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase: Created, Started, Exited, BackOff, DriftDetected, DriftRepaired, Killing, Removed, SpecRejected, … */
  readonly reason: string;
  readonly message: string;
  /** Undefined for what concerns no single container, such as a file that does not parse. */
  readonly name?: ContainerName;
}

export interface EventLog {
  record(event: { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string; readonly name?: ContainerName }): void;
  /** Oldest first; the log is bounded. */
  list(filter?: { readonly name?: ContainerName }): MooringEvent[];
  subscribe(listener: (event: MooringEvent) => void): () => void;
}
