import type { NetworkEngine, NetworkState } from '../../src/engine/networks.ts';
import type { VolumeEngine, VolumeState } from '../../src/engine/volumes.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { MooringError } from '../../src/lib/errors.ts';
import { networkChanged, volumeChanged } from '../../src/spec/hash.ts';
import type { ContainerName, NetworkName, VolumeName } from '../../src/spec/name.ts';
import type { Network } from '../../src/spec/network.ts';
import { resourceName } from '../../src/spec/resource.ts';
import type { Volume } from '../../src/spec/volume.ts';

/** Which containers of the simulated node have something of that name. */
export type UsersOf = (name: string) => readonly ContainerName[];

/** Networks in simulated time. They outlive the daemon. */
export class SimulatedNetworks implements NetworkEngine {
  readonly there = new Map<NetworkName, Network>();
  readonly calls: string[] = [];
  takes = 0;
  fault: MooringError | undefined;
  readonly #clock: Clock;
  readonly #usersOf: UsersOf;
  readonly #listeners = new Set<(name: NetworkName) => void>();

  constructor(clock: Clock, usersOf: UsersOf) {
    this.#clock = clock;
    this.#usersOf = usersOf;
  }

  async ensure(network: Network): Promise<void> {
    const name = resourceName(network);
    this.calls.push(`ensure ${name}`);
    await pass(this.#clock, this.takes);
    if (this.fault) throw this.fault;
    const before = this.there.get(name);
    if (before && networkChanged(before, network).length > 0) throw new MooringError('Conflict', `network ${name} can't be changed`);
    this.there.set(name, network);
  }

  usual(): Promise<never> {
    return Promise.reject(new MooringError('Unsupported', 'no network is simulated but those that were declared'));
  }

  list(): readonly NetworkName[] {
    return [...this.there.keys()];
  }

  inspect(name: NetworkName): Promise<NetworkState | undefined> {
    const network = this.there.get(name);
    return Promise.resolve(network && { name, network, subnets: [], gateways: [], link: undefined, containers: [], faults: [], createdAt: 0 });
  }

  vacate(): void {}

  async remove(name: NetworkName): Promise<void> {
    this.calls.push(`remove ${name}`);
    await pass(this.#clock, this.takes);
    const users = this.#usersOf(name);
    if (users.length > 0) throw new MooringError('Conflict', `network ${name} is used by ${users.join(', ')}`);
    this.there.delete(name);
  }

  subscribe(listener: (name: NetworkName) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** Volumes likewise. */
export class SimulatedVolumes implements VolumeEngine {
  readonly there = new Map<VolumeName, { readonly volume: Volume; readonly released: boolean }>();
  readonly forgotten: ContainerName[] = [];
  readonly #usersOf: UsersOf;

  constructor(usersOf: UsersOf) {
    this.#usersOf = usersOf;
  }

  ensure(volume: Volume): Promise<readonly string[]> {
    const name = resourceName(volume);
    const before = this.there.get(name);
    if (before && volumeChanged(before.volume, volume).length > 0) return Promise.reject(new MooringError('Conflict', `volume ${name} can't be changed`));
    this.there.set(name, { volume, released: false });
    return Promise.resolve([]);
  }

  list(): readonly VolumeName[] {
    return [...this.there.keys()];
  }

  inspect(name: VolumeName): Promise<VolumeState | undefined> {
    const found = this.there.get(name);
    return Promise.resolve(found && { name, ...found, path: '/v', createdAt: 0, containers: this.#usersOf(name), owner: undefined, faults: [] });
  }

  usage(): Promise<number> {
    return Promise.resolve(0);
  }

  remove(name: VolumeName, policy: 'Retain' | 'Delete'): Promise<void> {
    const found = this.there.get(name);
    const users = this.#usersOf(name);
    if (users.length > 0) return Promise.reject(new MooringError('Conflict', `volume ${name} is used by ${users.join(', ')}`));
    if (found && policy === 'Retain') this.there.set(name, { ...found, released: true });
    else this.there.delete(name);
    return Promise.resolve();
  }

  removeOwned(container: ContainerName): Promise<void> {
    this.forgotten.push(container);
    return Promise.resolve();
  }

  subscribe(): () => void {
    return () => {};
  }
}

function pass(clock: Clock, milliseconds: number): Promise<void> {
  return milliseconds === 0 ? Promise.resolve() : new Promise((resolve) => clock.setTimeout(resolve, milliseconds));
}
