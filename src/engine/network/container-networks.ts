import { closeSync } from 'node:fs';
import { readdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, MooringError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Native, ProcessIdentity, Watch } from '../../native/native.ts';
import type { ChangedLink } from '../../native/network.ts';
import type { Container } from '../../spec/container.ts';
import { type ContainerName, containerName } from '../../spec/name.ts';
import type { ContainerId, Drift } from '../engine.ts';
import type { Database } from '../store/database.ts';
import { NetworkRecords } from '../store/network-records.ts';
import { connect, inspect, reconnect } from './container-link.ts';
import { DEFAULT_NETWORK, HostNetwork } from './host-network.ts';
import { writeNameFiles } from './name-files.ts';
import { holderOf } from './port-holder.ts';
import { PortIndex } from './port-index.ts';
import { clash, describePort, type PublishedPort, publishedPorts } from './published-port.ts';
import { elementsOf } from './rules.ts';
import { addressText } from '../../spec/address.ts';

export interface ContainerNetworksOptions {
  readonly native: Native;
  readonly database: Database;
  readonly instance: string;
  /** `<run-dir>/netns`. */
  readonly folder: string;
  readonly logger: Logger;
  /** The network of that container may have changed. */
  readonly hint: (id: ContainerId) => void;
}

/** What of a container the network is about. */
export interface Member {
  readonly id: ContainerId;
  readonly container: Container;
}

/** Events come in clusters. */
const SETTLE_MS = 100;

/** The networks of containers in mode `Bridge`: their addresses, their connection, their published ports. Everything else is no business of it. */
export class ContainerNetworks {
  readonly #options: ContainerNetworksOptions;
  readonly #records: NetworkRecords;
  readonly #host: HostNetwork;
  readonly #claims = new Map<ContainerId, { readonly name: ContainerName; readonly ports: readonly PublishedPort[] }>();
  readonly #ports = new PortIndex();
  #watch: Watch | undefined;
  #check: NodeJS.Timeout | undefined;
  /** Whether the check that is due is of the rules, too. */
  #checkRules = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ContainerNetworksOptions) {
    this.#options = options;
    this.#records = new NetworkRecords(options.database);
    this.#host = new HostNetwork({ native: options.native, records: this.#records, instance: options.instance, logger: options.logger });
  }

  /** Throws `Conflict`, naming who has it, where a port that the container publishes is taken. To be called before anything of it is made. */
  async check(container: Container, id?: ContainerId): Promise<void> {
    if (!isMember(container)) return;
    await this.#host.prepare();
    const name = containerName(container.metadata);
    for (const port of publishedPorts(container)) {
      this.#refuseClaimed(name, port, id);
      const holder = await holderOf(port);
      if (holder !== undefined) throw new MooringError('Conflict', `container ${name}: port ${describePort(port)} of the node is in use by ${holder}`, { fix: 'end that process, or publish another hostPort' });
    }
  }

  /** Gives a container its address, in the transaction that makes its record; `claim` follows when that is through. */
  reserve({ id, container }: Member): void {
    if (!isMember(container)) return;
    const name = containerName(container.metadata);
    for (const port of publishedPorts(container)) this.#refuseClaimed(name, port, id);
    this.#records.take(DEFAULT_NETWORK, id, this.#host.hosts, Date.now());
  }

  /** Knows the ports of a container that is on record. */
  claim({ id, container }: Member): void {
    if (isMember(container)) this.#claims.set(id, { name: containerName(container.metadata), ports: publishedPorts(container) });
  }

  /** The container's addresses, IPv4 first; empty for one that is no member. */
  addresses(id: ContainerId): string[] {
    const host = this.#claims.has(id) ? this.#records.lease(id) : undefined;
    if (host === undefined) return [];
    const { v4, v6 } = this.#host.addressesAt(host);
    return [addressText(v4), ...(v6 ? [addressText(v6)] : [])];
  }

  /** Where a container's network namespace is found while it is started; undefined where that is the runtime's to make. */
  namespacePath({ id, container }: Member): string | undefined {
    return isMember(container) ? path.join(this.#options.folder, id) : undefined;
  }

  /**
   * Makes the network that a container is about to be started in. Only the process that is started keeps the namespace once what this gives back is
   * disposed of; should this daemon be killed before, everything in it goes with its descriptor.
   */
  async connect({ id, container }: Member, bundle: string, hostname: string): Promise<AsyncDisposable | undefined> {
    if (!isMember(container)) return undefined;
    const { native, folder } = this.#options;
    await this.check(container, id);
    await this.#inTurn(() => this.#host.raise({ renumber: this.#ports.size === 0 }));
    const connection = this.#host.connection(this.#leaseOf(id));
    if (!connection) throw new MooringError('Unavailable', `bridge ${this.#host.bridgeName} went while container ${containerName(container.metadata)} was started`);
    this.#listen();
    const namespace = await native.createNetworkNamespace();
    const link = path.join(folder, id);
    const close = async (): Promise<void> => {
      closeSync(namespace); // O(1): what the namespace holds is taken apart by the kernel's own workers
      await rm(link, { force: true });
    };
    try {
      const port = await connect(native, namespace, connection);
      await Promise.all([
        rm(link, { force: true }).then(() => symlink(`/proc/${process.pid}/fd/${namespace}`, link)),
        writeNameFiles(bundle, hostname, connection.addresses),
        this.#host.publish(id, this.#elements({ id, container })),
      ]);
      this.#ports.set(id, port);
    } catch (error) {
      await close();
      throw error;
    }
    return { [Symbol.asyncDispose]: close };
  }

  /** How a running container's network differs from what it should be. */
  async observe({ id, container }: Member, init: ProcessIdentity): Promise<Drift[]> {
    if (!isMember(container)) return [];
    const faults = [...(await this.#host.faults())];
    const connection = this.#host.connection(this.#leaseOf(id));
    const findings = connection && (await inspect(this.#options.native, init, connection));
    if (findings?.port) this.#ports.set(id, findings.port);
    return [...faults, ...(findings?.faults ?? [])].map((message) => ({ kind: 'Network', message }));
  }

  /** Makes it what it should be, while the container runs. */
  async restore({ id, container }: Member, init: ProcessIdentity): Promise<void> {
    if (!isMember(container)) return;
    await this.#inTurn(() => this.#host.repair());
    const connection = this.#host.connection(this.#leaseOf(id));
    if (!connection) throw new MooringError('Unavailable', `bridge ${this.#host.bridgeName} is gone again`);
    const port = await reconnect(this.#options.native, init, connection);
    if (port) this.#ports.set(id, port);
  }

  /** Its process has ended: nobody is to be led to it. */
  async ended(id: ContainerId): Promise<void> {
    this.#ports.delete(id);
    if (this.#claims.has(id)) await this.#host.withdraw(id);
  }

  /** Its record is gone, and with that its address. With the last member goes the node's side. */
  async removed(id: ContainerId): Promise<void> {
    if (!this.#claims.delete(id)) return;
    this.#ports.delete(id);
    await this.#host.withdraw(id);
    await this.#inTurn(async () => {
      if (this.#records.held(DEFAULT_NETWORK) === 0) await this.#host.lower();
    });
  }

  /** Takes up what a daemon before this one left. */
  async adopt(members: readonly (Member & { readonly init: ProcessIdentity | undefined })[]): Promise<void> {
    const { folder } = this.#options;
    await Promise.all((await readdir(folder)).map((name) => rm(path.join(folder, name), { force: true })));
    const own = members.filter(({ container }) => isMember(container));
    const running = own.filter(({ init }) => init !== undefined);
    if (running.length > 0) {
      this.#listen();
      await this.#host.adopt(new Map(running.map((member) => [member.id, this.#elements(member)])));
    } else if (this.#records.network(DEFAULT_NETWORK)) {
      await this.#host.lower();
    }
  }

  close(): void {
    this.#watch?.close();
    this.#watch = undefined;
    clearTimeout(this.#check);
  }

  #elements({ id, container }: Member) {
    const addresses = this.#host.addressesAt(this.#leaseOf(id));
    return publishedPorts(container).flatMap((port) => elementsOf(port, addresses));
  }

  #leaseOf(id: ContainerId): number {
    const host = this.#records.lease(id);
    if (host === undefined) throw new MooringError('Internal', `container ${id} has no address`);
    return host;
  }

  #refuseClaimed(name: ContainerName, port: PublishedPort, id: ContainerId | undefined): void {
    for (const [owner, claim] of this.#claims) {
      const taken = owner === id ? undefined : claim.ports.find((each) => clash(each, port));
      if (taken) throw new MooringError('Conflict', `container ${name}: port ${describePort(port)} of the node is published by container ${claim.name}`, { fix: 'publish another hostPort' });
    }
  }

  #listen(): void {
    this.#watch ??= this.#options.native.watchNetwork((links, rules) => this.#hear(links, rules));
  }

  #hear(links: readonly ChangedLink[], rules: boolean): void {
    const { hint } = this.#options;
    let bridge = false;
    for (const link of links) {
      const id = this.#ports.find(link);
      if (id !== undefined) hint(id);
      else if (link.index < 0) for (const each of this.#ports.ids()) hint(each);
      else if (link.nsid < 0 && (link.index === 0 || link.index === this.#host.bridgeIndex)) bridge = true;
    }
    if (!bridge && !rules) return;
    this.#checkRules ||= rules;
    this.#check ??= setTimeout(() => this.#checkHost(), SETTLE_MS);
  }

  /** The node's side is everybody's: it is looked at once, and the containers only if it is not as it should be. */
  #checkHost(): void {
    const rules = this.#checkRules;
    this.#check = undefined;
    this.#checkRules = false;
    if (rules) this.#host.suspect();
    const tell = (faults: readonly string[]): void => {
      if (faults.length === 0) return;
      this.#host.suspect();
      for (const id of this.#ports.ids()) this.#options.hint(id);
    };
    (rules ? this.#host.faults() : this.#host.bridgeFaults())
      .then(tell)
      .catch((error: unknown) => this.#options.logger.warn({ error: messageOf(error) }, 'can not look at the network; the resync tries again'));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {}); // whoever asked for it hears of it
    return turn;
  }
}

function isMember({ spec }: Container): boolean {
  return spec.network.mode === 'Bridge';
}
