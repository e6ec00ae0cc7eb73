import type { DownProgress } from '../api/v1/types.ts';
import type { ContainerEngine } from '../engine/engine.ts';
import type { DesiredStore } from '../reconcile/desired.ts';
import { longestStop, precedingOf } from '../spec/order-graph.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';
import type { Container } from '../spec/container.ts';
import type { ContainerName } from '../spec/name.ts';

export interface TakeDownRooms {
  readonly engine: Pick<ContainerEngine, 'list'>;
  readonly desired: Pick<DesiredStore, 'list'>;
  readonly reconciler: Pick<Reconciler, 'view' | 'subscribe' | 'takeDown'>;
}

/** Beyond the longest grace that a container asks for, this is enough for killing and removing any number of them. */
const MARGIN_MS = 60_000;

/** Removes every container through the reconciler, which wants nothing from then on, and tells each as it goes. */
export async function takeDown({ engine, desired, reconciler }: TakeDownRooms, onProgress: (progress: DownProgress) => void): Promise<void> {
  const left = new Set(engine.list().map(({ name }) => name));
  const total = left.size;
  const gone = (name: ContainerName): void => {
    if (left.delete(name)) onProgress({ type: 'REMOVED', name, remaining: left.size });
  };
  const unsubscribe = reconciler.subscribe((name) => {
    if (left.has(name) && reconciler.view(name) === undefined && !engine.list().some((container) => container.name === name)) gone(name);
  });
  try {
    const wanted = new Map(desired.list().map(({ name, container }) => [name, container]));
    // In reverse order: the graces of those that come after each other add up.
    const longestGrace = longestStop(wanted.keys(), (name) => precedingOf(wanted.get(name) as Container), (name) => wanted.get(name)?.spec.stopTimeoutSeconds ?? 0);
    const leftovers = await reconciler.takeDown(AbortSignal.timeout(longestGrace * 1000 + MARGIN_MS));
    const failed = leftovers.filter(({ name }) => left.delete(name));
    for (const name of left) gone(name);
    for (const { name, message } of failed) onProgress({ type: 'FAILED', name, message });
    onProgress({ type: 'DONE', removed: total - failed.length, failed: failed.length });
  } finally {
    unsubscribe();
  }
}
