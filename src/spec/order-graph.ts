import type { Container } from './container.ts';
import type { Dependency } from './depends-on.ts';
import { containerName, type ContainerName } from './name.ts';
import { joinedContainer } from './namespaces.ts';

/** Which containers come before the one of that name. */
export type PrecedingOf = (name: ContainerName) => readonly ContainerName[];

/** What a container depends on, by full name. */
export function dependenciesOf({ metadata: { namespace }, spec }: Container): { readonly name: ContainerName; readonly dependency: Dependency }[] {
  return spec.dependsOn.map((dependency) => ({ name: containerName({ namespace, name: dependency.container }), dependency }));
}

/** The containers that are started before this one and stopped after it: those it depends on, and those it shares something with. Each once. */
export function precedingOf(container: Container): ContainerName[] {
  const { metadata, spec } = container;
  const shared = [spec.network.mode === 'Container' ? spec.network.container : undefined, joinedContainer(spec.namespaces.pid), joinedContainer(spec.namespaces.ipc)];
  const hosts = shared.flatMap((name) => (name === undefined ? [] : containerName({ namespace: metadata.namespace, name })));
  return [...new Set([...dependenciesOf(container).map(({ name }) => name), ...hosts])];
}

/** The shortest way from a container by what comes before it back to itself, it at both ends; undefined where there is none. */
export function circleThrough(name: ContainerName, preceding: PrecedingOf): ContainerName[] | undefined {
  const cameFrom = new Map<ContainerName, ContainerName>();
  const front: ContainerName[] = [name];
  for (const next of front) {
    for (const before of preceding(next)) {
      if (before === name) {
        const circle = [name];
        for (let step = next; step !== name; step = cameFrom.get(step) ?? name) circle.unshift(step);
        return [name, ...circle];
      }
      if (cameFrom.has(before)) continue;
      cameFrom.set(before, next);
      front.push(before);
    }
  }
  return undefined;
}

/** One container whose place in the order is to change. */
export interface OrderChange {
  readonly name: ContainerName;
  readonly preceding: readonly ContainerName[];
}

/**
 * Those of the changes, in their order, that would close a circle in what stands and the changes that can be made; each with its circle. `standing` is free of
 * circles, and what is refused stays as it stands. What can be made whole, is, whatever its order.
 */
export function circlesIn(changes: readonly OrderChange[], standing: PrecedingOf): Map<ContainerName, ContainerName[]> {
  const made = new Map<ContainerName, readonly ContainerName[]>();
  const preceding: PrecedingOf = (name) => made.get(name) ?? standing(name);
  for (let left = changes; ; ) {
    const refused = new Map<ContainerName, ContainerName[]>();
    for (const change of left) {
      made.set(change.name, change.preceding);
      const circle = circleThrough(change.name, preceding);
      if (circle === undefined) continue;
      made.delete(change.name);
      refused.set(change.name, circle);
    }
    // One that was in the way may have moved since.
    if (refused.size === 0 || refused.size === left.length) return refused;
    left = left.filter(({ name }) => refused.has(name));
  }
}

/** `default/a → default/b → default/a`. */
export function describeCircle(circle: readonly ContainerName[]): string {
  return `it would come before itself: ${circle.join(' → ')}, each of which is started after the next`;
}

/**
 * The longest that a stop in reverse order takes, in seconds, if each container takes `graceOf` it. One of several is stopped once all that come after it are, so
 * this is the longest chain among `names`. What goes in a circle counts once.
 */
export function longestStop(names: Iterable<ContainerName>, preceding: PrecedingOf, graceOf: (name: ContainerName) => number): number {
  const known = new Map<ContainerName, number>();
  const within = new Set(names);
  const visit = (name: ContainerName): number => {
    const found = known.get(name);
    if (found !== undefined) return found;
    known.set(name, 0);
    const longest = graceOf(name) + Math.max(0, ...preceding(name).filter((before) => within.has(before)).map(visit));
    known.set(name, longest);
    return longest;
  };
  return Math.max(0, ...[...within].map(visit));
}

/** What a user can do about a circle. */
export const CIRCLE_FIX = 'take one of these out of dependsOn, or out of what it shares';

/** The same of containers: those of `changed` that would close a circle, with what else stands. */
export function circlesAmong(changed: ReadonlyMap<ContainerName, Container>, standing: (name: ContainerName) => Container | undefined): Map<ContainerName, ContainerName[]> {
  const changes = [...changed].map(([name, container]) => ({ name, preceding: precedingOf(container) }));
  return circlesIn(changes, (name) => {
    const container = standing(name);
    return container === undefined ? [] : precedingOf(container);
  });
}
