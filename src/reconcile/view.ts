import { isDeepStrictEqual } from 'node:util';
import type { ContainerStatus } from '../spec/condition.ts';
import type { Container } from '../spec/container.ts';
import type { ContainerName } from '../spec/name.ts';
import type { DesiredContainer, Origin } from './desired.ts';
import { phaseOf, statusOf, type StatusInput } from './status.ts';

/** A container as faces show it: the desired document with metadata.generation, its origin and its status. */
export interface ContainerView {
  readonly name: ContainerName;
  readonly container: Container;
  readonly generation: number;
  /** Undefined for a container that no source wants any more and that is being removed. */
  readonly origin?: Origin;
  readonly status: ContainerStatus;
  /** One CamelCase word for tables: Running, Paused, Pending, Completed, Failed, CrashLoopBackOff, Stopping, Suspended, Removing, Unknown, or CreateError and the like. */
  readonly phase: string;
}

/** The view of a container: the very object given as `previous` when nothing of it changed, undefined for what is neither desired nor there. */
export function viewOf(
  name: ContainerName,
  desired: DesiredContainer | undefined,
  input: Omit<StatusInput, 'previous'>,
  previous: ContainerView | undefined,
): ContainerView | undefined {
  const container = desired?.container ?? input.situation?.observed?.container;
  if (container === undefined) return undefined;
  const statusInput = { ...input, previous: previous?.status };
  const view: ContainerView = {
    name,
    container,
    generation: desired?.generation ?? input.situation?.facts.observedGeneration ?? 0,
    ...(desired && { origin: desired.origin }),
    status: statusOf(statusInput),
    phase: phaseOf(statusInput),
  };
  return isDeepStrictEqual(view, previous) ? previous : view;
}
