import { isDeepStrictEqual } from 'node:util';
import type { ObservedContainer } from '../engine/engine.ts';
import type { Clock } from '../lib/clock.ts';
import type { Container } from '../spec/container.ts';
import { specHash } from '../spec/hash.ts';
import { containerName, type ContainerName } from '../spec/name.ts';
import type { DesiredContainer, DesiredStore } from './desired.ts';
import { noFacts, type FactsStore } from './facts.ts';
import { imageSituation } from './image-situation.ts';
import type { ImageSource } from './image-source.ts';
import { planChanges, type PlannedChange } from './plan-changes.ts';
import { Semaphore } from '../lib/semaphore.ts';

export interface DryRunRooms {
  readonly desired: Pick<DesiredStore, 'get' | 'list'>;
  readonly facts: Pick<FactsStore, 'get'>;
  readonly images: Pick<ImageSource, 'has'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly observe: (name: ContainerName) => Promise<ObservedContainer | undefined>;
  /** Containers observed at once. */
  readonly concurrency: number;
}

/** What accepting `containers` would do. With `prune`, also what removing those of source `directory` not among them would. */
export async function dryRun(containers: readonly Container[], prune: boolean, rooms: DryRunRooms): Promise<PlannedChange[]> {
  const { desired, facts, images, clock, observe, concurrency } = rooms;
  const wishes = new Map<ContainerName, DesiredContainer | undefined>(containers.map((container) => [containerName(container.metadata), wishFor(container, desired)]));
  if (prune) for (const { name, origin } of desired.list()) if (origin.source === 'directory' && !wishes.has(name)) wishes.set(name, undefined);
  const slots = new Semaphore(concurrency);
  return Promise.all(
    [...wishes].map(async ([name, wish]) => {
      const release = await slots.acquire();
      try {
        const observed = await observe(name);
        const image = await imageSituation(images, wish, observed);
        return planChanges(name, { desired: wish, observed, facts: facts.get(name) ?? noFacts, now: clock.now(), image }, desired.get(name));
      } finally {
        release();
      }
    }),
  );
}

/** What would be desired once `container` is accepted. */
function wishFor(container: Container, desired: DryRunRooms['desired']): DesiredContainer {
  const name = containerName(container.metadata);
  const current = desired.get(name);
  // As the desired store has it: an equal spec keeps its hash, even one that an older Mooring computed otherwise.
  if (current !== undefined && isDeepStrictEqual(current.container.spec, container.spec)) return { ...current, container };
  const origin = current?.origin ?? { source: 'api', location: 'plan' };
  return { name, container, origin, specHash: specHash(container), generation: (current?.generation ?? 0) + 1 };
}
