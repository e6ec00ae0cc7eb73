/** The shapes that go over the wire of the v1 API, shared by the server and the command. */
import type { ErrorCode } from '../../lib/errors.ts';
import type { ExecRequest, ExecResult } from '../../engine/engine.ts';
import type { MooringEvent } from '../../reconcile/events.ts';
import type { Explanation } from '../../reconcile/explain.ts';
import type { PlannedChange } from '../../reconcile/planned-change.ts';
import type { ContainerStatus } from '../../spec/condition.ts';
import type { Container } from '../../spec/container.ts';
import type { SpecProblem } from '../../spec/problem.ts';
import type { ResourceKind } from '../../spec/resource.ts';

export type { ExecRequest, Explanation, MooringEvent, PlannedChange, SpecProblem };

/** Annotations that the API adds to what was declared, and drops from what is applied. */
export const SOURCE_ANNOTATION = 'mooring.dev/source';
export const LOCATION_ANNOTATION = 'mooring.dev/location';

/** A container in Kubernetes' form. Where it was said stands in the two annotations above. */
export interface ContainerObject {
  readonly apiVersion: Container['apiVersion'];
  readonly kind: 'Container';
  readonly metadata: Container['metadata'] & { readonly generation: number };
  readonly spec: Container['spec'];
  readonly status: ContainerStatus & {
    /** One CamelCase word for tables. The conditions say more. */
    readonly phase: string;
  };
}

export interface ContainerList {
  readonly apiVersion: Container['apiVersion'];
  readonly kind: 'ContainerList';
  readonly items: readonly ContainerObject[];
}

/** One line of `GET /v1/containers?watch=1`: first everything there is as ADDED, the problems and one SYNCED, then what changes. */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: ContainerObject }
  | { readonly type: 'PROBLEMS'; readonly items: readonly SpecProblem[] }
  | { readonly type: 'SYNCED' };

export interface EventList {
  readonly kind: 'EventList';
  readonly items: readonly MooringEvent[];
}

export interface ProblemList {
  readonly kind: 'ProblemList';
  readonly items: readonly SpecProblem[];
}

export interface Version {
  readonly version: string;
  readonly node: string;
}

export interface Info extends Version {
  readonly instance: string;
  readonly pid: number;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly specs: string;
  readonly dataDir: string;
  readonly runDir: string;
  /** Null when metrics are off. */
  readonly metricsUrl: string | null;
  readonly kernel: string;
  readonly containers: number;
}

/** Several files in one request body (content type `FILES_CONTENT_TYPE`), so that an error names the file it is in. */
export interface FilesBody {
  readonly files: readonly { readonly name: string; readonly text: string }[];
}

export const FILES_CONTENT_TYPE = 'application/vnd.mooring.files+json';

export interface PlanResult {
  readonly kind: 'PlanResult';
  readonly changes: readonly PlannedChange[];
  /** What the documents say and is not done, though they are accepted. */
  readonly warnings?: readonly SpecProblem[];
}

export interface ApplyResult {
  readonly kind: 'ApplyResult';
  readonly items: readonly { readonly kind: ResourceKind; readonly name: string; readonly result: 'created' | 'configured' | 'unchanged'; readonly generation: number }[];
  /** What the documents say and is not done, though they are accepted. */
  readonly warnings?: readonly SpecProblem[];
}

/** The reply to `POST /v1/containers/NAMESPACE/NAME/exec`: the id to attach to, or why the program can't be run, with a shell's exit code for that. */
export type ExecReply = { readonly kind: 'Exec' } & ExecResult;

/** The reply to `POST /v1/containers/NAMESPACE/NAME/signal`. */
export interface SignalReply {
  readonly kind: 'Signal';
}

export interface DeleteResult {
  readonly kind: 'DeleteResult';
  readonly items: readonly { readonly kind: ResourceKind; readonly name: string }[];
}

/** One line of `POST /v1/down`. */
export type DownProgress =
  | { readonly type: 'REMOVED'; readonly name: string; readonly remaining: number }
  | { readonly type: 'FAILED'; readonly name: string; readonly message: string }
  | { readonly type: 'DONE'; readonly removed: number; readonly failed: number };

/** The one shape of every error. */
export interface ErrorBody {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    /** `file:line:column`, or a field path. */
    readonly at?: string;
    readonly fix?: string;
    /** Every problem of the documents sent, where there are several; the first is the message. */
    readonly problems?: readonly SpecProblem[];
  };
}
