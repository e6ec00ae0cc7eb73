import { type Declared, type DesiredResource, resourceOf } from '../../reconcile/desired.ts';
import { fileOfLocation, keyOf, keyText } from '../../reconcile/desired-store.ts';
import type { SpecProblem } from '../../spec/problem.ts';
import type { TreeReading } from './read-tree.ts';
import { treeProblem } from './tree-problem.ts';

export interface Merged {
  /** All that the directory wants: what the tree says, and the last good state of what it can't say now. Who holds a name comes before who claims it too. */
  readonly declared: readonly Declared[];
  readonly problems: readonly SpecProblem[];
  /** Held keys (`keyText`) that the tree no longer declares, whether their removal was allowed or not. */
  readonly absent: ReadonlySet<string>;
}

/**
 * What the directory wants now, from what it wanted before and one reading of the tree. What is absent is kept as it was
 * unless the tree was read completely and `mayRemove` agrees.
 */
export function merge(previous: readonly DesiredResource[], tree: TreeReading, mayRemove: (key: string) => boolean): Merged {
  const problems = [...tree.problems];
  const byFile = Map.groupBy(previous, ({ origin }) => fileOfLocation(origin.location));
  const holderFile = new Map(previous.map((desired) => [heldKey(desired), fileOfLocation(desired.origin.location)]));
  const held: Declared[] = [];
  const claimed: Declared[] = [];

  for (const [path, reading] of tree.files) {
    const before = byFile.get(path) ?? [];
    if (reading.kind === 'Documents') {
      problems.push(...reading.warnings);
      for (const declared of reading.declared) (holderFile.get(claimedKey(declared)) === path ? held : claimed).push(declared);
      continue;
    }
    held.push(...before.map(asBefore));
    if (reading.kind === 'Rejected') problems.push(...reading.problems);
    if (reading.kind === 'Empty' && before.length > 0)
      problems.push(treeProblem(path, `${path} is empty; what it declared before stays`, `delete ${path} to remove what it declared`));
  }

  const spoken = new Set([...held, ...claimed].map(claimedKey));
  // A name that a rejected document bears has not left the tree: it may just have moved there.
  const disputed = new Set(problems.flatMap(({ name, kind = 'Container' }) => (name === undefined ? [] : [keyText({ kind, name })])));
  const unspoken = previous.filter((desired) => !spoken.has(heldKey(desired)));
  const absent = new Set(unspoken.map(heldKey).filter((key) => !disputed.has(key)));
  const kept = unspoken.filter((desired) => !absent.has(heldKey(desired)) || !tree.complete || !mayRemove(heldKey(desired)));
  return { declared: [...held, ...kept.map(asBefore), ...claimed], problems, absent };
}

function asBefore(desired: DesiredResource): Declared {
  return { resource: resourceOf(desired), location: desired.origin.location };
}

function heldKey(desired: DesiredResource): string {
  return keyText(keyOf(resourceOf(desired)));
}

function claimedKey({ resource }: Declared): string {
  return keyText(keyOf(resource));
}
