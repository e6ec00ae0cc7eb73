import type { NetworkEngine } from '../engine/networks.ts';
import type { VolumeEngine } from '../engine/volumes.ts';
import type { Clock, TimerHandle } from '../lib/clock.ts';
import { MooringError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { ContainerName, NetworkName, VolumeName } from '../spec/name.ts';
import { describeResource, type Resource, type ResourceKind } from '../spec/resource.ts';
import { exponentialDelay } from './backoff.ts';
import { withDeadline } from './deadline.ts';
import { type DesiredStore, type ResourceKey, resourceOf } from './desired.ts';
import { keyText } from './desired-store.ts';
import type { EventLog } from './events.ts';
import type { SupplyState } from './needs.ts';
import { noQueueObserver, WorkQueue } from './queue.ts';
import { describeSpan } from './words.ts';

export interface SuppliesOptions {
  readonly networks: NetworkEngine;
  readonly volumes: VolumeEngine;
  readonly desired: Pick<DesiredStore, 'getOf' | 'listOf' | 'subscribe'>;
  readonly events: Pick<EventLog, 'record'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** An engine operation that takes longer counts as failed for now; milliseconds. */
  readonly operationTimeoutMs?: number;
}

/** What is known of one network or volume that is desired, or that is to go. */
export interface SupplyStanding {
  readonly key: ResourceKey;
  /** `Going`: nobody wants it, and something still uses it, or it can't be removed now. */
  readonly state: 'Coming' | 'Ready' | 'Failed' | 'Going';
  /** CamelCase, for programs. */
  readonly reason: string;
  readonly message: string;
  /** The generation that it was judged by; 0 for one that nobody wants. */
  readonly generation: number;
  /** When `state` came to be. Milliseconds since the epoch. */
  readonly since: number;
}

/** The networks and volumes that containers stand on, as the reconciler of containers sees them. */
export interface SupplyFace {
  stateOf(key: ResourceKey): SupplyState;
  /** The document that what is there was made from; undefined where nothing is. */
  inForce(key: ResourceKey): Promise<Resource | undefined>;
  /** After something became ready, or is not ready any more. Returns the function that unsubscribes. */
  subscribe(listener: (key: ResourceKey) => void): () => void;
  /** A container is gone: what only it used may go. */
  containerGone(): void;
  /** A container is wanted no more, and gone: so go the volumes of its own. */
  forget(name: ContainerName): Promise<void>;
  /** Looks at all of them again. */
  resync(): void;
}

/** Stands for a node without networks and volumes. */
export const noSupplies: SupplyFace = {
  stateOf: () => ({ state: 'Missing' }),
  inForce: () => Promise.resolve(undefined),
  subscribe: () => () => {},
  containerGone: () => {},
  forget: () => Promise.resolve(),
  resync: () => {},
};

const CONCURRENCY = 4;
const RATE_LIMIT = { burst: 100, interval: 100 };
/** What somebody has to mend is tried again at the pace of a failing image; milliseconds. */
const SLOW_RETRY = { initial: 10_000, max: 300_000 };
const FAST_RETRY = { initial: 50, max: 300_000 };
const KINDS = ['Network', 'Volume'] as const satisfies readonly ResourceKind[];

interface Entry {
  standing: SupplyStanding;
  /** Whether what is there can be used though it is not as wanted, as after a change that can't be made. */
  usable: boolean;
  failures: number;
  retry: TimerHandle;
}

/** Keeps the networks and volumes of this node as desired: made before the containers that name them, and removed after them. */
export class Supplies implements SupplyFace {
  readonly #options: Required<SuppliesOptions>;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: WorkQueue<string>;
  readonly #keys = new Map<string, ResourceKey>();
  readonly #listeners = new Set<(key: ResourceKey) => void>();
  /** Run when a turn has ended that began after they were put here. */
  readonly #waiters = new Map<string, (() => void)[]>();
  #unsubscribe: readonly (() => void)[] = [];

  constructor(options: SuppliesOptions) {
    this.#options = { operationTimeoutMs: 60_000, ...options };
    const { clock, logger } = options;
    this.#queue = new WorkQueue({
      work: (text) => this.#turn(text),
      onError: (text, error) => logger.error({ err: error, key: text }, 'a turn failed'),
      concurrency: CONCURRENCY,
      rateLimit: RATE_LIMIT,
      clock,
      observer: noQueueObserver,
    });
  }

  start(): void {
    const { desired, networks, volumes } = this.#options;
    this.#unsubscribe = [
      desired.subscribe((changed) => {
        for (const key of changed) if ((KINDS as readonly ResourceKind[]).includes(key.kind)) this.#hurry(key);
      }),
      networks.subscribe((name) => this.#add({ kind: 'Network', name })),
      volumes.subscribe((name) => this.#add({ kind: 'Volume', name })),
    ];
    this.resync();
  }

  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#queue.stop();
    for (const { retry } of this.#entries.values()) this.#options.clock.clearTimeout(retry);
    for (const done of [...this.#waiters.values()].flat()) done();
    this.#waiters.clear();
  }

  standings(): SupplyStanding[] {
    return [...this.#entries.values()].map(({ standing }) => standing);
  }

  standing(key: ResourceKey): SupplyStanding | undefined {
    return this.#entries.get(keyText(key))?.standing;
  }

  stateOf(key: ResourceKey): SupplyState {
    const entry = this.#entries.get(keyText(key));
    const standing = entry?.standing;
    if (this.#desired(key) === undefined) return { state: 'Missing' };
    if (standing?.state === 'Ready' || entry?.usable) return { state: 'Ready' };
    return standing?.state === 'Failed' ? { state: 'Failed', message: standing.message } : { state: 'Coming' };
  }

  async inForce({ kind, name }: ResourceKey): Promise<Resource | undefined> {
    const { networks, volumes } = this.#options;
    if (kind === 'Network') return (await this.#bounded(`looking at network ${name}`, networks.inspect(name as NetworkName)))?.network;
    const state = await this.#bounded(`looking at volume ${name}`, volumes.inspect(name as VolumeName));
    return state?.released === false ? state.volume : undefined;
  }

  subscribe(listener: (key: ResourceKey) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  containerGone(): void {
    for (const { standing } of this.#entries.values()) if (standing.state === 'Going') this.#add(standing.key);
  }

  forget(name: ContainerName): Promise<void> {
    return this.#bounded(`removing the volumes of ${name}`, this.#options.volumes.removeOwned(name));
  }

  resync(): void {
    const { desired, networks, volumes } = this.#options;
    for (const kind of KINDS) for (const { name } of desired.listOf(kind)) this.#add({ kind, name });
    for (const name of networks.list()) this.#add({ kind: 'Network', name });
    for (const name of volumes.list()) this.#add({ kind: 'Volume', name });
  }

  /** Looks at one now. Settles, with how it stands, when that was done; undefined when it is gone. */
  async settle(key: ResourceKey): Promise<SupplyStanding | undefined> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const text = keyText(key);
    this.#waiters.set(text, [...(this.#waiters.get(text) ?? []), resolve]);
    this.#hurry(key);
    await promise;
    return this.standing(key);
  }

  #add(key: ResourceKey): void {
    this.#keys.set(keyText(key), key);
    this.#queue.addRateLimited(keyText(key));
  }

  #hurry(key: ResourceKey): void {
    const entry = this.#entries.get(keyText(key));
    if (entry !== undefined) entry.failures = 0;
    this.#keys.set(keyText(key), key);
    this.#queue.add(keyText(key));
  }

  async #turn(text: string): Promise<void> {
    const waiters = this.#waiters.get(text) ?? [];
    this.#waiters.delete(text);
    const key = this.#keys.get(text);
    if (key !== undefined) await this.#reconcile(key);
    for (const done of waiters) done();
  }

  async #reconcile(key: ResourceKey): Promise<void> {
    const { clock } = this.#options;
    const entry = this.#entries.get(keyText(key));
    if (entry !== undefined) clock.clearTimeout(entry.retry);
    const desired = this.#desired(key);
    const generation = desired?.generation ?? 0;
    try {
      if (desired === undefined) {
        if (await this.#remove(key)) return;
      } else {
        if (entry === undefined) this.#settle(key, { state: 'Coming', reason: 'Creating', message: 'it is being made', generation }, 0);
        const wasThere = await this.#isUsable(key);
        const mended = await this.#bounded(`making ${describeResource(key.kind, key.name)}`, this.#ensure(key));
        if (!wasThere) this.#record(key, 'Normal', 'Created', 'it was made');
        else if (entry !== undefined && entry.standing.state !== 'Ready') this.#record(key, 'Normal', 'Ready', 'it is as wanted');
        for (const message of mended) this.#record(key, 'Warning', 'DriftRepaired', message);
        this.#settle(key, { state: 'Ready', reason: 'Ready', message: 'it is as wanted', generation }, 0);
      }
    } catch (error) {
      const usable = desired !== undefined && (await this.#isUsable(key).catch(() => false)); // the first error is the one to tell
      this.#failed(key, desired === undefined ? 'Going' : 'Failed', generation, error, usable);
    }
  }

  /** Whether containers can have what is there, also where it is not all that is wanted. */
  async #isUsable({ kind, name }: ResourceKey): Promise<boolean> {
    const { networks, volumes } = this.#options;
    if (kind === 'Network') return networks.list().includes(name as NetworkName);
    const state = await this.#bounded(`looking at volume ${name}`, volumes.inspect(name as VolumeName));
    return state !== undefined && !state.released;
  }

  async #ensure(key: ResourceKey): Promise<readonly string[]> {
    const { networks, volumes } = this.#options;
    const desired = this.#desired(key);
    const resource = desired && resourceOf(desired);
    if (resource?.kind === 'Network') await networks.ensure(resource);
    else if (resource?.kind === 'Volume') return volumes.ensure(resource);
    return [];
  }

  /** Takes away what nobody wants. False where there was something, and its going is still to be told. */
  async #remove(key: ResourceKey): Promise<boolean> {
    const { networks, volumes } = this.#options;
    const what = `removing ${describeResource(key.kind, key.name)}`;
    let told = 'removed';
    if (key.kind === 'Network') {
      const there = networks.list().includes(key.name as NetworkName);
      if (!there) return this.#forget(key);
      await this.#bounded(what, networks.remove(key.name as NetworkName));
    } else {
      const state = await this.#bounded(what, volumes.inspect(key.name as VolumeName));
      if (state === undefined || state.released || state.owner !== undefined) return this.#forget(key);
      const policy = state.volume.spec.reclaimPolicy;
      await this.#bounded(what, volumes.remove(key.name as VolumeName, policy));
      if (policy === 'Retain') told = `its data is kept in ${state.path ?? 'its place'}, since reclaimPolicy is Retain; "mooring volume rm" deletes it`;
    }
    this.#record(key, 'Normal', 'Removed', told);
    return this.#forget(key);
  }

  #forget(key: ResourceKey): true {
    this.#entries.delete(keyText(key));
    this.#keys.delete(keyText(key));
    this.#notify(key);
    return true;
  }

  #failed(key: ResourceKey, state: 'Failed' | 'Going', generation: number, error: unknown, usable: boolean): void {
    const { clock } = this.#options;
    const before = this.#entries.get(keyText(key));
    const message = `${messageOf(error)}${error instanceof MooringError && error.fix !== undefined ? `; ${error.fix}` : ''}`;
    const code = error instanceof MooringError ? error.code : 'Internal';
    const reason = state === 'Going' ? (code === 'Conflict' ? 'InUse' : 'RemoveFailed') : code;
    if (before?.standing.message !== message || before.standing.state !== state) this.#record(key, 'Warning', state === 'Going' ? reason : 'Failed', message);
    const failures = before?.failures ?? 0;
    this.#settle(key, { state, reason, message, generation }, failures + 1, usable);
    const lasting = code === 'Invalid' || code === 'Conflict' || code === 'NotFound' || code === 'Unsupported';
    this.#entryOf(key).retry = clock.setTimeout(() => this.#add(key), exponentialDelay(failures, lasting ? SLOW_RETRY : FAST_RETRY));
  }

  #settle(key: ResourceKey, now: Omit<SupplyStanding, 'key' | 'since'>, failures: number, usable = false): void {
    const text = keyText(key);
    const before = this.#entries.get(text);
    const since = before?.standing.state === now.state ? before.standing.since : this.#options.clock.now();
    const standing = { key, ...now, since };
    this.#entries.set(text, { standing, failures, usable, retry: undefined });
    if (before?.standing.state !== now.state || before.standing.message !== now.message || before.standing.generation !== now.generation) this.#notify(key);
  }

  #entryOf(key: ResourceKey): Entry {
    const entry = this.#entries.get(keyText(key));
    if (entry === undefined) throw new MooringError('Internal', `nothing is known of ${describeResource(key.kind, key.name)}`);
    return entry;
  }

  #desired(key: ResourceKey) {
    return this.#options.desired.getOf(key.kind, key.name);
  }

  #notify(key: ResourceKey): void {
    for (const listener of this.#listeners) {
      try {
        listener(key);
      } catch (error) {
        this.#options.logger.error({ err: error, key }, 'a listener of the networks and volumes failed');
      }
    }
  }

  #record({ kind, name }: ResourceKey, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#options.events.record({ type, reason, message, kind, name });
  }

  #bounded<T>(what: string, work: Promise<T>): Promise<T> {
    const { clock, operationTimeoutMs } = this.#options;
    return withDeadline(work, operationTimeoutMs, clock, () => new MooringError('Unavailable', `${what} has not come back in ${describeSpan(operationTimeoutMs)}`));
  }
}
