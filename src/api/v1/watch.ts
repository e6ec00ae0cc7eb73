import type { ResourceKey } from '../../reconcile/desired.ts';
import type { ContainerName } from '../../spec/name.ts';
import { containerObject } from './container-object.ts';
import { Mailbox } from './mailbox.ts';
import type { ApiServices } from './services.ts';
import type { ContainerObject, MooringEvent, WatchEvent } from './types.ts';

type WatchServices = Pick<ApiServices, 'reconciler' | 'problems' | 'onProblems'>;

const MAX_BEHIND = 10_000;
/** Stands in the mailbox for the problems, which concern no single container. */
const PROBLEMS = 'problems';

/** Every container, then every change. A change is only a hint to look: what is sent is what is so at that moment, so none can be missed. */
export async function* watchContainers({ reconciler, problems, onProblems }: WatchServices, namespace: string | undefined, signal: AbortSignal): AsyncGenerator<WatchEvent, void, void> {
  const changes = new Mailbox<string, ContainerName | typeof PROBLEMS>(MAX_BEHIND);
  const unsubscribe = [reconciler.subscribe((name) => changes.put(name, name)), onProblems(() => changes.put(PROBLEMS, PROBLEMS))];
  try {
    const known = new Map<ContainerName, ContainerObject>();
    for (const view of reconciler.views()) {
      if (namespace !== undefined && view.container.metadata.namespace !== namespace) continue;
      const object = containerObject(view);
      known.set(view.name, object);
      yield { type: 'ADDED', object };
    }
    yield { type: 'PROBLEMS', items: problems() };
    yield { type: 'SYNCED' };
    for await (const names of changes.batches(signal)) {
      for (const name of names) {
        if (name === PROBLEMS) {
          yield { type: 'PROBLEMS', items: problems() };
          continue;
        }
        const view = reconciler.view(name);
        const before = known.get(name);
        if (view === undefined) {
          known.delete(name);
          if (before !== undefined) yield { type: 'DELETED', object: before };
        } else if (namespace === undefined || view.container.metadata.namespace === namespace) {
          const object = containerObject(view);
          known.set(name, object);
          yield { type: before === undefined ? 'ADDED' : 'MODIFIED', object };
        }
      }
    }
  } finally {
    for (const off of unsubscribe) off();
  }
}

/** Every event that is kept, then each as it happens. A repeated one comes again under its id. */
export async function* followEvents({ events }: Pick<ApiServices, 'events'>, of: ResourceKey | undefined, signal: AbortSignal): AsyncGenerator<MooringEvent, void, void> {
  const arrived = new Mailbox<number, MooringEvent>(MAX_BEHIND);
  const unsubscribe = events.subscribe((event) => {
    if (of === undefined || (event.name === of.name && (event.kind ?? 'Container') === of.kind)) arrived.put(event.id, event);
  });
  try {
    yield* events.list(of ?? {});
    for await (const batch of arrived.batches(signal)) yield* batch;
  } finally {
    unsubscribe();
  }
}
