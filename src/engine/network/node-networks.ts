import { isDeepStrictEqual } from 'node:util';
import { MooringError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { NetworkNative } from '../../native/network.ts';
import { addressText, overlaps, parseSubnet, type Subnet, subnetText } from '../../spec/address.ts';
import { DEFAULT_NETWORK_NAME } from '../../spec/container-network.ts';
import { normalizeNetwork } from '../../spec/normalize-supplies.ts';
import { type Network, NETWORK_IMMUTABLE, type NetworkSpec, networkSpecSchema } from '../../spec/network.ts';
import type { NetworkRecord, NetworkRecords } from '../store/network-records.ts';
import { BridgeNetwork } from './bridge-network.ts';
import { probeDriver } from './driver-probe.ts';
import type { Firewall } from './firewall.ts';
import { hasIPv6 } from './forwarding.ts';
import { type HostRoutes, readHostRoutes } from './host-routes.ts';
import { givenSubnet, layoutOf, sidesOf } from './network-layout.ts';
import { bridgeName } from './network-names.ts';
import type { NodeNetwork } from './node-network.ts';
import { ParentNetwork } from './parent-network.ts';
import { freeSubnet4, freeSubnet6 } from './subnet.ts';

export interface NodeNetworksOptions {
  readonly native: NetworkNative;
  readonly records: NetworkRecords;
  readonly firewall: Firewall;
  readonly instance: string;
  readonly logger: Logger;
}

/** The networks of an instance, by name: the default one, and those that somebody defined. */
export class NodeNetworks {
  readonly #options: NodeNetworksOptions;
  readonly #networks = new Map<string, NodeNetwork>();
  readonly #recorded = new Map<string, NetworkRecord>();

  constructor(options: NodeNetworksOptions) {
    this.#options = options;
    for (const record of options.records.networks()) this.#know(record);
  }

  get(name: string): NodeNetwork | undefined {
    return this.#networks.get(name);
  }

  record(name: string): NetworkRecord | undefined {
    return this.#recorded.get(name);
  }

  list(): NodeNetwork[] {
    return [...this.#networks.values()];
  }

  /** Every address of the node on one of them. */
  gateways(): Set<string> {
    return new Set(this.list().flatMap(({ layout }) => sidesOf(layout).map(({ gateway }) => addressText(gateway))));
  }

  /** Chooses the subnets of the default network where that has not been done. Must have settled before an address of it is given out. */
  async prepareDefault(): Promise<void> {
    if (!this.#recorded.has(DEFAULT_NETWORK_NAME)) this.#put(await this.#chosen(DEFAULT_NETWORK_NAME, undefined));
  }

  /** Has a network as its document says. See NetworkEngine. */
  async define(name: string, network: Network): Promise<void> {
    const { native } = this.#options;
    const before = this.#recorded.get(name);
    if (before) {
      const [old, young] = [normalizeNetwork(specOf(before)), normalizeNetwork(network.spec)];
      const changed = NETWORK_IMMUTABLE.find((field) => !isDeepStrictEqual(old[field], young[field]));
      if (changed) throw new MooringError('Conflict', `network ${name}: spec.${changed} can't be changed, since containers have addresses and routes that go by it`, { fix: 'remove the network and make it anew, or give it another name' });
    }
    await probeDriver(native, name, network.spec);
    if (before) this.#put({ ...before, network });
    else this.#put(await this.#chosen(name, network));
  }

  /** Forgets a network that nobody is connected to. To be called in a transaction. */
  forget(name: string): void {
    this.#options.records.deleteNetwork(name);
    this.#networks.delete(name);
    this.#recorded.delete(name);
  }

  /** Chooses subnets anew that were chosen and that the node has come to use itself. To be called while the network is not there. */
  async renumber(name: string): Promise<void> {
    const record = this.#recorded.get(name);
    if (!record || record.network?.spec.driver === 'Macvlan' || record.network?.spec.driver === 'Ipvlan') return;
    const own = bridgeName(this.#options.instance, name);
    const { inUse } = await readHostRoutes(this.#options.native);
    const isTaken = (text: string | null, family: 4 | 6): boolean => text !== null && !givenSubnet(specOf(record), family) && inUse.some(({ subnet, link }) => link !== own && overlaps(subnet, parseSubnet(text)));
    if (isTaken(record.subnet4, 4) || isTaken(record.subnet6, 6)) this.#put(await this.#chosen(name, record.network, record.createdAt));
  }

  async #chosen(name: string, network: Network | undefined, createdAt = Date.now()): Promise<NetworkRecord> {
    const { native, instance, logger } = this.#options;
    const spec = network?.spec ?? DEFAULT_SPEC;
    const [routes, ipv6] = await Promise.all([readHostRoutes(native), hasIPv6()]);
    const others = [...this.#recorded.values()].filter((record) => record.name !== name).flatMap((record) => [record.subnet4, record.subnet6].flatMap((text) => (text === null ? [] : [{ subnet: parseSubnet(text), network: record.name }])));
    const foreign = routes.inUse.filter(({ link }) => link !== bridgeName(instance, name));
    const inUse = [...foreign, ...others].map(({ subnet }) => subnet);
    const given4 = givenSubnet(spec, 4);
    const given6 = givenSubnet(spec, 6);
    for (const given of [given4, given6]) if (given) refuseOverlap(name, spec, parseSubnet(given.cidr), foreign, others);
    const v4 = given4 ? parseSubnet(given4.cidr) : freeSubnet4(inUse);
    if (!v4) throw new MooringError('Unavailable', `network ${name}: no private IPv4 range is free of the routes of this node`, { fix: 'remove routes into 172.16.0.0/12 or 10.0.0.0/8, or give the network a subnet' });
    if (given6 && !ipv6) throw new MooringError('Unsupported', `network ${name} has an IPv6 subnet, and this node has IPv6 switched off`, { fix: 'leave the IPv6 subnet out, or set net.ipv6.conf.all.disable_ipv6 to 0' });
    const v6 = given6 ? parseSubnet(given6.cidr) : ipv6 && spec.ipv6 ? freeSubnet6(inUse, name === DEFAULT_NETWORK_NAME ? instance : `${instance} ${name}`) : undefined;
    logger.info({ network: name, subnet4: subnetText(v4), subnet6: v6 && subnetText(v6) }, 'chose the subnets of a network');
    return { name, network, createdAt, subnet4: subnetText(v4), subnet6: v6 ? subnetText(v6) : null };
  }

  #put(record: NetworkRecord): void {
    this.#options.records.putNetwork(record);
    this.#know(record);
  }

  #know(record: NetworkRecord): void {
    const layout = layoutOf(record, specOf(record));
    this.#recorded.set(record.name, record);
    const known = this.#networks.get(record.name);
    if (known) known.change(layout);
    else this.#networks.set(record.name, layout.spec.driver === 'Bridge' ? new BridgeNetwork(this.#options, layout) : new ParentNetwork(this.#options.native, layout));
  }
}

const DEFAULT_SPEC = networkSpecSchema.parse({});

function specOf({ network }: NetworkRecord): NetworkSpec {
  return network?.spec ?? DEFAULT_SPEC;
}

function refuseOverlap(name: string, { driver }: NetworkSpec, subnet: Subnet, routes: HostRoutes['inUse'], others: readonly { readonly subnet: Subnet; readonly network: string }[]): void {
  const other = others.find((each) => overlaps(each.subnet, subnet));
  if (other) throw new MooringError('Conflict', `network ${name}: subnet ${subnetText(subnet)} overlaps ${subnetText(other.subnet)} of network ${other.network}`, { fix: 'give another subnet, or none to have one chosen' });
  // Of a network that lies on a link of the node, the node itself may well be a part.
  const route = driver === 'Bridge' ? routes.find((each) => overlaps(each.subnet, subnet)) : undefined;
  if (route) throw new MooringError('Conflict', `network ${name}: subnet ${subnetText(subnet)} overlaps ${subnetText(route.subnet)}, which this node reaches by ${route.link}`, { fix: 'give another subnet, or none to have one chosen' });
}
