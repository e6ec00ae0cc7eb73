import type { ContainerId, ObservedContainer } from '../engine/engine.ts';
import type { Clock } from '../lib/clock.ts';
import { MooringError } from '../lib/errors.ts';
import type { ContainerName } from '../spec/name.ts';
import { canonicalSignal } from '../spec/signal.ts';
import { withoutRun } from './account.ts';
import { hasBegun, stopAskedOf } from './asked.ts';
import type { DesiredContainer } from './desired.ts';
import type { Dossier } from './dossier.ts';
import type { Facts, FactsStore } from './facts.ts';
import { MANY_FAILURES } from './machine.ts';
import { isUnmet } from './needs.ts';
import type { Step } from './plan.ts';
import type { Situation } from './situation.ts';
import { FOR_EVER } from './stop.ts';

/** What is to be otherwise than the spec says for one stop. */
export interface StopOptions {
  /** Seconds until SIGKILL; -1 for as long as it takes. */
  readonly graceSeconds?: number;
  readonly signal?: string;
}

export interface VerbsOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly facts: Pick<FactsStore, 'set'>;
  readonly desiredOf: (name: ContainerName) => DesiredContainer | undefined;
  /** Of a container that is desired or there. */
  readonly dossierOf: (name: ContainerName) => Dossier;
  readonly observe: (name: ContainerName) => Promise<ObservedContainer | undefined>;
  /** Has it looked at soon. */
  readonly hurry: (name: ContainerName) => void;
}

/** Hears of each look at a container and of each step that failed, until it is content. Both throw to give up. */
interface Waiter {
  readonly looked: (situation: Situation, step: Step) => void;
  readonly failed: (kind: Step['kind'], error: unknown) => void;
  readonly giveUp: (error: unknown) => void;
}

/** What is asked of single containers beyond what is desired of them: kept as facts, which the plan goes by, and waited for here. */
export class Verbs {
  readonly #options: VerbsOptions;
  readonly #waiters = new Map<ContainerName, Set<Waiter>>();
  #closed = false;

  constructor(options: VerbsOptions) {
    this.#options = options;
  }

  make(name: ContainerName, signal: AbortSignal): Promise<ContainerId> {
    this.#desired(name);
    this.#ask(name, (facts) => ({ ...withoutRun(facts), made: true }));
    return this.#until(name, signal, {
      content: ({ observed, facts }) => (facts.made === undefined ? observed?.id : undefined),
      needs: ['PullImage', 'BuildImage', 'Create'],
      withdraw: ({ made: _made, ...facts }) => facts,
    });
  }

  async run(name: ContainerName, signal: AbortSignal, begin?: () => void): Promise<void> {
    const observed = await this.#observe(name, signal);
    if (begin === undefined) this.#runnable(name);
    if (observed?.process.state === 'Running') return begin?.();
    const runAsked = observed?.process.state === 'Exited' ? { endedAt: observed.process.exit.finishedAt } : {};
    this.#ask(name, (facts) => ({ ...withoutRun(facts), restartCount: 0, runAsked }));
    begin?.();
    await this.#until(name, signal, {
      content: ({ observed: found }) => {
        if (found !== undefined && hasBegun(found, runAsked)) return true;
        this.#runnable(name);
        return undefined;
      },
      needs: ['PullImage', 'BuildImage', 'Create', 'Start'],
      withdraw: ({ runAsked: _runAsked, ...facts }) => facts,
    });
  }

  async stop(name: ContainerName, { graceSeconds, signal }: StopOptions, abort: AbortSignal, begin?: () => void): Promise<boolean> {
    if (graceSeconds !== undefined && !(Number.isInteger(graceSeconds) && graceSeconds >= -1)) {
      throw new MooringError('Invalid', `${graceSeconds} is no grace for a stop`, { fix: 'give whole seconds, or -1 for as long as it takes' });
    }
    const otherwise = {
      ...(graceSeconds !== undefined && { graceSeconds: graceSeconds === -1 ? FOR_EVER : Math.min(graceSeconds, FOR_EVER) }),
      ...(signal !== undefined && { signal: canonicalSignal(signal) }),
    };
    const observed = await this.#observe(name, abort);
    if (observed === undefined && this.#options.desiredOf(name) === undefined) throw new MooringError('NotFound', `there is no container ${name}`);
    if (observed?.process.state !== 'Running') {
      begin?.();
      return false;
    }
    const { id, process } = observed;
    const askedAt = this.#options.clock.now();
    this.#ask(name, (facts) => {
      const before = stopAskedOf(observed, facts);
      // Who says nothing of the grace takes nothing from the one who did.
      const since = graceSeconds === undefined && before !== undefined ? before : { id, init: process.init, askedAt };
      return { ...facts, stopAsked: { ...(before?.signal !== undefined && { signal: before.signal }), ...since, ...otherwise } };
    });
    begin?.();
    await this.#until(name, abort, { content: ({ observed: found, facts }) => (found?.id !== id || facts.stopAsked?.init.startTime !== process.init.startTime ? true : undefined) });
    return true;
  }

  async reset(name: ContainerName, signal: AbortSignal): Promise<void> {
    const observed = await this.#options.observe(name);
    if (observed === undefined) throw new MooringError('NotFound', `there is no container ${name}`, { fix: `see "mooring explain ${name}"` });
    const { id } = observed;
    this.#ask(name, (facts) => ({ ...facts, reset: { id } }));
    await this.#until(name, signal, { content: ({ observed: found, facts }) => (found?.id !== id || facts.reset?.id !== id ? true : undefined) });
  }

  /** A container was looked at, and `step` planned. */
  looked(name: ContainerName, situation: Situation, step: Step): void {
    this.#tell(name, (waiter) => waiter.looked(situation, step));
  }

  /** A step could not be carried out. */
  failed(name: ContainerName, kind: Step['kind'], error: unknown): void {
    this.#tell(name, (waiter) => waiter.failed(kind, error));
  }

  /** Ends every waiting, and takes no wish any more. */
  close(): void {
    this.#closed = true;
    const error = new MooringError('Unavailable', 'the daemon stops; what was asked for is kept, and done once it runs again');
    for (const waiter of [...this.#waiters.values()].flatMap((waiters) => [...waiters])) waiter.giveUp(error);
  }

  /** What is there, once it is neither being started nor just ending. */
  async #observe(name: ContainerName, signal: AbortSignal): Promise<ObservedContainer | undefined> {
    const observed = await this.#options.observe(name);
    if (observed?.process.state !== 'Creating') return observed;
    const rested = this.#until(name, signal, { content: ({ observed: found }) => (found?.process.state === 'Creating' ? undefined : { found }) });
    return (await rested).found;
  }

  #desired(name: ContainerName): DesiredContainer {
    const desired = this.#options.desiredOf(name);
    if (desired === undefined) throw new MooringError('NotFound', `container ${name} is not desired by any source`);
    return desired;
  }

  #runnable(name: ContainerName): void {
    if (this.#desired(name).container.spec.suspend) throw new MooringError('Conflict', `container ${name} is suspended`, { fix: 'set spec.suspend to false first' });
  }

  #ask(name: ContainerName, change: (facts: Facts) => Facts): void {
    // The next daemon may keep the facts already.
    if (this.#closed) throw new MooringError('Unavailable', 'the daemon stops');
    const dossier = this.#options.dossierOf(name);
    const facts = change(dossier.facts);
    this.#options.facts.set(name, facts);
    dossier.facts = facts;
  }

  #withdraw(name: ContainerName, change: (facts: Facts) => Facts): void {
    const dossier = this.#options.dossierOf(name);
    dossier.facts = change(dossier.facts);
    try {
      this.#options.facts.set(name, dossier.facts);
    } catch {
      dossier.unsaved = true; // the next look saves them, and tells where it can't
    }
  }

  /** Settles with what makes `content` content. With `needs`, it gives up when such a step fails, or can't come, and takes the wish back. */
  async #until<T>(
    name: ContainerName,
    signal: AbortSignal,
    { content, needs = [], withdraw }: { readonly content: (situation: Situation) => T | undefined; readonly needs?: readonly Step['kind'][]; readonly withdraw?: (facts: Facts) => Facts },
  ): Promise<T> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let failures = 0;
    const giveUp = (error: unknown): void => {
      reject(error);
      if (withdraw) this.#withdraw(name, withdraw);
    };
    const waiter: Waiter = {
      giveUp: reject,
      looked: (situation, step) => {
        try {
          const value = content(situation);
          if (value !== undefined) resolve(value);
          else if (needs.length > 0) refuse(name, situation, step);
        } catch (error) {
          giveUp(error);
        }
      },
      failed: (kind, error) => {
        if (!needs.includes(kind)) return;
        failures += 1;
        if (isTransient(kind, error) && failures < MANY_FAILURES) return;
        giveUp(error);
      },
    };
    const onAbort = (): void => reject(signal.reason);
    const waiters = this.#waiters.get(name) ?? new Set();
    this.#waiters.set(name, waiters.add(waiter));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      this.#options.hurry(name);
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      waiters.delete(waiter);
      if (waiters.size === 0 && this.#waiters.get(name) === waiters) this.#waiters.delete(name);
    }
  }

  #tell(name: ContainerName, tell: (waiter: Waiter) => void): void {
    for (const waiter of [...(this.#waiters.get(name) ?? [])]) tell(waiter);
  }
}

/** Throws where the plan has come to rest short of what was asked. */
function refuse(name: ContainerName, { desired }: Situation, step: Step): void {
  if (desired === undefined) throw new MooringError('NotFound', `container ${name} is not desired by any source any more`);
  if (step.kind === 'Settled' && isUnmet(step.reason)) throw new MooringError(step.reason.endsWith('Missing') ? 'NotFound' : 'Conflict', `container ${name}: ${step.message}`);
}

/** Whether the next try comes soon, and may mend it. */
function isTransient(kind: Step['kind'], error: unknown): boolean {
  return error instanceof MooringError && error.code === 'Unavailable' && kind !== 'PullImage' && kind !== 'BuildImage';
}
