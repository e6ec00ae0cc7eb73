import { closeSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { MooringError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Native, ProcessIdentity } from '../../native/native.ts';
import { addressText } from '../../spec/address.ts';
import { attachmentsOf, DEFAULT_NETWORK_NAME } from '../../spec/container-network.ts';
import type { Container } from '../../spec/container.ts';
import { type ContainerName, containerName } from '../../spec/name.ts';
import type { Network } from '../../spec/network.ts';
import type { ContainerId, Drift } from '../engine.ts';
import type { Database } from '../store/database.ts';
import { NetworkRecords } from '../store/network-records.ts';
import type { NetworkNames } from '../names/endpoint.ts';
import { connect, type Connection, inspect, reconnect } from './container-link.ts';
import { connectionsOf } from './connections.ts';
import { type ContainerAddresses, type Endpoint, guardElements } from './endpoint.ts';
import type { Firewall } from './firewall.ts';
import { LentNetworks } from './lent-networks.ts';
import { type Member, Membership } from './membership.ts';
import { asksForNameFiles, writeNameFiles } from './name-files.ts';
import { namespaceLink } from './namespace-link.ts';
import { NetworkListener } from './network-listener.ts';
import { NetworkSites } from './network-sites.ts';
import type { NodeNetwork } from './node-network.ts';
import { PortClaims } from './port-claims.ts';
import { PortIndex } from './port-index.ts';
import { exposureOf } from './exposure.ts';
import { isLoopback, portElements, publishedPorts } from './published-port.ts';
import type { Element } from './rules.ts';
import { copyNameFiles } from './shared-name-files.ts';
import { SharedNamespaces } from './shared-namespaces.ts';
import { forgetStaleFlows } from './stale-flows.ts';

export interface ContainerNetworksOptions {
  readonly native: Native;
  readonly database: Database;
  readonly instance: string;
  /** `<run-dir>/netns`. */
  readonly folder: string;
  readonly logger: Logger;
  /** The network of that container may have changed. */
  readonly hint: (id: ContainerId) => void;
  /** The first process of a container, while it runs. */
  readonly initOf: (id: ContainerId) => Promise<ProcessIdentity | undefined>;
  readonly names?: NetworkNames;
}

/** The networks of containers: their addresses, their connections, their published ports. Containers in the modes `Host` and `None` are no business of it. */
export class ContainerNetworks {
  readonly sites: NetworkSites;
  readonly members: Membership;
  readonly #options: ContainerNetworksOptions;
  readonly #firewall: Firewall;
  readonly #lent: LentNetworks;
  readonly #claims = new PortClaims();
  readonly #ports = new PortIndex();
  readonly #listener: NetworkListener;
  readonly #shared: SharedNamespaces;
  readonly #networkListeners = new Set<(network: string) => void>();
  /** Those whose process is being started. */
  readonly #connecting = new Set<ContainerId>();

  constructor(options: ContainerNetworksOptions) {
    const { native, database, instance, folder, logger, hint, names } = options;
    this.#options = options;
    const records = new NetworkRecords(database);
    this.sites = new NetworkSites({
      native,
      records,
      instance,
      logger,
      names,
      isUsed: (network) => this.members.on(network).length > 0 || this.#lent.isUsed(network),
    });
    this.#firewall = this.sites.firewall;
    this.#lent = new LentNetworks({ native, database, records, sites: this.sites, folder, names });
    this.members = new Membership(records, (name) => this.sites.nodes.get(name));
    this.#shared = new SharedNamespaces({ native, members: this.members, initOf: options.initOf });
    this.#listener = new NetworkListener({
      native,
      ports: this.#ports,
      logger,
      networks: () => this.sites.nodes.list().filter(({ anchor }) => anchor !== undefined),
      runningOn: (network) => this.#runningOn(network),
      rulesChanged: async () => {
        await this.#firewall.follow();
        this.#firewall.suspect();
        return this.#firewall.faults();
      },
      hint,
      networkHint: (network) => {
        for (const listener of this.#networkListeners) listener(network);
      },
    });
  }

  /** Throws a MooringError for what the container can't have, naming who has it. To be called before anything of it is made. */
  async check(container: Container, id?: ContainerId): Promise<void> {
    this.#shared.check(container);
    if (!isMember(container)) return;
    await this.sites.nodes.prepareDefault();
    this.members.check(container, id);
    const ports = publishedPorts(container);
    if (ports.length > 0 && !this.members.isReached(container)) throw new MooringError('Invalid', `container ${containerName(container.metadata)} publishes ports, and is on no network that the node leads to`, { fix: 'connect it to a network with driver Bridge that is not internal, too' });
    await this.#claims.check(id, containerName(container.metadata), ports, this.sites.nodes.gateways());
  }

  /** Gives a container its addresses, in the transaction that makes or changes its record; `claim` follows when that is through. */
  reserve(member: Member): void {
    if (!isMember(member.container)) return;
    this.#claims.refuseTaken(member.id, containerName(member.container.metadata), publishedPorts(member.container));
    this.members.reserve(member, Date.now());
  }

  /** Knows a container that is on record, as its document has it. */
  claim(member: Member): void {
    this.members.know(member);
    this.#claims.set(member.id, containerName(member.container.metadata), isMember(member.container) ? publishedPorts(member.container) : []);
  }

  /** The container's addresses by network, IPv4 first; empty for one that has none of its own. */
  addresses(id: ContainerId): string[] {
    return this.members.endpoints(id).flatMap(({ v4, v6 }) => [addressText(v4), ...(v6 ? [addressText(v6)] : [])]);
  }

  /** Who reaches its published ports from other machines, for people; undefined where it publishes none to them. */
  exposure(container: Container): string | undefined {
    const ports = isMember(container) ? publishedPorts(container).filter(({ hostIP }) => hostIP === undefined || !isLoopback(hostIP)) : [];
    return exposureOf(ports, this.#firewall.policy);
  }

  /** Where a container's network namespace is found while it is started; undefined where that is the runtime's to make. */
  namespacePath({ id, container }: Member): string | undefined {
    const { mode } = container.spec.network;
    return mode === 'Bridge' || mode === 'Container' ? path.join(this.#options.folder, id) : undefined;
  }

  /**
   * Makes the network that a container is about to be started in. Only the process that is started keeps the namespace once what this gives back is
   * disposed of; should this daemon be killed before, everything in it goes with its descriptor.
   */
  async connect(member: Member, bundle: string, hostname: string): Promise<AsyncDisposable | undefined> {
    const { id, container } = member;
    const { native, folder } = this.#options;
    if (container.spec.network.mode === 'Container') {
      const { owner, namespace } = await this.#shared.open(container);
      await using shared = new AsyncDisposableStack();
      shared.defer(() => namespace.close());
      await copyNameFiles(path.join(path.dirname(bundle), owner), bundle, hostname);
      shared.use(await namespaceLink(folder, id, namespace.fd));
      return shared.move();
    }
    if (!isMember(container)) {
      const { network } = container.spec;
      if (asksForNameFiles(network)) await writeNameFiles(bundle, { hostname, addresses: [], network, nameServer: undefined, onNode: network.mode === 'Host' });
      return undefined;
    }
    await using made = new AsyncDisposableStack();
    this.#connecting.add(id);
    made.defer(() => void this.#connecting.delete(id));
    await this.check(container, id);
    this.#takePlaces(member);
    const endpoints = this.members.endpoints(id);
    await this.sites.raise(networksOf(endpoints));
    const connections = this.#connections(id);
    this.#listener.listen();
    const namespace = await native.createNetworkNamespace();
    made.defer(() => closeSync(namespace)); // O(1): what the namespace holds is taken apart by the kernel's own workers
    const ports = await connect(native, namespace, connections);
    this.#notePorts(id, connections, new Map(connections.map((each) => [each.interface, each.port])));
    await Promise.all([this.#writeNameFiles(member, bundle, hostname), this.#publish(member)]);
    this.#ports.set(id, ports);
    this.#join(member);
    made.use(await namespaceLink(folder, id, namespace));
    return made.move();
  }

  /** Its process runs: those who share its network are to be looked at. */
  started(id: ContainerId): void {
    for (const each of this.#shared.sharersOf(id)) this.#options.hint(each);
  }

  /** How a running container's network differs from what it should be. */
  async observe(member: Member, init: ProcessIdentity): Promise<Drift[]> {
    const { id, container } = member;
    if (container.spec.network.mode === 'Container') return this.#shared.observe(container, init);
    if (!isMember(container)) return [];
    const nodes = this.#nodesOf(this.members.endpoints(id));
    const shared = await Promise.all([...nodes.map((node) => node.faults()), this.#firewall.faults()]);
    const connections = nodes.every(({ anchor }) => anchor !== undefined) ? this.#connections(id) : [];
    const findings = connections.length > 0 ? await inspect(this.#options.native, init, connections) : undefined;
    if (findings) this.#ports.set(id, findings.ports);
    return [...shared.flat(), ...(findings?.faults ?? [])].map((message) => ({ kind: 'Network', message }));
  }

  /** Makes it what it should be, while the container runs. */
  async restore(member: Member, init: ProcessIdentity): Promise<void> {
    const { id, container } = member;
    if (!isMember(container)) return;
    await this.sites.restore(networksOf(this.members.endpoints(id)));
    const connections = this.#connections(id);
    const found = await reconnect(this.#options.native, init, connections);
    if (!found) return;
    this.#ports.set(id, found.ports);
    this.#notePorts(id, connections, found.portNames);
    await this.#publish(member);
    this.#join(member);
  }

  /**
   * Takes over a document that differs in its connections, after its record has; `before` had those that it has no more. While the container runs, its
   * interfaces and its name files follow.
   */
  async reconnect(before: Member, after: Member, init: ProcessIdentity | undefined, bundle: string, hostname: string): Promise<void> {
    const left = attachedTo(before).filter((network) => !attachedTo(after).includes(network));
    for (const network of left) this.#options.names?.leave(network, after.id);
    if (init) await this.restore(after, init);
    if (init && before.container !== after.container && isMember(after.container)) await this.#writeNameFiles(after, bundle, hostname);
    for (const network of left) await this.sites.lowerUnused(network);
  }

  /** Its process has ended: nobody is to be led to it. */
  async ended(id: ContainerId): Promise<void> {
    const ran = this.#ports.has(id);
    this.#ports.delete(id);
    for (const { layout } of this.members.endpoints(id)) this.#options.names?.leave(layout.name, id);
    await this.#firewall.withdraw(id);
    const member = this.members.get(id);
    if (ran && member) await forgetStaleFlows(this.#options.native, publishedPorts(member.container), undefined);
  }

  /** Its record is gone, and with that its addresses. With the last member of a network goes the node's side of that. */
  async removed(id: ContainerId): Promise<void> {
    const left = this.members.endpoints(id).map(({ layout }) => layout.name);
    await this.ended(id);
    this.#claims.delete(id);
    this.members.forget(id);
    for (const network of left) await this.sites.lowerUnused(network);
  }

  /** Takes up what a daemon before this one left. */
  async adopt(members: readonly (Member & { readonly init: ProcessIdentity | undefined })[]): Promise<void> {
    const { folder } = this.#options;
    await Promise.all((await readdir(folder)).map((name) => rm(path.join(folder, name), { force: true })));
    const running = members.filter(({ container, init }) => init !== undefined && isMember(container));
    const inUse = new Set(running.flatMap(attachedTo));
    if (running.length > 0) this.#listener.listen();
    for (const member of running) {
      this.#firewall.expect(member.id, this.#elements(member));
      this.#ports.set(member.id, { links: [], nsid: undefined });
    }
    await this.sites.adopt(inUse);
    for (const member of running) this.#join(member);
  }

  /** Has a network as its document says. See NetworkEngine. */
  async define(name: string, network: Network): Promise<void> {
    await this.sites.define(name, network);
    for (const id of this.#runningOn(name)) this.#options.hint(id);
  }

  /**
   * Gives back the places on a network of the containers that do not run, so that it may be removed. Their documents go on to name it: none of them starts while it is
   * not there, and each has a new place with the next start when it is there again. Throws `Conflict`, naming them, where containers run on it.
   */
  vacate(name: string): void {
    const on = this.members.on(name);
    const users = on.filter(({ id }) => this.#ports.has(id) || this.#connecting.has(id));
    if (users.length > 0) throw usedBy(name, users);
    this.#options.database.transaction(() => {
      for (const { id } of on) this.members.leave(id, name);
    });
    for (const member of on) this.members.know(member);
  }

  /** Forgets a network that no container is connected to, and takes away what is there of it. */
  async undefine(name: string): Promise<void> {
    await this.sites.lowerUnused(name);
    this.#options.database.transaction(() => this.sites.nodes.forget(name));
  }

  /** A place on the default network for what is no container on record, as a path to a namespace; until it is disposed of. */
  lend(id: ContainerId, bundle: string, hostname: string): Promise<AsyncDisposable & { readonly path: string }> {
    return this.#lent.lend(id, bundle, hostname);
  }

  /** Runs when something of a network may have changed. Returns the function that unsubscribes. */
  subscribe(listener: (network: string) => void): () => void {
    this.#networkListeners.add(listener);
    return () => void this.#networkListeners.delete(listener);
  }

  close(): void {
    this.#listener.close();
  }

  async #writeNameFiles({ id, container }: Member, bundle: string, hostname: string): Promise<void> {
    const endpoints = this.members.endpoints(id);
    // Every one of them knows the names of all networks that the asker is on.
    const served = endpoints.find(({ layout }) => this.#options.names?.serves(layout.name) === true);
    await writeNameFiles(bundle, { hostname, addresses: endpoints, network: container.spec.network, nameServer: served && addressText(served.layout.v4.gateway) });
  }

  /** On the networks that were removed since it last ran, and made again. */
  #takePlaces(member: Member): void {
    if (!this.members.lacks(member.id)) return;
    this.#options.database.transaction(() => this.members.reserve(member, Date.now()));
    this.members.know(member);
  }

  #join({ id, container }: Member): void {
    const name = containerName(container.metadata);
    const links = container.spec.network.links.map(({ container: target, alias }) => ({ container: target, alias: alias ?? target }));
    for (const { layout, attachment, v4, v6 } of this.members.endpoints(id)) {
      const addresses = [addressText(v4), ...(v6 ? [addressText(v6)] : [])];
      this.#options.names?.join(layout.name, { id, name, aliases: attachment.aliases, addresses, links, servers: container.spec.network.dns.servers });
    }
  }

  #connections(id: ContainerId): Connection[] {
    const member = this.members.get(id);
    if (!member) throw new MooringError('Internal', `container ${id} is on no network`);
    return connectionsOf(member.container.spec.network.bandwidth, this.members.endpoints(id), (network) => this.sites.nodes.get(network));
  }

  #notePorts(id: ContainerId, connections: readonly Connection[], ports: ReadonlyMap<string, string>): void {
    for (const { interface: name, network, anchor } of connections) {
      const port = ports.get(name);
      if (port !== undefined && anchor.kind === 'bridge') this.members.setPort(id, network, port);
    }
  }

  async #publish(member: Member): Promise<void> {
    await this.#firewall.publish(member.id, this.#elements(member));
    await forgetStaleFlows(this.#options.native, publishedPorts(member.container), this.#reachedAt(member.id));
  }

  /** What the rules hold for a container that runs. */
  #elements({ id, container }: Member): Element[] {
    const guarded = this.members.endpoints(id).flatMap((endpoint) => (endpoint.port !== undefined && endpoint.layout.spec.driver === 'Bridge' ? guardElements(endpoint.port, endpoint) : []));
    const target = this.#reachedAt(id);
    return [...guarded, ...(target ? publishedPorts(container).flatMap((port) => portElements(port, target)) : [])];
  }

  /** Where published ports lead: on the first of its networks that the node leads to. */
  #reachedAt(id: ContainerId): ContainerAddresses | undefined {
    const open = this.members.endpoints(id).filter(({ layout }) => layout.spec.driver === 'Bridge' && !layout.spec.internal);
    return open[0] && { v4: open[0].v4, v6: open.find(({ v6 }) => v6)?.v6 };
  }

  #nodesOf(endpoints: readonly Endpoint[]): NodeNetwork[] {
    return [...new Set(endpoints.flatMap(({ layout }) => this.sites.nodes.get(layout.name) ?? []))];
  }

  #runningOn(network: string): ContainerId[] {
    return this.members.on(network).flatMap(({ id }) => (this.#ports.has(id) ? [id] : []));
  }

}

/** Why a network can't be removed. */
export function usedBy(network: string, users: readonly { readonly name: ContainerName }[]): MooringError {
  return new MooringError('Conflict', `network ${network} is that of ${users.map(({ name }) => `container ${name}`).join(', ')}`, { fix: 'disconnect or remove them first' });
}

function isMember({ spec }: Container): boolean {
  return spec.network.mode === 'Bridge';
}

function attachedTo({ container }: Member): string[] {
  return attachmentsOf(container.spec.network).map(({ name }) => (name === DEFAULT_NETWORK_NAME ? name : `${container.metadata.namespace}/${name}`));
}

function networksOf(endpoints: readonly Endpoint[]): string[] {
  return endpoints.map(({ layout }) => layout.name);
}
