import { attribute, attributes, flags, message, messages, nested, readU32, text, u16, u32 } from './netlink-message.ts';
import type { NetlinkRequest } from './network.ts';

/** Requests and answers of rtnetlink(7), those that are needed; numbers from linux/rtnetlink.h, if_link.h, if_addr.h and veth.h. */

const RTM = { newLink: 16, deleteLink: 17, getLink: 18, newAddress: 20, deleteAddress: 21, getAddress: 22, newRoute: 24, deleteRoute: 25, getRoute: 26, newNamespaceId: 88, getNamespaceId: 90 } as const;
const IFLA = { address: 1, name: 3, mtu: 4, link: 5, qdisc: 6, master: 10, linkInfo: 18, namespaceFd: 28, alias: 20, linkNamespaceId: 37 } as const;
const INFO = { kind: 1, data: 2, slaveKind: 4, slaveData: 5 } as const;
const BRIDGE_PORT_HAIRPIN = 4;
const VETH_PEER = 1;
const MODE = 1; // IFLA_MACVLAN_MODE, IFLA_IPVLAN_MODE
const NETNSA = { id: 1, fd: 3 } as const;
const LOCAL_TABLE = 255;
const LOCAL = 2;
const CREATE = flags.acknowledge | flags.create | flags.exclusive;
const REPLACE = flags.acknowledge | flags.create | flags.replace;
const IFA = { address: 1, local: 2, flags: 8 } as const;
const RTA = { destination: 1, interface: 4, gateway: 5, metric: 6 } as const;
const UP = 0x1;
const NO_DAD = 0x2;
const AF_INET = 2;
const AF_INET6 = 10;
const MAIN_TABLE = 254;
const PROTOCOL_STATIC = 4;
const UNICAST = 1;

/** An IPv4 or IPv6 address: 4 or 16 bytes in network order. */
export type AddressBytes = Buffer;

export interface Link {
  readonly index: number;
  /** Index of the other end of a veth, in the other end's namespace. */
  readonly peer: number | undefined;
  readonly name: string;
  readonly up: boolean;
  /** Index of the bridge that it is a port of. */
  readonly master: number | undefined;
  readonly alias: string | undefined;
  /** Lower-case, with colons. */
  readonly mac: string;
  readonly mtu: number;
  readonly kind: string | undefined;
  /** How what it sends is queued: `noqueue`, or `tbf` where its rate is limited. */
  readonly queue: string | undefined;
  /** Id of the namespace that its other end is in. */
  readonly peerNamespace: number | undefined;
}

export interface InterfaceAddress {
  readonly index: number;
  readonly address: AddressBytes;
  readonly prefix: number;
}

export interface Route {
  /** Undefined for a default route. */
  readonly destination: AddressBytes | undefined;
  readonly family: 4 | 6;
  readonly prefix: number;
  readonly index: number | undefined;
  readonly gateway: AddressBytes | undefined;
}

export function createBridge(name: string, { mac, mtu }: { readonly mac: string; readonly mtu: number }): NetlinkRequest {
  const parts = [attribute(IFLA.name, text(name)), attribute(IFLA.address, macBytes(mac)), attribute(IFLA.mtu, u32(mtu))];
  return { what: `create bridge ${name}`, message: message(RTM.newLink, CREATE, linkHeader(0), ...parts, nested(IFLA.linkInfo, attribute(INFO.kind, text('bridge')))) };
}

export interface VethOptions {
  /** The end that stays here, as a port of `bridge`, up. */
  readonly name: string;
  readonly bridge: number;
  readonly mtu: number;
  /** Where the other end comes to be, under these. A peer can't be made up. */
  readonly peer: { readonly namespace: number; readonly name: string; readonly mac: string };
}

/** Both ends, each at its place, in one request: after it either all of that is there, or nothing. */
export function createVeth({ name, bridge, mtu, peer }: VethOptions): NetlinkRequest {
  const inside = [attribute(IFLA.name, text(peer.name)), attribute(IFLA.address, macBytes(peer.mac)), attribute(IFLA.mtu, u32(mtu)), attribute(IFLA.namespaceFd, u32(peer.namespace))];
  const info = nested(IFLA.linkInfo, attribute(INFO.kind, text('veth')), nested(INFO.data, nested(VETH_PEER, linkHeader(0), ...inside)));
  return {
    what: `create veth ${name}`,
    message: message(RTM.newLink, CREATE, linkHeader(0, UP), attribute(IFLA.name, text(name)), attribute(IFLA.mtu, u32(mtu)), attribute(IFLA.master, u32(bridge)), info),
  };
}

/** What packets between the links of one parent do (linux/if_link.h). */
export const SUBLINK_MODES = { macvlan: { Private: 1, Vepa: 2, Bridge: 4, Passthru: 8 }, ipvlan: { L2: 0, L3: 1, L3S: 2 } } as const;

export interface SublinkOptions {
  /** Its name where it comes to be: in the namespace of that descriptor. */
  readonly name: string;
  readonly namespace: number;
  readonly kind: 'macvlan' | 'ipvlan';
  /** One of SUBLINK_MODES. */
  readonly mode: number;
  /** Index of the link that it lies on. */
  readonly parent: number;
  readonly mtu: number;
  /** Undefined: the parent's. */
  readonly mac: string | undefined;
}

/** A link in another namespace that lies on one of ours. */
export function createSublink({ name, namespace, kind, mode, parent, mtu, mac }: SublinkOptions): NetlinkRequest {
  const info = nested(IFLA.linkInfo, attribute(INFO.kind, text(kind)), nested(INFO.data, attribute(MODE, kind === 'macvlan' ? u32(mode) : u16(mode))));
  const parts = [attribute(IFLA.name, text(name)), ...(mac === undefined ? [] : [attribute(IFLA.address, macBytes(mac))]), attribute(IFLA.mtu, u32(mtu)), attribute(IFLA.link, u32(parent)), attribute(IFLA.namespaceFd, u32(namespace))];
  return { what: `create ${kind} ${name}`, message: message(RTM.newLink, CREATE, linkHeader(0), ...parts, info) };
}

/** Gives the namespace of that descriptor an id here, by which its events are told. It has one already is fine. */
export function assignNamespaceId(namespace: number): NetlinkRequest {
  return { what: 'give a network namespace an id', tolerate: 'EEXIST', message: message(RTM.newNamespaceId, flags.acknowledge, u32(0), attribute(NETNSA.fd, u32(namespace)), attribute(NETNSA.id, u32(-1))) };
}

export function getNamespaceId(namespace: number): NetlinkRequest {
  return { what: 'ask for the id of a network namespace', message: message(RTM.getNamespaceId, flags.acknowledge, u32(0), attribute(NETNSA.fd, u32(namespace))) };
}

/** Undefined where it has none. */
export function namespaceIdIn(data: Buffer): number | undefined {
  const [id] = [...messages(data)].filter(({ type }) => type === RTM.newNamespaceId).map(({ body }) => attributes(body.subarray(4)).get(NETNSA.id));
  const value = id && readU32(id) | 0;
  return value === undefined || value < 0 ? undefined : value;
}

/** Sets the alias of a link, by which people know what it is for. */
export function setAlias(name: string, alias: string): NetlinkRequest {
  return { what: `name link ${name} "${alias}"`, message: message(RTM.newLink, flags.acknowledge, linkHeader(0), attribute(IFLA.name, text(name)), attribute(IFLA.alias, Buffer.from(alias))) };
}

export function setUp(name: string, { inside = false } = {}): NetlinkRequest {
  return { what: `bring up link ${name}`, inside, message: message(RTM.newLink, flags.acknowledge, linkHeader(0, UP), attribute(IFLA.name, text(name))) };
}

/** Lets a bridge's port send frames back out of itself, which a container needs that reaches its own published port while br_netfilter translates on the bridge. */
export function setHairpin(name: string): NetlinkRequest {
  const info = nested(IFLA.linkInfo, attribute(INFO.slaveKind, text('bridge')), nested(INFO.slaveData, attribute(BRIDGE_PORT_HAIRPIN, Buffer.from([1]))));
  return { what: `set hairpin mode of ${name}`, message: message(RTM.newLink, flags.acknowledge, linkHeader(0), attribute(IFLA.name, text(name)), info) };
}

/** Makes a link that has lost it a port of the bridge again, and brings it up. */
export function setMaster(index: number, bridge: number): NetlinkRequest {
  return { what: `put interface ${index} into bridge ${bridge}`, message: message(RTM.newLink, flags.acknowledge, linkHeader(index, UP), attribute(IFLA.master, u32(bridge))) };
}

/** Its hardware address and MTU, up or down. */
export function setLink(index: number, { mac, mtu, inside = false }: { readonly mac?: string; readonly mtu: number; readonly inside?: boolean }): NetlinkRequest {
  const parts = [...(mac === undefined ? [] : [attribute(IFLA.address, macBytes(mac))]), attribute(IFLA.mtu, u32(mtu))];
  return { what: `set address and MTU of interface ${index}`, inside, message: message(RTM.newLink, flags.acknowledge, linkHeader(index), ...parts) };
}

export function deleteLink(name: string, { inside = false } = {}): NetlinkRequest {
  return { what: `delete link ${name}`, inside, tolerate: 'ENODEV', message: message(RTM.deleteLink, flags.acknowledge, linkHeader(0), attribute(IFLA.name, text(name))) };
}

/** An address, at once usable: without IPv6's detection of duplicates, which the addresses given out make needless. There already is fine. */
export function addAddress(index: number, address: AddressBytes, prefix: number, { inside = false } = {}): NetlinkRequest {
  const header = Buffer.concat([Buffer.from([familyOf(address), prefix, 0, 0]), u32(index)]);
  const parts = [attribute(IFA.local, address), attribute(IFA.address, address), ...(address.length === 16 ? [attribute(IFA.flags, u32(NO_DAD))] : [])];
  return { what: `add address ${formatAddress(address)}/${prefix} to interface ${index}`, inside, tolerate: 'EEXIST', message: message(RTM.newAddress, CREATE, header, ...parts) };
}

export function removeAddress(index: number, address: AddressBytes, prefix: number, { inside = false } = {}): NetlinkRequest {
  const header = Buffer.concat([Buffer.from([familyOf(address), prefix, 0, 0]), u32(index)]);
  return { what: `remove address ${formatAddress(address)}/${prefix} from interface ${index}`, inside, tolerate: 'EADDRNOTAVAIL', message: message(RTM.deleteAddress, flags.acknowledge, header, attribute(IFA.local, address)) };
}

export function addDefaultRoute(index: number, gateway: AddressBytes, { inside = false } = {}): NetlinkRequest {
  return { what: `add the default route by ${formatAddress(gateway)}`, inside, tolerate: 'EEXIST', message: message(RTM.newRoute, CREATE, routeHeader(familyOf(gateway), 0), ...wayBy(index, gateway)) };
}

/** No such route is fine. */
export function removeDefaultRoute(index: number, gateway: AddressBytes, { inside = false } = {}): NetlinkRequest {
  return { what: `remove the default route by ${formatAddress(gateway)}`, inside, tolerate: 'ESRCH', message: message(RTM.deleteRoute, flags.acknowledge, routeHeader(familyOf(gateway), 0), ...wayBy(index, gateway)) };
}

/** Lets what comes in by that interface for an address be the node's own, though the address is another interface's: a route in the table `local`. */
export function addLocalRoute(index: number, address: AddressBytes, metric: number): NetlinkRequest {
  const header = Buffer.concat([Buffer.from([familyOf(address), address.length * 8, 0, 0, LOCAL_TABLE, PROTOCOL_STATIC, 0, LOCAL]), u32(0)]);
  const parts = [attribute(RTA.destination, address), attribute(RTA.interface, u32(index)), attribute(RTA.metric, u32(metric))];
  return { what: `add a local route to ${formatAddress(address)} by interface ${index}`, message: message(RTM.newRoute, REPLACE, header, ...parts) };
}

/** Answered by one link, or by `ENODEV`. */
export function getLinkAt(index: number): NetlinkRequest {
  return { what: `look for interface ${index}`, tolerate: 'ENODEV', message: message(RTM.getLink, flags.acknowledge, linkHeader(index)) };
}

/** Answered by one link, or by `ENODEV`. */
export function getLink(name: string, { inside = false } = {}): NetlinkRequest {
  return { what: `look for link ${name}`, inside, tolerate: 'ENODEV', message: message(RTM.getLink, flags.acknowledge, linkHeader(0), attribute(IFLA.name, text(name))) };
}

export function dumpLinks({ inside = false } = {}): NetlinkRequest {
  return { what: 'list links', inside, tolerate: 'EINTR', message: message(RTM.getLink, flags.dump, linkHeader(0)) };
}

/** The addresses of one interface, or of all (0). */
export function dumpAddresses({ inside = false, index = 0 } = {}): NetlinkRequest {
  return { what: 'list addresses', inside, tolerate: 'EINTR', message: message(RTM.getAddress, flags.dump, Buffer.concat([u32(0), u32(index)])) };
}

export function dumpRoutes({ inside = false } = {}): NetlinkRequest {
  return { what: 'list routes', inside, tolerate: 'EINTR', message: message(RTM.getRoute, flags.dump, Buffer.alloc(12)) };
}

export function linksIn(data: Buffer): Link[] {
  return [...messages(data)].filter(({ type }) => type === RTM.newLink).map(({ body }) => parseLink(body));
}

export function addressesIn(data: Buffer): InterfaceAddress[] {
  return [...messages(data)].flatMap(({ type, body }) => {
    const found = attributes(body.subarray(8));
    const address = found.get(IFA.local) ?? found.get(IFA.address);
    return type === RTM.newAddress && address ? [{ index: readU32(body, 4), address, prefix: body[1] ?? 0 }] : [];
  });
}

/** Those of the main table. */
export function routesIn(data: Buffer): Route[] {
  return [...messages(data)].flatMap(({ type, body }) => {
    if (type !== RTM.newRoute || body[4] !== MAIN_TABLE) return [];
    const found = attributes(body.subarray(12));
    const index = found.get(RTA.interface);
    return [{ family: body[0] === AF_INET6 ? (6 as const) : (4 as const), destination: found.get(RTA.destination), prefix: body[1] ?? 0, index: index && readU32(index), gateway: found.get(RTA.gateway) }];
  });
}

function parseLink(body: Buffer): Link {
  const found = attributes(body.subarray(16));
  const number = (type: number) => {
    const value = found.get(type);
    return value && readU32(value);
  };
  const info = found.get(IFLA.linkInfo);
  return {
    index: readU32(body, 4),
    peer: number(IFLA.link),
    name: textOf(found.get(IFLA.name)) ?? '',
    up: (readU32(body, 8) & UP) !== 0,
    master: number(IFLA.master),
    alias: textOf(found.get(IFLA.alias)),
    mac: [...(found.get(IFLA.address) ?? [])].map((byte) => byte.toString(16).padStart(2, '0')).join(':'),
    mtu: number(IFLA.mtu) ?? 0,
    kind: info && textOf(attributes(info).get(INFO.kind)),
    queue: textOf(found.get(IFLA.qdisc)),
    peerNamespace: number(IFLA.linkNamespaceId),
  };
}

/** `10.1.2.3`, `fd00:0:0:0:0:0:0:1`: IPv6 without its short form, good for messages and for comparing. */
export function formatAddress(address: AddressBytes): string {
  if (address.length === 4) return address.join('.');
  return Array.from({ length: 8 }, (_, group) => address.readUInt16BE(group * 2).toString(16)).join(':');
}

function linkHeader(index: number, setFlags = 0): Buffer {
  return Buffer.concat([Buffer.from([0, 0]), u16(0), u32(index), u32(setFlags), u32(setFlags)]);
}

function routeHeader(family: number, prefix: number): Buffer {
  return Buffer.concat([Buffer.from([family, prefix, 0, 0, MAIN_TABLE, PROTOCOL_STATIC, 0, UNICAST]), u32(0)]);
}

function wayBy(index: number, gateway: AddressBytes): Buffer[] {
  return [attribute(RTA.gateway, gateway), attribute(RTA.interface, u32(index))];
}

function familyOf(address: AddressBytes): number {
  return address.length === 4 ? AF_INET : AF_INET6;
}

function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}

function textOf(value: Buffer | undefined): string | undefined {
  return value?.toString().replace(/\0$/, '');
}
