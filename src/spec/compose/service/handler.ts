import { posix } from 'node:path';
import type { ContainerSpecInput, Draft } from '../../translate/draft.ts';
import type { Field } from '../../translate/field.ts';
import { FieldError } from '../../translate/problem-list.ts';
import { textOf } from '../../translate/read-field.ts';
import type { Project } from '../project.ts';

/** One service on its way to be a container's spec. */
export interface Service {
  readonly name: string;
  readonly field: Field;
  readonly project: Project;
  readonly draft: Draft<ContainerSpecInput>;
}

/** What one field of a service means. Throws FieldErrors and `Invalid`. */
export type Handler = (field: Field, service: Service) => void;
export type Handlers = Readonly<Record<string, Handler>>;

/** A field that says what is not supported, and may not go unheard. */
export function refused(message: string, fix = 'leave it out'): Handler {
  return (field) => {
    throw new FieldError(field, message, fix, true);
  };
}

/** A field that says nothing to this node by its nature, or that is read elsewhere. */
export const unheard: Handler = () => {};

/** A field whose text becomes a part of the spec. */
export function text(part: (value: string) => ContainerSpecPart): Handler {
  return (field, service) => put(service, part(textOf(field)), field);
}

export type ContainerSpecPart = Partial<ContainerSpecInput>;

/** Adds to the spec of a service; all but the image is left to others. */
export function put({ draft }: Pick<Service, 'draft'>, part: ContainerSpecPart, origin: Field): void {
  draft.set(part as ContainerSpecInput, origin);
}

/** Where a path leads that is relative to the file it is written in. */
export function absolutePath(field: Field, path: string): string {
  if (path === '~' || path.startsWith('~/')) throw new FieldError(field, "~ is somebody's home, and the daemon does not know whose", 'write the path out');
  return posix.resolve(field.source.folder, path);
}
