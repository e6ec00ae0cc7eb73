import type { Declared, DesiredContainer } from '../../reconcile/desired.ts';
import { fileOfLocation } from '../../reconcile/desired-store.ts';
import { containerName, type ContainerName } from '../../spec/name.ts';
import type { SpecProblem } from '../../spec/problem.ts';
import type { TreeReading } from './read-tree.ts';
import { treeProblem } from './tree-problem.ts';

export interface Merged {
  /** All that the directory wants: what the tree says, and the last good state of what it can't say now. Who holds a name comes before who claims it too. */
  readonly declared: readonly Declared[];
  readonly problems: readonly SpecProblem[];
  /** Held names that the tree no longer declares, whether their removal was allowed or not. */
  readonly absent: ReadonlySet<ContainerName>;
}

/**
 * What the directory wants now, from what it wanted before and one reading of the tree. What is absent is kept as it was
 * unless the tree was read completely and `mayRemove` agrees.
 */
export function merge(previous: readonly DesiredContainer[], tree: TreeReading, mayRemove: (name: ContainerName) => boolean): Merged {
  const problems = [...tree.problems];
  const byFile = Map.groupBy(previous, ({ origin }) => fileOfLocation(origin.location));
  const holderFile = new Map(previous.map(({ name, origin }) => [name, fileOfLocation(origin.location)]));
  const held: Declared[] = [];
  const claimed: Declared[] = [];

  for (const [path, reading] of tree.files) {
    const before = byFile.get(path) ?? [];
    if (reading.kind === 'Documents') {
      for (const declared of reading.declared) (holderFile.get(nameOf(declared)) === path ? held : claimed).push(declared);
      continue;
    }
    held.push(...before.map(asBefore));
    if (reading.kind === 'Rejected') problems.push(...reading.problems);
    if (reading.kind === 'Empty' && before.length > 0)
      problems.push(treeProblem(path, `${path} is empty; what it declared before stays`, `delete ${path} to remove its containers`));
  }

  const spoken = new Set([...held, ...claimed].map(nameOf));
  // A name that a rejected document bears has not left the tree: it may just have moved there.
  const disputed = new Set(problems.map(({ name }) => name));
  const unspoken = previous.filter(({ name }) => !spoken.has(name));
  const absent = new Set(unspoken.filter(({ name }) => !disputed.has(name)).map(({ name }) => name));
  const kept = unspoken.filter(({ name }) => !absent.has(name) || !tree.complete || !mayRemove(name));
  return { declared: [...held, ...kept.map(asBefore), ...claimed], problems, absent };
}

function asBefore({ container, origin }: DesiredContainer): Declared {
  return { container, location: origin.location };
}

function nameOf({ container }: Declared): ContainerName {
  return containerName(container.metadata);
}
