import { createLogger } from '../../src/lib/logger.ts';
import type { DesiredContainer, DesiredStore, ResourceKey } from '../../src/reconcile/desired.ts';
import type { EventLog } from '../../src/reconcile/events.ts';
import type { Facts, FactsStore } from '../../src/reconcile/facts.ts';
import { noObserver, type ReconcileObserver } from '../../src/reconcile/observer.ts';
import { Reconciler, type ReconcilerOptions } from '../../src/reconcile/reconciler.ts';
import type { Container } from '../../src/spec/container.ts';
import { specHash } from '../../src/spec/hash.ts';
import { containerName, type ContainerName, type ResourceName } from '../../src/spec/name.ts';
import { SimulatedClock } from '../support/simulated-clock.ts';
import { SimulatedEngine } from './simulated-engine.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** A machine with a disk, a kernel and a daemon that can be killed and started again, all in simulated time. */
export class SimulatedNode {
  readonly clock = new SimulatedClock();
  readonly engine = new SimulatedEngine(this.clock);
  readonly counts = { detected: {} as Record<string, number>, repaired: {} as Record<string, number>, restarted: 0, desiredToRunning: [] as number[], reconciled: 0 };
  readonly events: { readonly reason: string; readonly message: string; readonly name: ResourceName | undefined }[] = [];
  /** What the database holds. */
  readonly facts = new Map<ContainerName, string>();
  readonly #desired = new Map<ContainerName, DesiredContainer>();
  readonly #desiredListeners = new Set<(changed: readonly ResourceKey[]) => void>();
  #reconciler: Reconciler | undefined;

  get reconciler(): Reconciler {
    if (this.#reconciler === undefined) throw new Error('the daemon does not run');
    return this.#reconciler;
  }

  /** Accepts a document as a source would hand it in. */
  apply(...containers: readonly Container[]): void {
    for (const container of containers) {
      const name = containerName(container.metadata);
      const generation = (this.#desired.get(name)?.generation ?? 0) + 1;
      this.#desired.set(name, { name, container, origin: { source: 'directory', location: `${name}.yaml:1:1` }, specHash: specHash(container), generation });
    }
    this.#changed(containers.map(({ metadata }) => containerName(metadata)));
  }

  delete(...names: readonly ContainerName[]): void {
    for (const name of names) this.#desired.delete(name);
    this.#changed(names);
  }

  desired(): DesiredContainer[] {
    return [...this.#desired.values()];
  }

  startDaemon(options: Partial<ReconcilerOptions> = {}): void {
    this.#reconciler = new Reconciler({
      engine: this.engine,
      desired: this.#desiredStore(),
      facts: this.#factsStore(),
      events: this.#eventLog(),
      clock: this.clock,
      logger: createLogger('silent'),
      observer: this.#observer(),
      random: () => 0.5,
      ...options,
    });
    this.#reconciler.start();
  }

  /** Ends the daemon as a SIGKILL would: nothing is awaited, and what its calls come back with is lost. */
  killDaemon(): void {
    void this.reconciler.stop();
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

  #changed(names: readonly ContainerName[]): void {
    for (const listener of this.#desiredListeners) listener(names.map((name) => ({ kind: 'Container', name })));
  }

  #desiredStore(): DesiredStore {
    const refused = (): never => {
      throw new Error('the reconciler never changes what is desired');
    };
    return {
      get: (name) => this.#desired.get(name),
      list: () => this.desired(),
      getOf: (_, name) => this.#desired.get(name as ContainerName) as never,
      listOf: () => this.desired() as never,
      listSource: (source) => this.desired().filter(({ origin }) => origin.source === source),
      replaceSource: refused,
      apply: refused,
      delete: refused,
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
