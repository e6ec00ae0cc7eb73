import type { ContainerId } from '../../engine/engine.ts';
import type { ContainerRecordView } from '../../engine/insight.ts';
import { MooringError } from '../../lib/errors.ts';
import type { Container } from '../../spec/container.ts';
import type { ContainerView } from '../../reconcile/view.ts';
import type { ApiServices } from '../v1/services.ts';
import { NAME_ANNOTATION } from './create/container-of.ts';
import { DockerError } from './error-reply.ts';

/** Without a slash before it. Outside of namespace `default` the namespace and a dot come first. */
export function dockerNameOf({ metadata }: Pick<Container, 'metadata'>): string {
  const { name, namespace, annotations } = metadata;
  return annotations[NAME_ANNOTATION] ?? (namespace === 'default' ? name : `${namespace}.${name}`);
}

/** The same without the namespace. */
export function localNameOf({ metadata: { name, annotations } }: Pick<Container, 'metadata'>): string {
  return annotations[NAME_ANNOTATION] ?? name;
}

/** What containers are found in. */
export interface Containers {
  readonly reconciler: Pick<ApiServices['reconciler'], 'views'>;
}

/** A container that has been made. */
export interface FoundContainer {
  readonly id: ContainerId;
  readonly view: ContainerView;
}

/** The containers that there are, in no order. One that is wanted and was not made yet has no id, and is none yet. */
export function foundContainers({ reconciler }: Containers): FoundContainer[] {
  return reconciler.views().flatMap((view) => (view.status.containerID === undefined ? [] : [{ id: view.status.containerID as ContainerId, view }]));
}

/** What is on record of a container; undefined for one that went meanwhile. */
export function recordOf({ insight }: Pick<ApiServices, 'insight'>, id: ContainerId): ContainerRecordView | undefined {
  try {
    return insight.record(id);
  } catch (error) {
    if (error instanceof MooringError && error.code === 'NotFound') return undefined;
    throw error;
  }
}

/** By its id, its name, with or without a slash, or the beginning of its id. Throws 404, or 400 where several ids begin like that. */
export function findContainer(services: Containers, reference: string): FoundContainer {
  const name = reference.startsWith('/') ? reference.slice(1) : reference;
  const all = foundContainers(services);
  const exact = all.find(({ id }) => id === name) ?? all.find(({ view }) => dockerNameOf(view.container) === name);
  if (exact) return exact;
  const [first, ...more] = name === '' ? [] : all.filter(({ id }) => id.startsWith(name));
  if (first === undefined) throw new DockerError(404, `No such container: ${reference}`);
  if (more.length > 0) throw new DockerError(400, `Multiple IDs found with provided prefix: ${reference}`);
  return first;
}

/** The container that the name is taken by. */
export function holderOf(services: Pick<ApiServices, 'reconciler'>, dockerName: string): ContainerView | undefined {
  return services.reconciler.views().find(({ container }) => dockerNameOf(container) === dockerName);
}
