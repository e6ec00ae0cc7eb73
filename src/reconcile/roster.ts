import { createActor } from 'xstate';
import type { Clock } from '../lib/clock.ts';
import { MooringError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { ContainerName } from '../spec/name.ts';
import type { Checkup } from './checkup.ts';
import type { DesiredContainer } from './desired.ts';
import type { Dossier } from './dossier.ts';
import { noFacts, type FactsStore } from './facts.ts';
import type { ContainerActor, ContainerMachine, ContainerSnapshot, MachineState } from './machine.ts';
import type { ReconcileResult } from './observer.ts';
import { viewOf, type ContainerView } from './view.ts';

export interface RosterOptions {
  readonly machine: ContainerMachine;
  readonly facts: FactsStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly desiredOf: (name: ContainerName) => DesiredContainer | undefined;
  readonly checkupOf: (name: ContainerName) => Checkup | undefined;
  /** A container is neither desired nor there any more. */
  readonly onGone: (name: ContainerName) => void;
}

interface Entry {
  readonly dossier: Dossier;
  readonly actor: ContainerActor;
  view: ContainerView | undefined;
  /** What is desired changed since the last turn. */
  hurried: boolean;
  /** Ends the turn in progress. */
  rested: ((result: ReconcileResult) => void) | undefined;
}

/** How a turn ended, by the state in which the actor rests. */
const results: Partial<Record<MachineState, ReconcileResult>> = { settled: 'success', gone: 'success', pulling: 'requeue_after', waiting: 'requeue_after', failed: 'error' };

/** The actors, one a container, each with its dossier and its view. */
export class Roster {
  readonly #options: RosterOptions;
  readonly #entries = new Map<ContainerName, Entry>();
  readonly #unsettled = new Set<ContainerName>();
  readonly #listeners = new Set<(name: ContainerName) => void>();

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Whether every actor rests in `settled`. */
  get settled(): boolean {
    return this.#unsettled.size === 0;
  }

  names(): ContainerName[] {
    return [...this.#entries.keys()];
  }

  views(): ContainerView[] {
    return [...this.#entries.values()].flatMap(({ view }) => view ?? []);
  }

  view(name: ContainerName): ContainerView | undefined {
    return this.#entries.get(name)?.view;
  }

  find(name: ContainerName): Dossier | undefined {
    return this.#entries.get(name)?.dossier;
  }

  dossier(name: ContainerName): Dossier {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new MooringError('Internal', `there is no actor for container ${name}`);
    return entry.dossier;
  }

  state(name: ContainerName): MachineState | undefined {
    return this.#entries.get(name)?.actor.getSnapshot().value;
  }

  /** Makes the container's actor where there is none. It does nothing until its first turn. */
  ensure(name: ContainerName): Dossier {
    return this.#ensure(name).dossier;
  }

  /** What is desired of the container changed, or what blocked it went away: its next turn forgets earlier failures. */
  hurry(name: ContainerName): void {
    const entry = this.#ensure(name);
    entry.hurried = true;
    this.#refresh(entry);
  }

  /** Something that is told of the container changed, though its actor did not move. */
  refresh(name: ContainerName): void {
    const entry = this.#entries.get(name);
    if (entry) this.#refresh(entry);
  }

  /** Lets the actor look, plan and act until it rests again. Never two turns of one container at a time. */
  turn(name: ContainerName): Promise<ReconcileResult> {
    const entry = this.#ensure(name);
    const { promise, resolve } = Promise.withResolvers<ReconcileResult>();
    entry.rested = resolve;
    const type = entry.hurried ? 'DESIRED_CHANGED' : 'LOOK';
    entry.hurried = false;
    entry.actor.send({ type });
    return promise;
  }

  subscribe(listener: (name: ContainerName) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stops every actor, which ends their timers, and the turns in progress. */
  stop(): void {
    for (const { actor, rested } of this.#entries.values()) {
      actor.stop();
      rested?.('requeue_after');
    }
  }

  #ensure(name: ContainerName): Entry {
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    const { machine, facts, clock, logger } = this.#options;
    const actor = createActor(machine, { input: { name }, clock });
    const entry: Entry = { dossier: { name, facts: facts.get(name) ?? noFacts }, actor, view: undefined, hurried: false, rested: undefined };
    actor.subscribe({
      next: (snapshot) => this.#moved(entry, snapshot),
      error: (error) => {
        // A bug in the machine must cost this container alone, and that until the next resync makes it a new actor.
        logger.error({ err: error, name }, 'the actor of a container failed');
        this.#drop(entry, 'error');
      },
    });
    this.#entries.set(name, entry);
    this.#unsettled.add(name);
    actor.start();
    this.#refresh(entry);
    return entry;
  }

  #moved(entry: Entry, snapshot: ContainerSnapshot): void {
    const { name } = entry.dossier;
    if (snapshot.value === 'gone') {
      this.#drop(entry, 'success');
      this.#options.onGone(name);
      return;
    }
    if (snapshot.value === 'settled') this.#unsettled.delete(name);
    else this.#unsettled.add(name);
    // Nothing is known better yet.
    if (snapshot.value !== 'observing') this.#refresh(entry);
    const result = results[snapshot.value];
    if (result !== undefined) this.#rest(entry, result);
  }

  #rest(entry: Entry, result: ReconcileResult): void {
    const { rested } = entry;
    entry.rested = undefined;
    rested?.(result);
  }

  #drop(entry: Entry, result: ReconcileResult): void {
    const { name } = entry.dossier;
    this.#entries.delete(name);
    this.#unsettled.delete(name);
    this.#notify(name);
    this.#rest(entry, result);
  }

  #refresh(entry: Entry): void {
    const { dossier, actor, view: previous } = entry;
    const { step, failure } = actor.getSnapshot().context;
    const { desiredOf, checkupOf, clock } = this.#options;
    const view = viewOf(dossier.name, desiredOf(dossier.name), { situation: dossier.situation, step, failure, progress: dossier.progress, checkup: checkupOf(dossier.name), now: clock.now() }, previous);
    if (view === previous) return;
    entry.view = view;
    this.#notify(dossier.name);
  }

  #notify(name: ContainerName): void {
    for (const listener of this.#listeners) {
      try {
        listener(name);
      } catch (error) {
        this.#options.logger.error({ err: error, name }, 'a listener of the views failed');
      }
    }
  }
}
