import type { ContainerEngine, ObservedContainer } from '../engine/engine.ts';
import type { FileWatcher } from '../engine/file-watcher.ts';
import type { Clock } from '../lib/clock.ts';
import { MooringError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Container } from '../spec/container.ts';
import type { ContainerName } from '../spec/name.ts';
import { account, withoutRun } from './account.ts';
import { configChange } from './config-change.ts';
import { withDeadline } from './deadline.ts';
import { imageSituation, withImageDrift } from './image-situation.ts';
import { imageRequest, type ImageRequest, type ImageSource } from './image-source.ts';
import type { Unwell } from './checkup.ts';
import type { DesiredContainer } from './desired.ts';
import type { Dossier } from './dossier.ts';
import type { EventLog } from './events.ts';
import { noFacts, type Facts, type FactsStore } from './facts.ts';
import { watchesFiles, withFileDrift } from './file-drift.ts';
import type { TakenConfig } from './given-config.ts';
import type { MachineEffects } from './machine.ts';
import { isUnmet, type UnmetNeed } from './needs.ts';
import type { ReconcileObserver } from './observer.ts';
import { type OrderSituation, WAITING_FOR_DEPENDENCY, withRunsOfStart } from './order.ts';
import type { RunEnd } from './reconciler-face.ts';
import type { Situation } from './situation.ts';
import { tellHappening } from './tell-happening.ts';
import { objectionTo, plan, type Step } from './plan.ts';
import { Semaphore } from '../lib/semaphore.ts';
import { afterKill, afterSignal } from './stop.ts';
import { describeSpan, instant } from './words.ts';

export interface EffectsOptions {
  readonly engine: ContainerEngine;
  readonly images: ImageSource;
  readonly files: FileWatcher;
  readonly facts: FactsStore;
  readonly events: EventLog;
  readonly observer: ReconcileObserver;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Starts in flight at once. */
  readonly startConcurrency: number;
  /** An engine operation that takes longer counts as failed for now; milliseconds. */
  readonly operationTimeoutMs: number;
  readonly dossierOf: (name: ContainerName) => Dossier;
  readonly desiredOf: (name: ContainerName) => DesiredContainer | undefined;
  /** What the registry was last heard to keep under the tag of a followed image. */
  readonly latestOf: (name: ContainerName) => string | undefined;
  readonly enqueue: (name: ContainerName) => void;
  /** What the container stands on, and is not there now. */
  readonly unmetOf: (container: Container) => readonly UnmetNeed[];
  /** How a container stands to those before and behind it; undefined where there are none. */
  readonly orderOf: (name: ContainerName) => OrderSituation | undefined;
  /** Why the very run that was observed is to end, by its probes. */
  readonly unwellOf: (name: ContainerName, observed: ObservedContainer | undefined) => Unwell | undefined;
  /** What it is given of ConfigMaps and Secrets. */
  readonly configOf: (container: Container) => TakenConfig;
  /** A container is wanted no more, and gone. */
  readonly forget: (name: ContainerName) => Promise<void>;
  /** A container is to be desired no more. */
  readonly release: (desired: DesiredContainer) => void;
  /** How far an operation is changed, as its container's dossier says. */
  readonly onProgress: (name: ContainerName) => void;
  readonly onLook: (name: ContainerName, situation: Situation, step: Step) => void;
  readonly onFailure: (name: ContainerName, kind: Step['kind'], error: unknown) => void;
  readonly onExit: (end: RunEnd) => void;
  /** An operation that had overrun its deadline came back. */
  readonly onLateEnd: (name: ContainerName) => void;
}

/** Steps remembered of each container, for the record of drift. */
const ACTED_KEPT = 8;
/** Images fetched at once; more would only share the line. */
const PULL_CONCURRENCY = 3;

/** What the machines do to the world: over the engine, with the facts kept and everything worth telling told. */
export class Effects implements MachineEffects {
  readonly clock: Clock;
  readonly enqueue: (name: ContainerName) => void;
  readonly #options: EffectsOptions;
  readonly #starts: Semaphore;
  readonly #pulls = new Semaphore(PULL_CONCURRENCY);
  readonly #inFlight = new Set<Promise<unknown>>();

  constructor(options: EffectsOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.enqueue = options.enqueue;
    this.#starts = new Semaphore(options.startConcurrency);
  }

  async look(name: ContainerName, signal: AbortSignal): Promise<Step> {
    const { engine, images, files, facts: store, desiredOf, dossierOf, forget } = this.#options;
    const found = await this.#bounded(name, 'observe', engine.observe(name));
    signal.throwIfAborted();
    const dossier = dossierOf(name);
    const image = await imageSituation(images, desiredOf(name), found, { fetched: dossier.fetched, latest: this.#options.latestOf(name), isRenewed: this.#isRenewed(name, found) });
    if (!watchesFiles(desiredOf(name))) files.release(name);
    const observed = withImageDrift(await this.#bounded(name, 'look at the files', withFileDrift(found, desiredOf(name), files)), image);
    if (image === undefined) delete dossier.fetched;
    signal.throwIfAborted();
    // Read after the observation, so that the newest wish is judged.
    const desired = desiredOf(name);
    const now = this.clock.now();
    const config = desired && this.#options.configOf(desired.container).given?.digests;
    const order = this.#options.orderOf(name);
    const { facts, happenings } = account({ desired, observed, config, facts: dossier.facts, acted: dossier.acted ?? [], now, ...(order && { order }) });
    this.#remember(dossier, facts);
    const unmet = desired === undefined ? [] : this.#options.unmetOf(desired.container);
    const unwell = this.#options.unwellOf(name, observed);
    const situation = { desired, observed, facts, now, image, unmet, config, ...(order && { order }), ...(unwell && { unwell }) };
    dossier.situation = situation;
    for (const happening of happenings) {
      tellHappening(name, happening, this.#options);
      if (happening.kind === 'Exited' && observed !== undefined) this.#options.onExit({ name, id: observed.id, exit: happening.exit });
    }
    this.#noteRunning(dossier, observed, desired);
    const step = plan(situation);
    this.#tellWait(dossier, step);
    this.#options.onLook(name, situation, step);
    if (step.kind === 'Forget') {
      dossier.facts = noFacts;
      await this.#bounded(name, 'forget', forget(name));
      // Somebody may want one of that name again by now.
      if (desiredOf(name) !== undefined) return this.look(name, signal);
      store.delete(name);
    }
    return step;
  }

  /** Keeps facts of a container that nobody looked for. */
  remember(name: ContainerName, facts: Facts): void {
    this.#remember(this.#options.dossierOf(name), facts);
  }

  /** Settles once no engine operation that was begun is in flight any more. */
  async drained(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
  }

  async act(name: ContainerName, step: Step, signal: AbortSignal): Promise<void> {
    try {
      await this.#carryOut(name, step, signal);
      this.#noteActed(name, step);
    } catch (error) {
      if (!signal.aborted) {
        const fix = error instanceof MooringError && error.fix !== undefined ? `; ${error.fix}` : '';
        this.#record(name, 'Warning', 'Failed', `${step.kind} failed: ${messageOf(error)}${fix}`);
        this.#options.onFailure(name, step.kind, error);
      }
      throw error;
    }
  }

  async #carryOut(name: ContainerName, step: Step, signal: AbortSignal): Promise<void> {
    const { engine, dossierOf } = this.#options;
    const dossier = dossierOf(name);
    if (step.kind === 'PullImage') {
      const desired = dossier.situation?.desired;
      if (desired === undefined) throw new MooringError('Internal', `a pull for ${name} was planned without a desired state`);
      await this.#pull(dossier, imageRequest(desired.container), signal);
      return;
    }
    if (step.kind === 'BuildImage') {
      const desired = dossier.situation?.desired;
      if (desired === undefined) throw new MooringError('Internal', `a build for ${name} was planned without a desired state`);
      await this.#build(dossier, desired, signal);
      return;
    }
    if (step.kind === 'Create') {
      const desired = dossier.situation?.desired;
      if (desired === undefined) throw new MooringError('Internal', `create of ${name} was planned without a desired state`);
      await this.#exclusive(dossier, 'create', () => engine.create(desired.container, desired.specHash, this.#options.configOf(desired.container).given));
      signal.throwIfAborted();
      this.#record(name, 'Normal', 'Created', `created from image ${desired.container.spec.image}`);
      return;
    }
    const observed = dossier.situation?.observed;
    if (observed === undefined) throw new MooringError('Internal', `${step.kind} of ${name} was planned without a container`);
    const { id } = observed;
    switch (step.kind) {
      case 'Start':
        this.#remember(dossier, withRunsOfStart(dossier.facts, dossier.situation?.order));
        await this.#start(dossier, observed, signal);
        signal.throwIfAborted();
        this.#record(name, 'Normal', 'Started', `started: ${step.message}`);
        return;
      case 'Signal': {
        const requestedAt = this.clock.now();
        this.#record(name, 'Normal', 'Stopping', `sends ${step.signal}: ${step.message}`);
        try {
          await this.#bounded(name, 'signal', engine.signal(id, step.signal));
        } finally {
          // Also after a failure, so that a signal that can't be sent doesn't keep the kill from falling due.
          if (!signal.aborted) this.#remember(dossier, afterSignal(dossier.facts, observed, step.cause, requestedAt, step.graceSeconds));
        }
        return;
      }
      case 'Kill': {
        const killedAt = this.clock.now();
        this.#record(name, 'Warning', 'Killing', `sends SIGKILL: ${step.message}`);
        try {
          await this.#bounded(name, 'kill', engine.kill(id));
        } finally {
          if (!signal.aborted) this.#remember(dossier, afterKill(dossier.facts, observed, step.cause, killedAt));
        }
        return;
      }
      case 'Pause':
      case 'Resume':
        await this.#exclusive(dossier, step.kind.toLowerCase(), () => (step.kind === 'Pause' ? engine.pause(id) : engine.resume(id)));
        signal.throwIfAborted();
        this.#record(name, 'Normal', `${step.kind}d`, step.message);
        return;
      case 'RestoreLimits':
        await this.#exclusive(dossier, 'restore limits', () => engine.restoreLimits(id));
        return;
      case 'RestoreNetwork':
        await this.#exclusive(dossier, 'restore network', () => engine.restoreNetwork(id));
        return;
      case 'Update': {
        const { container, specHash } = dossier.situation?.desired ?? observed;
        await this.#exclusive(dossier, 'update', () => engine.update(id, container, specHash));
        signal.throwIfAborted();
        this.#record(name, 'Normal', step.reason, step.message);
        return;
      }
      case 'Reset': {
        await this.#exclusive(dossier, 'reset', () => engine.reset(id));
        signal.throwIfAborted();
        const { reset: _, ...facts } = dossier.facts;
        this.#remember(dossier, facts);
        this.#record(name, 'Normal', 'Reset', step.reason === 'FilesDrifted' ? step.message : 'its file changes were thrown away');
        return;
      }
      case 'Release': {
        const { desired } = dossier.situation ?? {};
        // It was judged by what was desired and asked then.
        if (desired === undefined || desired !== this.#options.desiredOf(name) || dossier.facts.runAsked !== undefined) return;
        this.#record(name, 'Normal', step.reason, step.message);
        this.#options.release(desired);
        return;
      }
      case 'Remove':
        await this.#exclusive(dossier, 'remove', () => engine.remove(id));
        signal.throwIfAborted();
        // What kept ending with other content has nothing to wait for.
        if (step.reason === 'ConfigChanged') this.#remember(dossier, withoutRun(dossier.facts));
        this.#record(name, 'Normal', 'Removed', `removed: ${step.message}`);
        return;
      case 'Settled':
      case 'Wait':
      case 'Forget':
        throw new MooringError('Internal', `${step.kind} of ${name} is not a step that acts`);
    }
  }

  async #build(dossier: Dossier, desired: DesiredContainer, signal: AbortSignal): Promise<void> {
    const { images, onProgress } = this.#options;
    const { image } = desired.container.spec;
    if (!images.builds) throw new MooringError('Unsupported', `image ${image} can't be built here`);
    const began = this.clock.now();
    const building = images.builds.build(
      desired,
      (message) => {
        dossier.progress = message;
        onProgress(dossier.name);
      },
      signal,
    );
    this.#inFlight.add(building);
    try {
      await building;
    } finally {
      this.#inFlight.delete(building);
      delete dossier.progress;
    }
    signal.throwIfAborted();
    this.#record(dossier.name, 'Normal', 'Built', `built image ${image} in ${describeSpan(this.clock.now() - began)}`);
  }

  async #pull(dossier: Dossier, request: ImageRequest, signal: AbortSignal): Promise<void> {
    const { images, onProgress } = this.#options;
    const { image } = request;
    const release = await this.#pulls.acquire();
    try {
      signal.throwIfAborted();
      this.#record(dossier.name, 'Normal', 'Pulling', `fetches image ${image}`);
      const began = this.clock.now();
      const pulling = images.pull(
        request,
        (message) => {
          dossier.progress = message;
          onProgress(dossier.name);
        },
        signal,
      );
      this.#inFlight.add(pulling);
      try {
        await pulling;
      } finally {
        this.#inFlight.delete(pulling);
        delete dossier.progress;
      }
      signal.throwIfAborted();
      dossier.fetched = image;
      this.#record(dossier.name, 'Normal', 'Pulled', `fetched image ${image} in ${describeSpan(this.clock.now() - began)}`);
    } finally {
      release();
    }
  }

  async #start(dossier: Dossier, { id, container }: ObservedContainer, signal: AbortSignal): Promise<void> {
    const release = await this.#starts.acquire();
    try {
      signal.throwIfAborted();
      await this.#exclusive(dossier, 'start', () => this.#options.engine.start(id, this.#options.configOf(container).given));
    } finally {
      release();
    }
  }

  /**
   * An operation that must not run beside itself or another of its container. One that overran its deadline is left to end;
   * until it does, each further one is refused, while reading and killing go on.
   */
  async #exclusive<T>(dossier: Dossier, what: string, begin: () => Promise<T>): Promise<T> {
    const { unfinished, name } = dossier;
    if (unfinished !== undefined) {
      throw new MooringError('Unavailable', `${what} of ${name} waits for its ${unfinished.what}, which has been under way since ${instant(unfinished.since)}`);
    }
    const operation = begin();
    const mine = { what, since: this.clock.now() };
    dossier.unfinished = mine;
    let late = false;
    const ended = (): void => {
      delete dossier.unfinished;
      if (late) this.#options.onLateEnd(name);
    };
    operation.then(ended, ended);
    return this.#bounded(name, what, operation, () => {
      late = true;
    });
  }

  #bounded<T>(name: ContainerName, what: string, work: Promise<T>, onLate?: () => void): Promise<T> {
    const { operationTimeoutMs } = this.#options;
    this.#inFlight.add(work);
    const ended = (): void => void this.#inFlight.delete(work);
    work.then(ended, ended);
    return withDeadline(work, operationTimeoutMs, this.clock, () => {
      onLate?.();
      return new MooringError('Unavailable', `${what} of ${name} has not come back in ${describeSpan(operationTimeoutMs)}`);
    });
  }

  #remember(dossier: Dossier, facts: Facts): void {
    if (facts === dossier.facts && dossier.unsaved !== true) return;
    dossier.facts = facts;
    try {
      this.#options.facts.set(dossier.name, facts);
      delete dossier.unsaved;
    } catch (error) {
      // A full disk must not keep containers from being looked after; the next look tries to save again.
      dossier.unsaved = true;
      this.#options.logger.error({ err: error, name: dossier.name }, 'the facts of a container could not be saved');
    }
  }

  /** Whether its successor is to be made though its spec is the same. */
  #isRenewed(name: ContainerName, observed: ObservedContainer | undefined): boolean {
    const desired = this.#options.desiredOf(name);
    return desired !== undefined && configChange({ observed, config: this.#options.configOf(desired.container).given?.digests }) !== undefined;
  }

  #noteRunning(dossier: Dossier, observed: ObservedContainer | undefined, desired: DesiredContainer | undefined): void {
    if (dossier.wantedSince === undefined || observed?.process.state !== 'Running' || objectionTo(desired, observed) !== undefined) return;
    this.#options.observer.desiredToRunning((this.clock.now() - dossier.wantedSince) / 1000);
    delete dossier.wantedSince;
  }

  #noteActed(name: ContainerName, { kind }: Step): void {
    const dossier = this.#options.dossierOf(name);
    dossier.acted = [...(dossier.acted ?? []).slice(1 - ACTED_KEPT), { kind, at: this.clock.now() }];
  }

  /** Tells once what a container waits for that is not on its way, or is another one. */
  #tellWait(dossier: Dossier, { kind, reason, message }: Step): void {
    const isLost = kind === 'Settled' && isUnmet(reason);
    if (!isLost && reason !== WAITING_FOR_DEPENDENCY) delete dossier.waitsFor;
    else if (dossier.waitsFor !== message) {
      dossier.waitsFor = message;
      this.#record(dossier.name, isLost ? 'Warning' : 'Normal', reason, message);
    }
  }

  #record(name: ContainerName, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#options.events.record({ type, reason, message, name });
  }
}
