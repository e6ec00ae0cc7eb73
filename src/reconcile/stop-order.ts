import type { Container } from '../spec/container.ts';
import type { ContainerName } from '../spec/name.ts';
import { Dependents } from './dependents.ts';
import type { Hold } from './order.ts';
import { longestStop, precedingOf } from '../spec/order-graph.ts';

export interface StopOrderRooms {
  /** Whether a container runs, and is to go. */
  readonly isGoing: (name: ContainerName) => boolean;
  /** Whether it was killed, and did not end of it: then nobody waits for it. */
  readonly isStuck: (name: ContainerName) => boolean;
  /** Seconds that it is given to end. */
  readonly graceOf: (name: ContainerName) => number;
}

/** Beyond the grace of the last one before it, what removing containers may take. Seconds. */
const MARGIN = 10;

/** Who comes before whom, also of containers that nobody wants any more: what goes, goes in reverse. */
export class StopOrder {
  readonly #rooms: StopOrderRooms;
  readonly #preceding = new Map<ContainerName, readonly ContainerName[]>();
  readonly #dependents = new Dependents();
  readonly #heldSince = new Map<ContainerName, number>();

  constructor(rooms: StopOrderRooms) {
    this.#rooms = rooms;
  }

  /** Takes up a container as it is desired. */
  follow(name: ContainerName, container: Container): void {
    const preceding = precedingOf(container);
    if (preceding.length > 0) this.#preceding.set(name, preceding);
    else this.#preceding.delete(name);
    this.#dependents.set(name, preceding.map((before) => ({ kind: 'Container', name: before })));
  }

  /** Takes up one that is there though nobody wants it, unless it was desired before. */
  found(name: ContainerName, container: Container): void {
    if (!this.#preceding.has(name)) this.follow(name, container);
  }

  /** It is neither desired nor there any more. */
  forget(name: ContainerName): void {
    this.#preceding.delete(name);
    this.#heldSince.delete(name);
    this.#dependents.set(name, []);
  }

  /** The containers that are stopped after this one. */
  before(name: ContainerName): readonly ContainerName[] {
    return this.#preceding.get(name) ?? [];
  }

  /** What a container that is to go waits for at `now`; undefined where it need not. */
  holdOf(name: ContainerName, now: number): Hold | undefined {
    const { isGoing, isStuck, graceOf } = this.#rooms;
    const after = (before: ContainerName): readonly ContainerName[] => this.#dependents.of({ kind: 'Container', name: before }).filter((each) => isGoing(each) && !isStuck(each));
    const names = after(name);
    if (names.length === 0) {
      this.#heldSince.delete(name);
      return undefined;
    }
    const since = this.#heldSince.get(name) ?? now;
    this.#heldSince.set(name, since);
    const all = new Set(names);
    for (const each of all) for (const later of after(each)) all.add(later);
    return { names, until: since + longestStop(all, after, (each) => graceOf(each) + MARGIN) * 1000 };
  }
}
