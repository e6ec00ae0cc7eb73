import { isDeepStrictEqual } from 'node:util';
import type { ObservedContainer } from '../engine/engine.ts';
import type { FileWatcher } from '../engine/file-watcher.ts';
import type { Clock } from '../lib/clock.ts';
import { MooringError } from '../lib/errors.ts';
import type { Container } from '../spec/container.ts';
import { specHash } from '../spec/hash.ts';
import { containerName, type ContainerName } from '../spec/name.ts';
import { CIRCLE_FIX, circlesAmong, describeCircle } from '../spec/order-graph.ts';
import { contentOf, describeResource, isConfigKind, type Resource, type ResourceKind } from '../spec/resource.ts';
import { configChange } from './config-change.ts';
import { type DesiredContainer, type DesiredResource, type DesiredStore, type ResourceKey, resourceOf } from './desired.ts';
import { keyOf, keyText } from './desired-store.ts';
import { noFacts, type FactsStore } from './facts.ts';
import { withFileDrift } from './file-drift.ts';
import { configIn, type ConfigLookup, takeConfig } from './given-config.ts';
import type { Milestones } from './milestones.ts';
import { dependencySituation } from './order.ts';
import { imageSituation } from './image-situation.ts';
import type { ImageSource } from './image-source.ts';
import { needsOf, unmetNeeds, type SupplyState } from './needs.ts';
import { planChanges } from './plan-changes.ts';
import { planConfig } from './plan-config.ts';
import { planSupply } from './plan-supply.ts';
import type { PlannedChange } from './planned-change.ts';
import { Semaphore } from '../lib/semaphore.ts';
import type { SupplyFace } from './supplies.ts';

export interface DryRunRooms {
  readonly desired: Pick<DesiredStore, 'get' | 'getOf' | 'list' | 'listSource'>;
  readonly facts: Pick<FactsStore, 'get'>;
  readonly images: Pick<ImageSource, 'has' | 'standing' | 'builds'>;
  /** What the registry was last heard to keep under the tag of a followed image. */
  readonly latestOf: (name: ContainerName) => string | undefined;
  readonly supplies: Pick<SupplyFace, 'stateOf' | 'inForce'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly files: Pick<FileWatcher, 'find'>;
  readonly observe: (name: ContainerName) => Promise<ObservedContainer | undefined>;
  readonly isRunning: (name: ContainerName) => boolean;
  /** How far it has come, if it is desired just so. */
  readonly milestones: (desired: DesiredContainer | undefined) => Milestones;
  readonly isProbed: (name: ContainerName) => boolean;
  /** Containers observed at once. */
  readonly concurrency: number;
}

/** What accepting `resources` would do. With `prune`, also what removing those of source `directory` not among them would. Networks, volumes, ConfigMaps and Secrets come first, and containers follow that are not among the resources and take something of them that changes. */
export async function dryRun(resources: readonly Resource[], prune: boolean, rooms: DryRunRooms): Promise<PlannedChange[]> {
  const { desired, facts, images, clock, observe, concurrency } = rooms;
  const wishes = new Map<string, { readonly key: ResourceKey; readonly resource: Resource | undefined }>();
  for (const resource of resources) wishes.set(keyText(keyOf(resource)), { key: keyOf(resource), resource });
  if (prune) {
    for (const held of desired.listSource('directory').map(resourceOf)) {
      const key = keyOf(held);
      if (!wishes.has(keyText(key))) wishes.set(keyText(key), { key, resource: undefined });
    }
  }
  const containers = [...wishes.values()].flatMap(({ key, resource }) => (key.kind === 'Container' ? [{ name: key.name as ContainerName, wish: resource?.kind === 'Container' ? wishFor(resource, desired) : undefined }] : []));
  // What is not among the resources, and is made anew for what it takes of them.
  const changed = new Set([...wishes.values()].filter(({ key, resource }) => isConfigKind(key.kind) && isChanged(desired.getOf(key.kind, key.name), resource)).map(({ key }) => keyText(key)));
  for (const held of desired.list()) {
    const isAmong = wishes.has(keyText({ kind: 'Container', name: held.name }));
    if (!isAmong && needsOf(held.container).some((need) => changed.has(keyText(need)))) containers.push({ name: held.name, wish: held });
  }
  const wanted = new Map(desired.list().map((each) => [each.name, each]));
  for (const { name, wish } of containers) {
    if (wish === undefined) wanted.delete(name);
    else wanted.set(name, wish);
  }
  refuseCircles(containers, desired);
  const config: ConfigLookup = (key) => {
    const wish = wishes.get(keyText(key));
    if (wish === undefined) return configIn(desired, key);
    return wish.resource?.kind === 'ConfigMap' || wish.resource?.kind === 'Secret' ? wish.resource : undefined;
  };
  const supply = (key: ResourceKey): SupplyState => {
    const wish = wishes.get(keyText(key));
    // One that is declared beside the container is made before it.
    if (wish === undefined) return rooms.supplies.stateOf(key);
    return { state: wish.resource === undefined ? 'Missing' : 'Ready' };
  };
  const isRunning = (name: ContainerName): boolean => containers.some((each) => each.name === name && each.wish !== undefined) || (wanted.has(name) && rooms.isRunning(name));
  const slots = new Semaphore(concurrency);
  const supplies = ofKinds(['Network', 'Volume'], wishes.values()).map(async ({ key, resource }) => {
    const users = [...wanted.values()].filter(({ container }) => needsOf(container).some((need) => keyText(need) === keyText(key)));
    return planSupply(key, await rooms.supplies.inForce(key), resource, users.map(({ name }) => name));
  });
  const configs = ofKinds(['ConfigMap', 'Secret'], wishes.values()).map(({ key, resource }) => {
    const users = [...wanted.values()].filter(({ container }) => needsOf(container).some((need) => keyText(need) === keyText(key)));
    const before = desired.getOf(key.kind, key.name);
    return planConfig(key, before && resourceOf(before), resource, users.map(({ name }) => name));
  });
  const changes = containers.map(async ({ name, wish }) => {
    const release = await slots.acquire();
    try {
      const observed = await withFileDrift(await observe(name), wish, rooms.files);
      const given = wish && takeConfig(wish.container, config).given?.digests;
      const image = await imageSituation(images, wish, observed, { latest: rooms.latestOf(name), isRenewed: configChange({ observed, config: given }) !== undefined });
      const unmet = wish === undefined ? [] : unmetNeeds(wish.container, { supply, desired: (other) => wanted.get(other), isRunning, config });
      const order = wish === undefined ? undefined : dependencySituation(wish.container, { desired: (other) => wanted.get(other), milestones: (other) => rooms.milestones(wanted.get(other)), isProbed: rooms.isProbed });
      return planChanges(name, { desired: wish, observed, facts: facts.get(name) ?? noFacts, now: clock.now(), image, unmet, config: given, ...(order && { order }) }, desired.get(name));
    } finally {
      release();
    }
  });
  const [made, decided] = await Promise.all([Promise.all(supplies), Promise.all(changes)]);
  return [...made, ...configs, ...decided];
}

function isChanged(before: DesiredResource | undefined, after: Resource | undefined): boolean {
  return (before === undefined) !== (after === undefined) || (before !== undefined && after !== undefined && !isDeepStrictEqual(contentOf(resourceOf(before)), contentOf(after)));
}

function ofKinds<T extends { readonly key: ResourceKey }>(kinds: readonly ResourceKind[], items: Iterable<T>): T[] {
  const all = [...items];
  return kinds.flatMap((kind) => all.filter(({ key }) => key.kind === kind));
}

/** Throws `Invalid` where accepting these would close a circle in the order of starts. */
function refuseCircles(wishes: readonly { readonly name: ContainerName; readonly wish: DesiredContainer | undefined }[], desired: Pick<DesiredStore, 'get'>): void {
  const changes = new Map(wishes.flatMap(({ name, wish }) => (wish !== undefined && wish.container !== desired.get(name)?.container ? [[name, wish.container] as const] : [])));
  const gone = new Set(wishes.flatMap(({ name, wish }) => (wish === undefined ? [name] : [])));
  for (const [name, circle] of circlesAmong(changes, (other) => (gone.has(other) ? undefined : desired.get(other)?.container))) {
    throw new MooringError('Invalid', `${describeResource('Container', name)}: ${describeCircle(circle)}`, { fix: CIRCLE_FIX });
  }
}

/** What would be desired once `container` is accepted. */
function wishFor(container: Container, desired: Pick<DesiredStore, 'get'>): DesiredContainer {
  const name = containerName(container.metadata);
  const current = desired.get(name);
  // As the desired store has it: an equal spec keeps its hash, even one that an older Mooring computed otherwise.
  if (current !== undefined && isDeepStrictEqual(current.container.spec, container.spec)) return { ...current, container };
  const origin = current?.origin ?? { source: 'api', location: 'plan' };
  return { name, container, origin, specHash: specHash(container), generation: (current?.generation ?? 0) + 1 };
}
