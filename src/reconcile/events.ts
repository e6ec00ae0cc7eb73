import type { ResourceName } from '../spec/name.ts';
import type { ResourceKind } from '../spec/resource.ts';

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
  /** Undefined for what concerns no single resource, such as a file that does not parse. */
  readonly name?: ResourceName;
  /** What that is the name of. */
  readonly kind?: ResourceKind;
}

/** An event to be told. A name without a kind is a container's. */
export interface NewMooringEvent extends Pick<MooringEvent, 'type' | 'reason' | 'message'> {
  readonly name?: ResourceName;
  readonly kind?: ResourceKind;
}

export interface EventLog {
  /** Never throws: what can not be kept, as on a full disk, is logged. */
  record(event: NewMooringEvent): void;
  /** Oldest first; the log is bounded. Of one resource, by default a container, or of all. */
  list(filter?: { readonly name?: ResourceName; readonly kind?: ResourceKind }): MooringEvent[];
  subscribe(listener: (event: MooringEvent) => void): () => void;
}
