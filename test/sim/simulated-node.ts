import assert from 'node:assert/strict';
import { createLogger } from '../../src/lib/logger.ts';
import { type DesiredContainer, type DesiredResource, type DesiredStore, type ResourceKey, resourceOf, type SourceName } from '../../src/reconcile/desired.ts';
import { keyOf, keyText } from '../../src/reconcile/desired-store.ts';
import type { EventLog } from '../../src/reconcile/events.ts';
import type { Facts, FactsStore } from '../../src/reconcile/facts.ts';
import { noObserver, type ReconcileObserver } from '../../src/reconcile/observer.ts';
import { Reconciler } from '../../src/reconcile/reconciler.ts';
import type { ReconcilerOptions } from '../../src/reconcile/reconciler-options.ts';
import { needsOf } from '../../src/reconcile/needs.ts';
import { Supplies } from '../../src/reconcile/supplies.ts';
import { resourceHash } from '../../src/spec/hash.ts';
import type { ContainerName, ResourceName } from '../../src/spec/name.ts';
import type { Resource } from '../../src/spec/resource.ts';
import { SimulatedClock } from '../support/simulated-clock.ts';
import { SimulatedEngine } from './simulated-engine.ts';
import { SimulatedNetworks, SimulatedVolumes } from './simulated-supplies.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** A machine with a disk, a kernel and a daemon that can be killed and started again, all in simulated time. */
export class SimulatedNode {
  readonly clock = new SimulatedClock();
  readonly engine = new SimulatedEngine(this.clock);
  readonly networks = new SimulatedNetworks(this.clock, (name) => this.#usersOf(name));
  readonly volumes = new SimulatedVolumes((name) => this.#usersOf(name));
  readonly counts = { detected: {} as Record<string, number>, repaired: {} as Record<string, number>, restarted: 0, desiredToRunning: [] as number[], reconciled: 0 };
  readonly events: { readonly reason: string; readonly message: string; readonly name: ResourceName | undefined }[] = [];
  /** What the database holds. */
  readonly facts = new Map<ContainerName, string>();
  readonly #desired = new Map<string, DesiredResource>();
  readonly #desiredListeners = new Set<(changed: readonly ResourceKey[]) => void>();
  #reconciler: Reconciler | undefined;
  #supplies: Supplies | undefined;

  get reconciler(): Reconciler {
    if (this.#reconciler === undefined) throw new Error('the daemon does not run');
    return this.#reconciler;
  }

  /** Accepts documents as the watched directory would hand them in. */
  apply(...resources: readonly Resource[]): void {
    this.applyFrom('directory', ...resources);
  }

  applyFrom(source: SourceName, ...resources: readonly Resource[]): void {
    for (const resource of resources) {
      const key = keyOf(resource);
      const generation = (this.#desired.get(keyText(key))?.generation ?? 0) + 1;
      const wish = { name: key.name, origin: { source, location: `${key.name}.yaml:1:1` }, specHash: resourceHash(resource), generation };
      this.#desired.set(keyText(key), { ...wish, [`${resource.kind.charAt(0).toLowerCase()}${resource.kind.slice(1)}`]: resource } as unknown as DesiredResource);
    }
    this.#changed(resources.map(keyOf));
  }

  delete(...names: readonly ContainerName[]): void {
    this.deleteOf(...names.map((name) => ({ kind: 'Container' as const, name })));
  }

  deleteOf(...keys: readonly ResourceKey[]): void {
    for (const key of keys) this.#desired.delete(keyText(key));
    this.#changed(keys);
  }

  desired(): DesiredContainer[] {
    return [...this.#desired.values()].filter((each) => 'container' in each);
  }

  startDaemon(options: Partial<ReconcilerOptions> = {}): void {
    this.openDaemon(options);
    this.reconciler.start();
  }

  /** A daemon that has not begun to do anything about containers. */
  openDaemon(options: Partial<ReconcilerOptions> = {}): void {
    const desired = this.#desiredStore();
    this.#supplies = new Supplies({ networks: this.networks, volumes: this.volumes, desired, events: this.#eventLog(), clock: this.clock, logger: createLogger('silent') });
    this.#supplies.start();
    this.#reconciler = new Reconciler({
      engine: this.engine,
      supplies: this.#supplies,
      desired,
      facts: this.#factsStore(),
      events: this.#eventLog(),
      clock: this.clock,
      logger: createLogger('silent'),
      observer: this.#observer(),
      random: () => 0.5,
      ...options,
    });
  }

  /** Ends the daemon as a SIGKILL would: nothing is awaited, and what its calls come back with is lost. */
  killDaemon(): void {
    this.#supplies?.stop();
    void this.reconciler.close();
    this.#reconciler = undefined;
  }

  /** Lets time pass until no container has work left. False when an hour was not enough. */
  settle(limit = HOUR): Promise<boolean> {
    const signal = new AbortController().signal;
    let done = false;
    void this.reconciler.settled(signal).then(() => (done = true));
    return this.clock.advanceUntil(() => done, limit);
  }

  callsOf(operation: string, name?: ContainerName): number[] {
    return this.engine.calls.filter((call) => call.operation === operation && (name === undefined || call.name === name)).map(({ at }) => at);
  }

  factsOf(name: ContainerName): Facts | undefined {
    const text = this.facts.get(name);
    return text === undefined ? undefined : (JSON.parse(text) as Facts);
  }

  /** The supplies of the daemon that runs. */
  get supplies(): Supplies {
    if (this.#supplies === undefined) throw new Error('the daemon does not run');
    return this.#supplies;
  }

  /** Containers that are there, running or not, and were made with a network or a volume of that name. */
  #usersOf(name: string): ContainerName[] {
    return this.engine.containers().filter((each) => needsOf(each).some((need) => need.name === name)).map((each) => keyOf(each).name as ContainerName);
  }

  #changed(keys: readonly ResourceKey[]): void {
    for (const listener of this.#desiredListeners) listener(keys);
  }

  #desiredStore(): DesiredStore {
    const refused = (): never => {
      throw new Error('the reconciler desires nothing');
    };
    return {
      get: (name) => this.#desired.get(keyText({ kind: 'Container', name })) as DesiredContainer | undefined,
      list: () => this.desired(),
      getOf: (kind, name) => this.#desired.get(keyText({ kind, name })) as never,
      listOf: (kind) => [...this.#desired.values()].filter((each) => resourceOf(each).kind === kind) as never,
      listSource: (source) => [...this.#desired.values()].filter(({ origin }) => origin.source === source),
      replaceSource: refused,
      apply: refused,
      delete: (source, keys) => {
        for (const key of keys) assert.equal(this.#desired.get(keyText(key))?.origin.source, source);
        this.deleteOf(...keys);
      },
      subscribe: (listener) => {
        this.#desiredListeners.add(listener);
        return () => this.#desiredListeners.delete(listener);
      },
    };
  }

  #factsStore(): FactsStore {
    return {
      get: (name) => this.factsOf(name),
      names: () => [...this.facts.keys()],
      set: (name, facts) => void this.facts.set(name, JSON.stringify(facts)),
      delete: (name) => void this.facts.delete(name),
    };
  }

  #eventLog(): EventLog {
    return {
      record: ({ reason, message, name }) => void this.events.push({ reason, message, name }),
      list: () => [],
      subscribe: () => () => {},
    };
  }

  #observer(): ReconcileObserver {
    const { counts } = this;
    return {
      ...noObserver,
      driftDetected: (kind) => void (counts.detected[kind] = (counts.detected[kind] ?? 0) + 1),
      driftRepaired: (kind) => void (counts.repaired[kind] = (counts.repaired[kind] ?? 0) + 1),
      restarted: () => void (counts.restarted += 1),
      desiredToRunning: (seconds) => void counts.desiredToRunning.push(seconds),
      reconciled: () => void (counts.reconciled += 1),
    };
  }
}
