import { closeSync } from 'node:fs';
import { readdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, MooringError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Native, ProcessIdentity } from '../../native/native.ts';
import { addressText, subnetText } from '../../spec/address.ts';
import { attachmentsOf, DEFAULT_NETWORK_NAME } from '../../spec/container-network.ts';
import type { Container } from '../../spec/container.ts';
import { containerName } from '../../spec/name.ts';
import type { Network } from '../../spec/network.ts';
import type { ContainerId, Drift } from '../engine.ts';
import type { Database } from '../store/database.ts';
import { NetworkRecords } from '../store/network-records.ts';
import type { NetworkNames } from '../names/endpoint.ts';
import { connect, type Connection, inspect, reconnect } from './container-link.ts';
import { connectionsOf } from './connections.ts';
import { type ContainerAddresses, type Endpoint, guardElements } from './endpoint.ts';
import { Firewall } from './firewall.ts';
import { type Member, Membership } from './membership.ts';
import { asksForNameFiles, type NameFiles, writeNameFiles } from './name-files.ts';
import { sidesOf } from './network-layout.ts';
import { NetworkListener } from './network-listener.ts';
import type { NodeNetwork } from './node-network.ts';
import { NodeNetworks } from './node-networks.ts';
import { PortClaims } from './port-claims.ts';
import { PortIndex } from './port-index.ts';
import { portElements, publishedPorts } from './published-port.ts';
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
  readonly nodes: NodeNetworks;
  readonly members: Membership;
  readonly #options: ContainerNetworksOptions;
  readonly #records: NetworkRecords;
  readonly #firewall: Firewall;
  readonly #claims = new PortClaims();
  readonly #ports = new PortIndex();
  readonly #listener: NetworkListener;
  readonly #shared: SharedNamespaces;
  readonly #networkListeners = new Set<(network: string) => void>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ContainerNetworksOptions) {
    const { native, database, instance, logger, hint } = options;
    this.#options = options;
    this.#records = new NetworkRecords(database);
    this.#firewall = new Firewall(native, instance, logger);
    this.nodes = new NodeNetworks({ native, records: this.#records, firewall: this.#firewall, instance, logger });
    this.members = new Membership(this.#records, (name) => this.nodes.get(name));
    this.#shared = new SharedNamespaces({ native, members: this.members, initOf: options.initOf });
    this.#listener = new NetworkListener({
      native,
      ports: this.#ports,
      logger,
      networks: () => this.nodes.list().filter(({ anchor }) => anchor !== undefined),
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
    await this.nodes.prepareDefault();
    this.members.check(container, id);
    const ports = publishedPorts(container);
    if (ports.length > 0 && !this.members.isReached(container)) throw new MooringError('Invalid', `container ${containerName(container.metadata)} publishes ports, and is on no network that the node leads to`, { fix: 'connect it to a network with driver Bridge that is not internal, too' });
    await this.#claims.check(id, containerName(container.metadata), ports, this.nodes.gateways());
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
    const { native } = this.#options;
    if (container.spec.network.mode === 'Container') {
      const { owner, namespace } = await this.#shared.open(container);
      try {
        await copyNameFiles(path.join(path.dirname(bundle), owner), bundle, hostname);
      } catch (error) {
        await namespace.close();
        throw error;
      }
      return this.#lend(id, namespace.fd, () => namespace.close());
    }
    if (!isMember(container)) {
      const { network } = container.spec;
      if (asksForNameFiles(network)) await writeNameFiles(bundle, { hostname, addresses: [], network, nameServer: undefined, onNode: network.mode === 'Host' });
      return undefined;
    }
    await this.check(container, id);
    const endpoints = this.members.endpoints(id);
    await this.#raise(endpoints);
    const connections = this.#connections(id);
    this.#listener.listen();
    const namespace = await native.createNetworkNamespace();
    const close = (): void => closeSync(namespace); // O(1): what the namespace holds is taken apart by the kernel's own workers
    try {
      const ports = await connect(native, namespace, connections);
      this.#notePorts(id, connections, new Map(connections.map((each) => [each.interface, each.port])));
      await Promise.all([writeNameFiles(bundle, this.#nameFilesOf(container, endpoints, hostname)), this.#publish(member)]);
      this.#ports.set(id, ports);
      this.#join(member);
    } catch (error) {
      close();
      throw error;
    }
    return this.#lend(id, namespace, close);
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
    const endpoints = this.members.endpoints(id);
    await this.#inTurn(async () => {
      for (const node of this.#nodesOf(endpoints)) {
        if (node.anchor === undefined) await node.raise();
        else await node.repair();
        await this.#serveNames(node);
      }
      await this.#firewall.repair();
    });
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
   * interfaces follow.
   */
  async reconnect(before: Member, after: Member, init: ProcessIdentity | undefined): Promise<void> {
    const left = attachedTo(before).filter((network) => !attachedTo(after).includes(network));
    for (const network of left) this.#options.names?.leave(network, after.id);
    if (init) await this.restore(after, init);
    for (const network of left) await this.#lowerUnused(network);
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
    for (const network of left) await this.#lowerUnused(network);
  }

  /** Takes up what a daemon before this one left. */
  async adopt(members: readonly (Member & { readonly init: ProcessIdentity | undefined })[]): Promise<void> {
    const { folder } = this.#options;
    await Promise.all((await readdir(folder)).map((name) => rm(path.join(folder, name), { force: true })));
    const running = members.filter(({ container, init }) => init !== undefined && isMember(container));
    const inUse = new Set(running.flatMap(attachedTo));
    for (const node of this.nodes.list()) if (inUse.has(node.layout.name)) await node.adopt();
    if (running.length > 0) this.#listener.listen();
    for (const member of running) {
      this.#firewall.expect(member.id, this.#elements(member));
      this.#ports.set(member.id, { links: [], nsid: undefined });
    }
    if (this.#nodesOf(running.flatMap(({ id }) => this.members.endpoints(id))).some(({ anchor }) => anchor?.kind === 'bridge')) await this.#firewall.write();
    for (const node of this.nodes.list()) {
      if (inUse.has(node.layout.name)) await this.#serveNames(node);
      else await node.lower();
    }
    for (const member of running) this.#join(member);
  }

  /** Has a network as its document says. See NetworkEngine. */
  define(name: string, network: Network): Promise<void> {
    return this.#inTurn(() => this.nodes.define(name, network));
  }

  /** Forgets a network that no container is connected to, and takes away what is there of it. */
  async undefine(name: string): Promise<void> {
    await this.#lowerUnused(name);
    this.#options.database.transaction(() => this.nodes.forget(name));
  }

  /** Runs when something of a network may have changed. Returns the function that unsubscribes. */
  subscribe(listener: (network: string) => void): () => void {
    this.#networkListeners.add(listener);
    return () => void this.#networkListeners.delete(listener);
  }

  /** Looks at everybody on a network, which has changed. */
  async refresh(network: string): Promise<void> {
    const node = this.nodes.get(network);
    if (node?.anchor) await this.#inTurn(() => node.repair());
    for (const id of this.#runningOn(network)) this.#options.hint(id);
  }

  /** What is not as it should be of the node's side, while it is there. */
  async faults(network: string): Promise<string[]> {
    const node = this.nodes.get(network);
    if (!node?.anchor) return [];
    return (await Promise.all([node.faults(), ...(node.anchor.kind === 'bridge' ? [this.#firewall.faults()] : [])])).flat();
  }

  close(): void {
    this.#listener.close();
  }

  async #raise(endpoints: readonly Endpoint[]): Promise<void> {
    await this.#inTurn(async () => {
      for (const { layout } of endpoints) {
        const node = this.nodes.get(layout.name);
        if (!node || node.anchor) continue;
        if (this.#runningOn(layout.name).length === 0) await this.nodes.renumber(layout.name);
        await node.raise();
        await this.#serveNames(node);
      }
    });
  }

  async #lowerUnused(network: string): Promise<void> {
    await this.#inTurn(async () => {
      if (this.members.on(network).length > 0) return;
      await this.#options.names?.close(network);
      await this.nodes.get(network)?.lower();
    });
  }

  /** Names are worth a warning, not a container that does not start. */
  async #serveNames({ layout, anchor }: NodeNetwork): Promise<void> {
    if (anchor?.kind !== 'bridge') return;
    const sides = sidesOf(layout);
    await this.#options.names?.open(layout.name, { gateways: sides.map(({ gateway }) => addressText(gateway)), subnets: sides.map(({ subnet }) => subnetText(subnet)) }).catch((error: unknown) => {
      this.#options.logger.warn({ network: layout.name, error: messageOf(error) }, 'the names of a network can not be served');
    });
  }

  #nameFilesOf({ spec: { network } }: Container, endpoints: readonly Endpoint[], hostname: string): NameFiles {
    // Every one of them knows the names of all networks that the asker is on.
    const served = endpoints.find(({ layout }) => this.#options.names?.serves(layout.name) === true);
    return { hostname, addresses: endpoints, network, nameServer: served && addressText(served.layout.v4.gateway) };
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
    return connectionsOf(member.container, this.members.endpoints(id), (network) => this.nodes.get(network));
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
    return [...new Set(endpoints.flatMap(({ layout }) => this.nodes.get(layout.name) ?? []))];
  }

  #runningOn(network: string): ContainerId[] {
    return this.members.on(network).flatMap(({ id }) => (this.#ports.has(id) ? [id] : []));
  }

  /** A namespace by a path, for as long as a start takes. */
  async #lend(id: ContainerId, namespace: number, close: () => void | Promise<void>): Promise<AsyncDisposable> {
    const link = path.join(this.#options.folder, id);
    await rm(link, { force: true });
    await symlink(`/proc/${process.pid}/fd/${namespace}`, link);
    return {
      [Symbol.asyncDispose]: async () => {
        await close();
        await rm(link, { force: true });
      },
    };
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

function attachedTo({ container }: Member): string[] {
  return attachmentsOf(container.spec.network).map(({ name }) => (name === DEFAULT_NETWORK_NAME ? name : `${container.metadata.namespace}/${name}`));
}
