import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf, MooringError } from '../../lib/errors.ts';
import type { Native, ProcessIdentity } from '../../native/native.ts';
import type { NetlinkRequest, NetworkNative } from '../../native/network.ts';
import * as rtnetlink from '../../native/rtnetlink.ts';
import type { AddressBytes, InterfaceAddress, Link, Route } from '../../native/rtnetlink.ts';
import { clearRate, dumpRates, ratesIn, setRate } from '../../native/traffic-control.ts';
import { addressText, contains, type Subnet } from '../../spec/address.ts';
import type { Anchor } from './node-network.ts';

/** One interface of a container, as it is to be. */
export interface Connection {
  /** Inside. */
  readonly interface: string;
  /** The network, for messages. */
  readonly network: string;
  readonly anchor: Anchor;
  /** Name of the bridge's port, should there be need of a new one. */
  readonly port: string;
  readonly mtu: number;
  readonly mac: string;
  readonly addresses: readonly { readonly address: AddressBytes; readonly subnet: Subnet }[];
  /** Where default routes of it lead. */
  readonly gateways: readonly AddressBytes[];
  /** Bytes a second. */
  readonly receiveRate: number | undefined;
  readonly sendRate: number | undefined;
}

/** Where a container's interfaces are: what events of them bear. */
export interface ConnectedPorts {
  /** Indexes of the bridges' ports. */
  readonly links: readonly number[];
  /** Id of the container's network namespace. */
  readonly nsid: number | undefined;
}

/** What is not as it should be, for people; and what is there. */
export interface LinkFindings {
  readonly faults: readonly string[];
  readonly ports: ConnectedPorts;
  /** Names of the bridges' ports, by interface. */
  readonly portNames: ReadonlyMap<string, string>;
}

const INSIDE = { inside: true };
/** What we name: a port that leads here is ours. */
const OWN_PORT = /^mv[0-9a-f]{12}$/;

/** The container's interfaces in the network namespace of that descriptor, which has none yet. */
export async function connect(native: NetworkNative, namespace: number, connections: readonly Connection[]): Promise<ConnectedPorts> {
  const links: number[] = [];
  let before = [rtnetlink.assignNamespaceId(namespace), rtnetlink.setUp('lo', INSIDE)];
  let nsid: number | undefined;
  for (const connection of connections) {
    const made = await connectOne(native, namespace, connection, before);
    if (made.port) links.push(made.port.index);
    nsid = made.nsid;
    before = [];
  }
  return { links, nsid };
}

/** Looks at a running container's interfaces from both sides. Undefined when the process is gone. */
export async function inspect(native: Native, init: ProcessIdentity, connections: readonly Connection[]): Promise<LinkFindings | undefined> {
  await using namespace = await openNamespace(native, init);
  return namespace && (await look(native, namespace.fd, connections));
}

/** Makes a running container's interfaces what they should be; what is right stays as it is. Undefined when the process is gone. */
export async function reconnect(native: Native, init: ProcessIdentity, connections: readonly Connection[]): Promise<LinkFindings | undefined> {
  await using namespace = await openNamespace(native, init);
  if (!namespace) return undefined;
  const { fd } = namespace;
  const found = await survey(native, fd, connections);
  await native.netlink(fd, [rtnetlink.assignNamespaceId(fd), rtnetlink.setUp('lo', INSIDE), ...found.strays.map(({ name }) => rtnetlink.deleteLink(name, INSIDE))]);
  for (const { connection, link, port } of found.interfaces) {
    const usable = link?.kind === kindOf(connection.anchor) && (connection.anchor.kind === 'bridge' ? port !== undefined : link.peer === connection.anchor.index);
    if (!link || !usable) {
      if (link) await native.netlink(fd, [rtnetlink.deleteLink(link.name, INSIDE)]);
      await connectOne(native, fd, connection);
    } else {
      await native.netlink(fd, mending(connection, link, port, found));
    }
  }
  return await look(native, fd, connections);
}

async function connectOne(native: NetworkNative, namespace: number, connection: Connection, before: readonly NetlinkRequest[] = []): Promise<{ readonly port: Link | undefined; readonly nsid: number | undefined }> {
  const { interface: name, anchor, port, mtu, mac } = connection;
  const making =
    anchor.kind === 'bridge'
      ? [rtnetlink.createVeth({ name: port, bridge: anchor.index, mtu, peer: { namespace, name, mac } }), rtnetlink.setHairpin(port)]
      : [rtnetlink.createSublink({ name, namespace, kind: anchor.kind, mode: anchor.mode, parent: anchor.index, mtu, mac: anchor.kind === 'ipvlan' ? undefined : mac })];
  const looking = [rtnetlink.getLink(name, INSIDE), rtnetlink.getNamespaceId(namespace), ...(anchor.kind === 'bridge' ? [rtnetlink.getLink(port)] : [])];
  const replies = await native.netlink(namespace, [...before, ...making, rtnetlink.setUp(name, INSIDE), ...looking]).catch((error: unknown) => {
    throw understood(error, connection);
  });
  const [seen, id, other] = replies.slice(-looking.length);
  const [inside] = linksOf(seen);
  const [outside] = linksOf(anchor.kind === 'bridge' ? other : undefined);
  if (!inside || (anchor.kind === 'bridge' && !outside)) throw new MooringError('Unavailable', `${name} on network ${connection.network} went while it was set up`);
  await native.netlink(namespace, [...addressing(connection, inside.index), ...limiting(connection, inside, outside)]);
  return { port: outside, nsid: rtnetlink.namespaceIdIn(id?.data ?? Buffer.alloc(0)) };
}

/** Errors that say what the reader can do. */
function understood(error: unknown, { anchor, network }: Connection): unknown {
  const code = error instanceof Error ? errnoOf(error.cause) : undefined;
  if (code === 'EXFULL') return new MooringError('Unavailable', `network ${network}: bridge ${anchor.name} has its 1023 ports, more the kernel does not give one`, { cause: error, fix: 'put some of its containers on another network' });
  if (code === 'EOPNOTSUPP' && anchor.kind !== 'bridge') return new MooringError('Unsupported', `network ${network}: this kernel has no ${anchor.kind}`, { cause: error, fix: 'use driver Bridge' });
  if ((code === 'EBUSY' || code === 'EINVAL') && anchor.kind !== 'bridge') return new MooringError('Conflict', `network ${network}: link ${anchor.name} can't carry a ${anchor.kind}`, { cause: error, fix: 'see what else lies on it, and in which mode' });
  return error;
}

function addressing({ addresses, gateways }: Connection, index: number): NetlinkRequest[] {
  return [...addresses.map(({ address, subnet }) => rtnetlink.addAddress(index, address, subnet.prefix, INSIDE)), ...gateways.map((gateway) => rtnetlink.addDefaultRoute(index, gateway, INSIDE))];
}

/** What a container receives is what the bridge's port sends. */
function limiting({ receiveRate, sendRate }: Connection, inside: Link, outside: Link | undefined): NetlinkRequest[] {
  const limit = (link: Link, rate: number | undefined, where: { readonly inside?: boolean }): NetlinkRequest[] =>
    rate === undefined ? (link.queue === 'tbf' ? [clearRate(link.index, where)] : []) : [setRate(link.index, rate, where)];
  return [...limit(inside, sendRate, INSIDE), ...(outside ? limit(outside, receiveRate, {}) : [])];
}

function mending(connection: Connection, link: Link, port: Link | undefined, { addresses, routes }: Survey): NetlinkRequest[] {
  const { anchor, mac, mtu } = connection;
  const own = anchor.kind === 'ipvlan' ? { mtu } : { mac, mtu };
  const foreign = addresses.filter((held) => held.index === link.index && isForeign(held, connection));
  const ways = routes.filter((route) => route.index === link.index && route.destination === undefined && route.gateway && !connection.gateways.some((each) => each.equals(route.gateway ?? Buffer.alloc(0))));
  return [
    ...(port && anchor.kind === 'bridge' ? [rtnetlink.setMaster(port.index, anchor.index), rtnetlink.setHairpin(port.name), rtnetlink.setLink(port.index, { mtu })] : []),
    ...foreign.map(({ address, prefix }) => rtnetlink.removeAddress(link.index, address, prefix, INSIDE)),
    ...ways.map(({ gateway }) => rtnetlink.removeDefaultRoute(link.index, gateway ?? Buffer.alloc(0), INSIDE)),
    rtnetlink.setLink(link.index, { ...own, ...INSIDE }),
    rtnetlink.setUp(link.name, INSIDE),
    ...addressing(connection, link.index),
    ...limiting(connection, link, port),
  ];
}

interface Survey {
  readonly interfaces: readonly { readonly connection: Connection; readonly link: Link | undefined; readonly port: Link | undefined }[];
  /** Interfaces of networks that it is not connected to. */
  readonly strays: readonly Link[];
  readonly addresses: readonly InterfaceAddress[];
  readonly routes: readonly Route[];
}

async function survey(native: NetworkNative, namespace: number, connections: readonly Connection[]): Promise<Survey> {
  const replies = await native.netlink(namespace, [rtnetlink.dumpLinks(INSIDE), rtnetlink.dumpAddresses(INSIDE), rtnetlink.dumpRoutes(INSIDE)]);
  const links = linksOf(replies[0]).filter(({ kind, name }) => /^eth\d+$/.test(name) && (kind === 'veth' || kind === 'macvlan' || kind === 'ipvlan'));
  const peers = links.filter(({ kind, peer }) => kind === 'veth' && peer !== undefined);
  const found = await native.netlink(-1, peers.map(({ peer = 0 }) => rtnetlink.getLinkAt(peer)));
  // The index of a peer in another namespace than ours may be one of ours by chance.
  const portOf = new Map(peers.map(({ name, index }, at) => [name, linksOf(found[at]).find((port) => port.kind === 'veth' && port.peer === index)]));
  const wanted = new Set(connections.map((connection) => connection.interface));
  return {
    interfaces: connections.map((connection) => ({ connection, link: links.find(({ name }) => name === connection.interface), port: portOf.get(connection.interface) })),
    strays: links.filter(({ name, kind }) => !wanted.has(name) && (kind !== 'veth' || OWN_PORT.test(portOf.get(name)?.name ?? ''))),
    addresses: rtnetlink.addressesIn(replies[1]?.data ?? Buffer.alloc(0)),
    routes: rtnetlink.routesIn(replies[2]?.data ?? Buffer.alloc(0)),
  };
}

async function look(native: NetworkNative, namespace: number, connections: readonly Connection[]): Promise<LinkFindings> {
  const found = await survey(native, namespace, connections);
  const limited = connections.some(({ receiveRate, sendRate }) => receiveRate !== undefined || sendRate !== undefined);
  const [id, sent, received] = await native.netlink(namespace, [rtnetlink.getNamespaceId(namespace), ...(limited ? [dumpRates(INSIDE), dumpRates()] : [])]);
  const rates = { inside: ratesIn(sent?.data ?? Buffer.alloc(0)), outside: ratesIn(received?.data ?? Buffer.alloc(0)) };
  const faults = found.interfaces.flatMap(({ connection, link, port }) => [...linkFaults(connection, link, port), ...(link ? [...addressFaults(connection, link, found), ...rateFaults(connection, link, port, rates)] : [])]);
  return {
    faults: [...faults, ...found.strays.map(({ name }) => `${name} leads to a network that it is not connected to`)],
    ports: { links: found.interfaces.flatMap(({ port }) => (port ? [port.index] : [])), nsid: rtnetlink.namespaceIdIn(id?.data ?? Buffer.alloc(0)) },
    portNames: new Map(found.interfaces.flatMap(({ connection, port }) => (port ? [[connection.interface, port.name]] : []))),
  };
}

function linkFaults({ interface: name, anchor, mtu, mac }: Connection, link: Link | undefined, port: Link | undefined): string[] {
  if (!link) return [`${name} is gone`];
  if (link.kind !== kindOf(anchor)) return [`${name} is a ${link.kind ?? 'device'}, want a ${kindOf(anchor)}`];
  const own = [
    ...(link.up ? [] : [`${name} is down`]),
    ...(link.mtu === mtu ? [] : [`${name} has an MTU of ${link.mtu}, want ${mtu}`]),
    ...(link.mac === mac || anchor.kind === 'ipvlan' ? [] : [`${name} has MAC address ${link.mac}, want ${mac}`]),
  ];
  if (anchor.kind !== 'bridge') return [...own, ...(link.peer === anchor.index ? [] : [`${name} does not lie on ${anchor.name}`])];
  if (!port) return [...own, `the other end of ${name} is gone`];
  return [...own, ...(port.master === anchor.index ? [] : [`${port.name} is not a port of ${anchor.name}`]), ...(port.up ? [] : [`${port.name} is down`])];
}

function addressFaults(connection: Connection, link: Link, { addresses, routes }: Survey): string[] {
  const { interface: name, gateways } = connection;
  const held = addresses.filter(({ index }) => index === link.index);
  const ways = routes.filter(({ index, destination }) => index === link.index && destination === undefined);
  return [
    ...connection.addresses.filter(({ address }) => !held.some((each) => each.address.equals(address))).map(({ address }) => `${name} has lost ${addressText(address)}`),
    ...(link.up ? gateways : []).filter((each) => !ways.some(({ gateway }) => gateway?.equals(each))).map((each) => `the default route by ${addressText(each)} is gone`),
    ...ways.flatMap(({ gateway }) => (gateway && !gateways.some((each) => each.equals(gateway)) ? [`${name} has a default route by ${addressText(gateway)}, which it is not to have`] : [])),
    ...held.filter((each) => isForeign(each, connection)).map(({ address }) => `${name} has ${addressText(address)}, which is another's`),
  ];
}

/** An address of the network that is not this container's: left from before, or taken. */
function isForeign({ address }: InterfaceAddress, { addresses }: Connection): boolean {
  return addresses.some(({ subnet }) => contains(subnet, address)) && !addresses.some((each) => each.address.equals(address));
}

function rateFaults({ interface: name, receiveRate, sendRate, anchor }: Connection, link: Link, port: Link | undefined, rates: Readonly<Record<'inside' | 'outside', ReadonlyMap<number, number>>>): string[] {
  const differs = (what: string, found: Link, wanted: number | undefined, rate: number | undefined): string[] => {
    if (wanted === undefined) return found.queue === 'tbf' ? [`${name} is limited in what it may ${what}, and is not to be`] : [];
    return rate === wanted ? [] : [`${name} may ${what} ${rate === undefined ? 'without a limit' : `${rate * 8} bits a second`}, want ${wanted * 8}`];
  };
  return [...differs('send', link, sendRate, rates.inside.get(link.index)), ...(port && anchor.kind === 'bridge' ? differs('receive', port, receiveRate, rates.outside.get(port.index)) : [])];
}

function kindOf({ kind }: Anchor): string {
  return kind === 'bridge' ? 'veth' : kind;
}

/** The network namespace of a process; undefined when it is gone. */
export async function openNamespace(native: Native, init: ProcessIdentity, kind: 'net' | 'pid' | 'ipc' = 'net'): Promise<FileHandle | undefined> {
  const namespace = await open(`/proc/${init.pid}/ns/${kind}`).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ESRCH') throw error;
    return undefined;
  });
  // Alive now, it was when the path was opened: the path was its own, and not a later process's of the same pid.
  const alive = native.watchProcess(init, () => {});
  alive?.close();
  if (alive) return namespace;
  await namespace?.close();
  return undefined;
}

function linksOf(reply: { readonly data: Buffer } | undefined): Link[] {
  return rtnetlink.linksIn(reply?.data ?? Buffer.alloc(0));
}
