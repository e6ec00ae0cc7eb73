import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf, MooringError } from '../../lib/errors.ts';
import type { Native, ProcessIdentity } from '../../native/native.ts';
import type { NetlinkRequest, NetworkNative } from '../../native/network.ts';
import * as rtnetlink from '../../native/rtnetlink.ts';
import type { Link } from '../../native/rtnetlink.ts';
import { portName } from './network-names.ts';
import type { ContainerAddresses } from './rules.ts';
import { addressText } from '../../spec/address.ts';

/** The container's own interface. */
const INTERFACE = 'eth0';

/** How a container is to be connected. */
export interface Connection {
  readonly bridge: { readonly name: string; readonly index: number };
  readonly mtu: number;
  readonly addresses: ContainerAddresses;
  readonly gateways: ContainerAddresses;
  readonly prefixes: { readonly v4: number; readonly v6: number };
}

/** Where a container's interface is: what events of it bear. */
export interface ConnectedPort {
  /** Index of the bridge's port. */
  readonly index: number;
  /** Id of the container's network namespace. */
  readonly nsid: number | undefined;
}

/** The container's interface in the network namespace of that descriptor, and its place on the bridge. */
export async function connect(native: NetworkNative, namespace: number, connection: Connection): Promise<ConnectedPort> {
  const { bridge, mtu, addresses } = connection;
  const name = portName();
  const peer = { namespace, name: INTERFACE, mac: macOf(addresses.v4) };
  const replies = await native.netlink(namespace, [
    rtnetlink.createVeth({ name, bridge: bridge.index, mtu, peer }),
    rtnetlink.setHairpin(name),
    rtnetlink.setUp('lo', { inside: true }),
    rtnetlink.setUp(INTERFACE, { inside: true }),
    rtnetlink.getLink(INTERFACE, { inside: true }),
    rtnetlink.getLink(name),
  ]);
  const [inside] = linksOf(replies[4]);
  const [port] = linksOf(replies[5]);
  if (!inside || !port) throw new MooringError('Unavailable', `veth ${name} went while it was set up`);
  await native.netlink(namespace, addressing(inside.index, connection));
  return { index: port.index, nsid: port.peerNamespace };
}

/** What is not as it should be, for people; and where the interface is, if it is there. */
export interface LinkFindings {
  readonly faults: readonly string[];
  readonly port: ConnectedPort | undefined;
}

/** Looks at a running container's interface from both sides. Undefined when the process is gone. */
export async function inspect(native: Native, init: ProcessIdentity, connection: Connection): Promise<LinkFindings | undefined> {
  await using namespace = await openNamespace(native, init);
  if (!namespace) return undefined;
  return (await look(native, namespace.fd, connection)).findings;
}

/** Makes a running container's interface what it should be; what is right stays as it is. */
export async function reconnect(native: Native, init: ProcessIdentity, connection: Connection): Promise<ConnectedPort | undefined> {
  await using namespace = await openNamespace(native, init);
  if (!namespace) return undefined;
  const { inside, port } = await look(native, namespace.fd, connection);
  if (!inside || !port) return await connect(native, namespace.fd, connection);
  await native.netlink(namespace.fd, [
    rtnetlink.setMaster(port.index, connection.bridge.index),
    rtnetlink.setHairpin(port.name),
    rtnetlink.setUp('lo', { inside: true }),
    rtnetlink.setUp(INTERFACE, { inside: true }),
    ...addressing(inside.index, connection),
  ]);
  return { index: port.index, nsid: port.peerNamespace };
}

/** Stays the same for an address, so that nobody's neighbour table is wrong after a restart. */
export function macOf(v4: Buffer): string {
  return ['02', '6d', ...[...v4].map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}

function addressing(index: number, { addresses, gateways, prefixes }: Connection): NetlinkRequest[] {
  const inside = { inside: true };
  const v6 = addresses.v6 && gateways.v6 ? [rtnetlink.addAddress(index, addresses.v6, prefixes.v6, inside), rtnetlink.addDefaultRoute(index, gateways.v6, inside)] : [];
  return [rtnetlink.addAddress(index, addresses.v4, prefixes.v4, inside), rtnetlink.addDefaultRoute(index, gateways.v4, inside), ...v6];
}

async function look(native: NetworkNative, namespace: number, connection: Connection): Promise<{ readonly inside: Link | undefined; readonly port: Link | undefined; readonly findings: LinkFindings }> {
  const { bridge, addresses, gateways } = connection;
  const replies = await native.netlink(namespace, [rtnetlink.getLink(INTERFACE, { inside: true }), rtnetlink.dumpAddresses({ inside: true }), rtnetlink.dumpRoutes({ inside: true })]);
  const [inside] = linksOf(replies[0]);
  if (!inside) return { inside, port: undefined, findings: { faults: [`${INTERFACE} is gone`], port: undefined } };
  const held = rtnetlink.addressesIn(replies[1]?.data ?? Buffer.alloc(0)).filter(({ index }) => index === inside.index);
  const routes = rtnetlink.routesIn(replies[2]?.data ?? Buffer.alloc(0)).filter(({ index, destination }) => index === inside.index && destination === undefined);
  const port = inside.peer === undefined ? undefined : linksOf((await native.netlink(-1, [rtnetlink.getLinkAt(inside.peer)]))[0])[0];
  const wanted = [addresses.v4, ...(addresses.v6 ? [addresses.v6] : [])];
  const ways = [gateways.v4, ...(gateways.v6 ? [gateways.v6] : [])];
  const faults = [
    ...(inside.up ? [] : [`${INTERFACE} is down`]),
    ...wanted.filter((each) => !held.some(({ address }) => address.equals(each))).map((each) => `${INTERFACE} has lost ${addressText(each)}`),
    ...(inside.up ? ways : []).filter((each) => !routes.some(({ gateway }) => gateway?.equals(each))).map((each) => `the default route by ${addressText(each)} is gone`),
    ...(port ? [] : [`the other end of ${INTERFACE} is gone`]),
    ...(port && port.master !== bridge.index ? [`${port.name} is not a port of ${bridge.name}`] : []),
    ...(port && !port.up ? [`${port.name} is down`] : []),
  ];
  return { inside, port, findings: { faults, port: port && { index: port.index, nsid: port.peerNamespace } } };
}

/** The network namespace of a process; undefined when it is gone. */
async function openNamespace(native: Native, init: ProcessIdentity): Promise<FileHandle | undefined> {
  const namespace = await open(`/proc/${init.pid}/ns/net`).catch((error: unknown) => {
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
