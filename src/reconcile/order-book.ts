import type { ContainerSpec } from '../spec/container.ts';
import { containerName, type ContainerName } from '../spec/name.ts';
import type { Checkup } from './checkup.ts';
import type { DesiredContainer } from './desired.ts';
import type { Dossier } from './dossier.ts';
import { type Milestones, milestonesOf } from './milestones.ts';
import { dependencySituation, type OrderSituation } from './order.ts';
import { StopOrder } from './stop-order.ts';
import type { ContainerView } from './view.ts';

export interface OrderBookRooms {
  readonly desired: (name: ContainerName) => DesiredContainer | undefined;
  readonly view: (name: ContainerName) => ContainerView | undefined;
  /** What is held of a container in memory; undefined of one that nothing is known of. */
  readonly dossier: (name: ContainerName) => Dossier | undefined;
  readonly checkup: (name: ContainerName) => Checkup | undefined;
  readonly now: () => number;
}

/** How the containers of the node stand to each other: who waits for whom to start, and to stop. */
export class OrderBook {
  readonly stops: StopOrder;
  readonly #rooms: OrderBookRooms;

  constructor(rooms: OrderBookRooms) {
    this.#rooms = rooms;
    this.stops = new StopOrder({
      // One that has not been looked at may run.
      isGoing: (name) => this.isToGo(name) && rooms.dossier(name) !== undefined && (rooms.dossier(name)?.situation === undefined || rooms.view(name)?.status.pid !== undefined),
      isStuck: (name) => (rooms.dossier(name)?.facts.stop?.kills ?? 0) > 1,
      graceOf: (name) => rooms.dossier(name)?.facts.stopBy?.timeoutSeconds ?? 0,
    });
  }

  /** How a container stands to those before and behind it; undefined where there are none. */
  situationOf(name: ContainerName): OrderSituation | undefined {
    const { desired, now } = this.#rooms;
    const container = desired(name)?.container;
    const hold = this.isToGo(name) ? this.stops.holdOf(name, now()) : undefined;
    const dependsOn = container !== undefined && container.spec.dependsOn.length > 0;
    if (!dependsOn && hold === undefined) return undefined;
    const rooms = { desired, milestones: (other: ContainerName) => this.milestones(desired(other)), isProbed: (other: ContainerName) => this.isProbed(other) };
    return { ...(dependsOn ? dependencySituation(container, rooms) : { awaited: [], runs: {} }), ...(hold && { hold }) };
  }

  /** How far a container has come, if it is desired just so. */
  milestones(desired: DesiredContainer | undefined): Milestones {
    return milestonesOf(desired, desired && this.#rooms.view(desired.name));
  }

  /** Whether its condition `Ready` hangs on probes or a health check, as far as that is known. */
  isProbed(name: ContainerName): boolean {
    const { healthcheck, startupProbe, readinessProbe }: Partial<ContainerSpec> = this.#rooms.desired(name)?.container.spec ?? {};
    const checkup = this.#rooms.checkup(name);
    return startupProbe !== undefined || readinessProbe !== undefined || (healthcheck !== undefined && !healthcheck.disabled) || checkup?.unready !== undefined || checkup?.health !== undefined;
  }

  /** Whether it is to run no more. */
  isToGo(name: ContainerName): boolean {
    return this.#rooms.desired(name)?.container.spec.suspend !== false;
  }

  /** Where the node reaches a container by its network; undefined where it has no address, or none yet. */
  addressOf(name: ContainerName, seen: ReadonlySet<ContainerName> = new Set()): string | undefined {
    const container = this.#rooms.desired(name)?.container;
    if (container === undefined || seen.has(name)) return undefined;
    const { metadata, spec } = container;
    if (spec.network.mode === 'Host') return '127.0.0.1';
    if (spec.network.mode !== 'Container' || spec.network.container === undefined) return this.#rooms.view(name)?.status.addresses?.[0];
    return this.addressOf(containerName({ namespace: metadata.namespace, name: spec.network.container }), new Set([...seen, name]));
  }
}
