import { availableParallelism } from 'node:os';
import type { ContainerId, ExecRequest, ExecResult, ExitRecord, ObservedContainer } from '../engine/engine.ts';
import { noFileWatcher } from '../engine/file-watcher.ts';
import type { TimerHandle } from '../lib/clock.ts';
import { MooringError } from '../lib/errors.ts';
import type { Container } from '../spec/container.ts';
import { isConfigKind, type Resource } from '../spec/resource.ts';
import type { ContainerName } from '../spec/name.ts';
import { toldIn, withDeadline } from './deadline.ts';
import { adopt } from './adoption.ts';
import { Dependents, wakersOf } from './dependents.ts';
import type { DesiredContainer, ResourceKey } from './desired.ts';
import { dryRun } from './dry-run.ts';
import type { ContainerDrift } from './drift-report.ts';
import { Effects } from './effects.ts';
import type { Health } from './health.ts';
import { HealthChecks } from './health-checks.ts';
import { ImageFollower } from './image-follower.ts';
import { imageSituation, withImageDrift } from './image-situation.ts';
import { allImagesThere } from './image-source.ts';
import { ExecSessions } from './exec-sessions.ts';
import { explain, type Explanation } from './explain.ts';
import { configIn, type ConfigLookup, takeConfig, type TakenConfig } from './given-config.ts';
import { noFacts } from './facts.ts';
import { withFileDrift } from './file-drift.ts';
import { createContainerMachine } from './machine.ts';
import type { Milestones } from './milestones.ts';
import { unmetNeeds, type UnmetNeed } from './needs.ts';
import { noProber } from './prober.ts';
import { noObserver } from './observer.ts';
import { OrderBook } from './order-book.ts';
import type { PlannedChange } from './planned-change.ts';
import { WorkQueue } from './queue.ts';
import type { ReconcilerFace, RunEnd } from './reconciler-face.ts';
import type { ReconcilerOptions } from './reconciler-options.ts';
import { Roster } from './roster.ts';
import { noSupplies } from './supplies.ts';
import { emptied, type Leftover } from './take-down.ts';
import { Verbs, type StopOptions } from './verbs.ts';
import type { ContainerView } from './view.ts';

/** Hints on one container beyond a hundred in a row are followed ten times a second. */
const HINT_LIMIT = { burst: 100, interval: 100 };
/** How long `close` waits for operations in flight. Milliseconds. */
const STOP_PATIENCE = 5_000;

/** Keeps every container of this node as desired: one actor each, fed by a work queue. */
export class Reconciler implements ReconcilerFace {
  readonly #options: Required<ReconcilerOptions>;
  readonly #effects: Effects;
  readonly #roster: Roster;
  readonly #queue: WorkQueue<ContainerName>;
  readonly #dependents = new Dependents();
  readonly #order: OrderBook;
  readonly #follower: ImageFollower;
  readonly #verbs: Verbs;
  readonly #checks: HealthChecks;
  readonly #execs: ExecSessions;
  readonly #exitListeners = new Set<(end: RunEnd) => void>();
  readonly #settledWaiters = new Set<() => void>();
  /** Run when a turn has ended that began after they were put here. */
  readonly #lookWaiters = new Map<ContainerName, (() => void)[]>();
  readonly #lookup: ConfigLookup = ({ kind, name }) => configIn(this.#options.desired, { kind, name });
  #unsubscribe: readonly (() => void)[] = [];
  #resyncTimer: TimerHandle;
  #takingDown = false;
  #stopped = false;

  constructor(options: ReconcilerOptions) {
    this.#options = {
      images: allImagesThere,
      supplies: noSupplies,
      prober: noProber,
      files: noFileWatcher,
      observer: noObserver,
      resyncIntervalMs: 5 * 60_000,
      concurrency: 16,
      startConcurrency: 2 * availableParallelism(),
      operationTimeoutMs: 60_000,
      random: Math.random,
      ...options,
    };
    const { engine, images, files, supplies, prober, facts, events, observer, clock, logger, startConcurrency, operationTimeoutMs, concurrency } = this.#options;
    const desiredOf = (name: ContainerName): DesiredContainer | undefined => this.#desired(name);
    this.#queue = new WorkQueue({
      work: (name) => this.#turn(name),
      onError: (name, error) => logger.error({ err: error, name }, 'a turn failed'),
      onIdle: () => this.#checkSettled(),
      concurrency,
      rateLimit: HINT_LIMIT,
      clock,
      observer: observer.queue,
    });
    this.#effects = new Effects({
      engine,
      images,
      files,
      facts,
      events,
      observer,
      clock,
      logger,
      startConcurrency,
      operationTimeoutMs,
      desiredOf,
      dossierOf: (name) => this.#roster.dossier(name),
      latestOf: (name) => this.#follower.latest(name),
      enqueue: (name) => this.#queue.add(name),
      unmetOf: (container) => this.#unmet(container),
      orderOf: (name) => this.#order.situationOf(name),
      unwellOf: (name, observed) => this.#checks.unwellOf(name, observed),
      configOf: (container) => this.#config(container),
      forget: (name) => supplies.forget(name),
      release: ({ name, origin }) => this.#options.desired.delete(origin.source, [{ kind: 'Container', name }]),
      onProgress: (name) => this.#roster.refresh(name),
      onLook: (name, situation, step) => {
        if (situation.desired === undefined && situation.observed !== undefined) this.#order.stops.found(name, situation.observed.container);
        this.#checks.follow(name, situation.desired, situation.observed);
        this.#verbs.looked(name, situation, step);
      },
      onFailure: (name, kind, error) => this.#verbs.failed(name, kind, error),
      onExit: (end) => this.#tellExit(end),
      onLateEnd: (name) => this.#hurry(name),
    });
    this.#verbs = new Verbs({ clock, facts, desiredOf, dossierOf: (name) => this.#roster.ensure(name), observe: (name) => this.#observe(name), hurry: (name) => this.#hurry(name) });
    this.#checks = new HealthChecks({ prober, clock, logger, events, addressOf: (name) => this.#order.addressOf(name), onChange: (name) => this.#roster.refresh(name), onUnwell: (name) => this.#queue.add(name), concurrency: startConcurrency });
    this.#execs = new ExecSessions({ engine, clock, events, observer, desiredOf, factsOf: (name) => this.#roster.find(name)?.facts, remember: (name, news) => this.#effects.remember(name, news) });
    this.#follower = new ImageFollower({ images, clock, random: this.#options.random, events, onNews: (name) => this.#queue.add(name) });
    this.#order = new OrderBook({ desired: desiredOf, view: (name) => this.#roster.view(name), dossier: (name) => this.#roster.find(name), checkup: (name) => this.#checks.of(name), now: () => clock.now() });
    this.#roster = new Roster({
      machine: createContainerMachine(this.#effects),
      facts,
      clock,
      logger,
      desiredOf,
      checkupOf: (name) => this.#checks.of(name),
      onGone: (name) => {
        this.#queue.forget(name);
        files.release(name);
        this.#order.stops.forget(name);
        supplies.containerGone();
      },
    });
  }

  /** The work queue's depth and unfinished work, for metrics. */
  get queue(): Pick<WorkQueue<ContainerName>, 'depth' | 'unfinished'> {
    return this.#queue;
  }

  /** Looks at what is there, so that it can be told; to be called before `start`. Settles within five seconds, and changes nothing. */
  adopt(): Promise<void> {
    const { engine, clock, logger, concurrency } = this.#options;
    return adopt({ names: engine.list().map(({ name }) => name), roster: this.#roster, observe: (name) => this.#observe(name), desiredOf: (name) => this.#desired(name), clock, logger, concurrency });
  }

  /** Takes over what is there and what is desired, and keeps the two alike from now on. */
  start(): void {
    const { engine, desired, files, supplies } = this.#options;
    const wake = (key: ResourceKey): void => {
      for (const name of this.#dependents.of(key)) this.#queue.add(name);
    };
    for (const { name, container } of desired.list()) {
      this.#dependents.set(name, wakersOf(container));
      this.#order.stops.follow(name, container);
    }
    this.#unsubscribe = [
      supplies.subscribe(wake),
      this.#roster.subscribe((name) => {
        wake({ kind: 'Container', name });
        for (const before of this.#order.stops.before(name)) if (this.#order.isToGo(before)) this.#queue.add(before);
      }),
      engine.subscribe(({ name }) => this.#queue.addRateLimited(name)),
      files.subscribe((name) => this.#queue.addRateLimited(name)),
      desired.subscribe((changed) => {
        for (const key of changed) {
          if (key.kind === 'Container') this.#desiredChanged(key.name as ContainerName);
          else if (isConfigKind(key.kind)) for (const name of this.#dependents.of(key)) this.#hurry(name);
        }
      }),
    ];
    const { builds } = this.#options.images;
    if (builds) this.#unsubscribe = [...this.#unsubscribe, builds.subscribe((name) => this.#desiredChanged(name))];
    for (const name of this.#names()) {
      this.#roster.ensure(name);
      this.#follower.set(name, this.#desired(name));
      this.#queue.add(name);
    }
    this.#scheduleResync();
  }

  /** Lets go of everything and touches no container. Settles once no engine operation is in flight, or after five seconds. */
  async close(): Promise<void> {
    const { clock, logger } = this.#options;
    this.#stopped = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    clock.clearTimeout(this.#resyncTimer);
    this.#follower.stop();
    this.#queue.stop();
    this.#roster.stop();
    this.#verbs.close();
    this.#checks.close();
    for (const done of [...this.#lookWaiters.values()].flat()) done();
    this.#lookWaiters.clear();
    try {
      await withDeadline(this.#effects.drained(), STOP_PATIENCE, clock, () => new MooringError('Unavailable', 'an engine operation is still in flight'));
    } catch (error) {
      logger.warn({ err: error }, 'stopped without waiting any longer');
    }
  }

  views(): ContainerView[] {
    return this.#roster.views();
  }

  view(name: ContainerName): ContainerView | undefined {
    return this.#roster.view(name);
  }

  subscribe(listener: (name: ContainerName) => void): () => void {
    return this.#roster.subscribe(listener);
  }

  /** Throws `NotFound` for a name that is neither desired nor there. */
  async explain(name: ContainerName): Promise<Explanation> {
    const desired = this.#desired(name);
    const observed = await withFileDrift(await this.#observe(name), desired, this.#options.files);
    if (observed === undefined && desired === undefined) throw new MooringError('NotFound', `container ${name} is neither desired nor there`);
    const { clock, facts, images } = this.#options;
    const unmet = desired === undefined ? [] : this.#unmet(desired.container);
    const image = await imageSituation(images, desired, observed, { latest: this.#follower.latest(name) });
    const config = desired && this.#config(desired.container).given?.digests;
    const order = this.#order.situationOf(name);
    const unwell = this.#checks.unwellOf(name, observed);
    const situation = { desired, observed: withImageDrift(observed, image), facts: facts.get(name) ?? noFacts, now: clock.now(), image, unmet, config, ...(order && { order }), ...(unwell && { unwell }) };
    return explain(name, situation, this.#roster.state(name) ?? 'unknown');
  }

  drift(): Promise<ContainerDrift[]> {
    return this.#execs.reports(this.#roster.names());
  }

  exec(id: ContainerId, request: ExecRequest, onEnd?: (exit: ExitRecord | undefined) => void): Promise<ExecResult> {
    return this.#execs.exec(id, request, onEnd);
  }

  async plan(resources: readonly Resource[], { prune }: { readonly prune: boolean }): Promise<PlannedChange[]> {
    return dryRun(resources, prune, { ...this.#options, latestOf: (name) => this.#follower.latest(name), observe: (name) => this.#observe(name), isRunning: (name) => this.#isRunning(name), milestones: (desired) => this.#order.milestones(desired), isProbed: (name) => this.#order.isProbed(name) });
  }

  async resync(): Promise<void> {
    if (this.#stopped) return;
    this.#options.supplies.resync();
    await Promise.all(
      [...this.#names()].map(
        (name) =>
          new Promise<void>((resolve) => {
            const waiters = this.#lookWaiters.get(name);
            if (waiters === undefined) this.#lookWaiters.set(name, [resolve]);
            else waiters.push(resolve);
            this.#queue.add(name);
          }),
      ),
    );
  }

  async make(name: ContainerName, signal: AbortSignal): Promise<ContainerId> {
    return this.#verbs.make(name, signal);
  }

  async run(name: ContainerName, signal: AbortSignal, begin?: () => void): Promise<void> {
    return this.#verbs.run(name, signal, begin);
  }

  async stop(name: ContainerName, options: StopOptions, abort: AbortSignal, begin?: () => void): Promise<boolean> {
    return this.#verbs.stop(name, options, abort, begin);
  }

  async reset(name: ContainerName, signal: AbortSignal): Promise<void> {
    return this.#verbs.reset(name, signal);
  }

  milestones(name: ContainerName): Milestones {
    return this.#order.milestones(this.#desired(name));
  }

  health(name: ContainerName): Health | undefined {
    return this.#checks.of(name)?.health;
  }

  onExit(listener: (end: RunEnd) => void): () => void {
    this.#exitListeners.add(listener);
    return () => this.#exitListeners.delete(listener);
  }

  async settled(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#isSettled()) return;
    await toldIn(this.#settledWaiters, signal);
  }

  /**
   * Removes every container, whatever is desired, in the reverse of their order. Gives back what was still there when the signal
   * was aborted. The reconciler wants nothing from then on; only a new one, over the same desired store, brings them back.
   */
  async takeDown(signal: AbortSignal): Promise<Leftover[]> {
    this.#takingDown = true;
    for (const name of this.#names()) this.#hurry(name);
    return emptied(this.#roster, signal);
  }

  async #turn(name: ContainerName): Promise<void> {
    const { clock, observer } = this.#options;
    const waiters = this.#lookWaiters.get(name) ?? [];
    this.#lookWaiters.delete(name);
    const began = clock.now();
    const result = await this.#roster.turn(name);
    observer.reconciled(result, (clock.now() - began) / 1000);
    for (const done of waiters) done();
  }

  #desiredChanged(name: ContainerName): void {
    const dossier = this.#roster.ensure(name);
    const desired = this.#desired(name);
    this.#dependents.set(name, desired === undefined ? [] : wakersOf(desired.container));
    if (desired !== undefined) this.#order.stops.follow(name, desired.container);
    if (desired === undefined || desired.container.spec.suspend) delete dossier.wantedSince;
    else if (desired.specHash !== dossier.facts.specHash) dossier.wantedSince = this.#options.clock.now();
    this.#follower.set(name, desired);
    this.#options.images.builds?.follow(name, desired);
    this.#hurry(name);
  }

  #hurry(name: ContainerName): void {
    this.#roster.hurry(name);
    this.#queue.add(name);
  }

  #desired(name: ContainerName): DesiredContainer | undefined {
    return this.#takingDown ? undefined : this.#options.desired.get(name);
  }

  #unmet(container: Container): UnmetNeed[] {
    return unmetNeeds(container, { supply: (key) => this.#options.supplies.stateOf(key), desired: (name) => this.#desired(name), isRunning: (name) => this.#isRunning(name), config: this.#lookup });
  }

  #config(container: Container): TakenConfig {
    return takeConfig(container, this.#lookup);
  }

  #tellExit(end: RunEnd): void {
    for (const listener of this.#exitListeners) {
      try {
        listener(end);
      } catch (error) {
        this.#options.logger.error({ err: error, name: end.name }, 'a listener of the ends of runs failed');
      }
    }
  }

  #isRunning(name: ContainerName): boolean {
    return this.#roster.view(name)?.status.pid !== undefined;
  }

  #observe(name: ContainerName): Promise<ObservedContainer | undefined> {
    const { engine, clock, operationTimeoutMs } = this.#options;
    return withDeadline(engine.observe(name), operationTimeoutMs, clock, () => new MooringError('Unavailable', `observing ${name} has not come back`));
  }

  /** Every name that anything is known of. */
  #names(): Set<ContainerName> {
    const { engine, desired, facts } = this.#options;
    return new Set([...desired.list().map(({ name }) => name), ...engine.list().map(({ name }) => name), ...facts.names(), ...this.#roster.names()]);
  }

  #isSettled(): boolean {
    return this.#queue.idle && this.#roster.settled;
  }

  #checkSettled(): void {
    if (!this.#isSettled()) return;
    for (const resolve of this.#settledWaiters) resolve();
  }

  #scheduleResync(): void {
    const { clock, logger, random, resyncIntervalMs } = this.#options;
    this.#resyncTimer = clock.setTimeout(
      () => {
        this.#scheduleResync();
        this.resync().catch((error: unknown) => logger.error({ err: error }, 'the resync failed'));
      },
      resyncIntervalMs * (0.9 + 0.2 * random()),
    );
  }
}
