import type { ContainerSpecInput, Draft } from '../translate/draft.ts';
import type { Field } from '../translate/field.ts';
import { FieldError, type ProblemList } from '../translate/problem-list.ts';

/** What a field of a pod or of one of its containers means. Throws FieldErrors and `Invalid`. */
export type Handler<Target> = (field: Field, target: Target) => void;
export type Handlers<Target> = Readonly<Record<string, Handler<Target>>>;

/** One container of a pod on its way. */
export interface PodContainer {
  readonly name: string;
  readonly field: Field;
  readonly draft: Draft<ContainerSpecInput>;
  readonly pod: Pod;
}

export interface Pod {
  readonly name: string;
  readonly namespace: string;
  readonly field: Field;
  readonly spec: Field;
  readonly problems: ProblemList;
}

export function put({ draft }: Pick<PodContainer, 'draft'>, part: Partial<ContainerSpecInput>, origin: Field): void {
  draft.set(part as ContainerSpecInput, origin);
}

export function refused(message: string, fix = 'leave it out'): Handler<unknown> {
  return (field) => {
    throw new FieldError(field, message, fix, true);
  };
}

/** A promise that is not kept, though all the rest can be as it is said. */
export function unkept(message: string): Handler<{ readonly problems: ProblemList } | { readonly pod: Pod }> {
  return (field, target) => ('pod' in target ? target.pod : target).problems.warn(field, message);
}

/** What says nothing to one node, or is read elsewhere. */
export const unheard: Handler<unknown> = () => {};
