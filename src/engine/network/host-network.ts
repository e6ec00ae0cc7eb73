import { createHash } from 'node:crypto';
import { MooringError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { NetworkNative } from '../../native/network.ts';
import * as rtnetlink from '../../native/rtnetlink.ts';
import type { NetworkRecords } from '../store/network-records.ts';
import type { Connection } from './container-link.ts';
import { closeDockerUser, obstructions, openDockerUser } from './docker-user.ts';
import { allowForwarding, forwardingFaults, hasIPv6 } from './forwarding.ts';
import { bridgeName, tableName } from './network-names.ts';
import { RuleTable } from './rule-table.ts';
import type { Element, RulesOptions } from './rules.ts';
import { addressText, overlaps, parseSubnet, type Subnet, subnetText } from '../../spec/address.ts';
import { addressAt, freeSubnet4, freeSubnet6, sizeOf } from './subnet.ts';

/** The name under which the one network of an instance is on record. */
export const DEFAULT_NETWORK = 'default';
/** The gateway has the first address; the last is for broadcasts. */
const GATEWAY = 1;
const DEFAULT_MTU = 1500;
/** For so long a finding holds for further containers that are looked at; events end it sooner. */
const FINDING_MS = 1_000;

export interface HostNetworkOptions {
  readonly native: NetworkNative;
  readonly records: NetworkRecords;
  readonly instance: string;
  readonly logger: Logger;
}

interface Bridge {
  readonly name: string;
  readonly index: number;
}

/** The node's side of an instance's network: bridge, addresses, kernel switches and rules. Made with the first container that wants it. */
export class HostNetwork {
  readonly bridgeName: string;
  readonly #options: HostNetworkOptions;
  readonly #table: RuleTable;
  #subnets: { readonly v4: Subnet; readonly v6: Subnet | undefined } | undefined;
  #mtu = DEFAULT_MTU;
  #bridge: Bridge | undefined;
  #raising: Promise<void> | undefined;
  #finding: { readonly faults: Promise<string[]>; readonly at: number } | undefined;

  constructor(options: HostNetworkOptions) {
    this.#options = options;
    this.bridgeName = bridgeName(options.instance);
    this.#table = new RuleTable(options.native);
    const record = options.records.network(DEFAULT_NETWORK);
    if (record) this.#subnets = { v4: parseSubnet(record.subnet4), v6: record.subnet6 === null ? undefined : parseSubnet(record.subnet6) };
  }

  get bridgeIndex(): number | undefined {
    return this.#bridge?.index;
  }

  /** Chooses the subnets where that has not been done. Must have settled before an address is given out. */
  async prepare(): Promise<void> {
    if (!this.#subnets) await this.#chooseSubnets();
  }

  /** Numbers of the addresses that containers may have. */
  get hosts(): { readonly first: number; readonly last: number } {
    return { first: GATEWAY + 1, last: sizeOf(this.#chosen().v4) - 2 };
  }

  /** The addresses with that number. */
  addressesAt(host: number): Connection['addresses'] {
    const { v4, v6 } = this.#chosen();
    return { v4: addressAt(v4, host), v6: v6 && addressAt(v6, host) };
  }

  /** How the container with that address is connected. Undefined while the bridge is gone. */
  connection(host: number): Connection | undefined {
    const { v4, v6 } = this.#chosen();
    if (!this.#bridge) return undefined;
    return { bridge: this.#bridge, mtu: this.#mtu, addresses: this.addressesAt(host), gateways: this.addressesAt(GATEWAY), prefixes: { v4: v4.prefix, v6: v6?.prefix ?? 0 } };
  }

  /** Makes all of it, if that has not been done. `renumber`: no container has an address in use, so that the subnet may give way to a host that uses it. */
  async raise({ renumber }: { readonly renumber: boolean }): Promise<void> {
    if (this.#bridge) return;
    this.#raising ??= this.#raise(renumber).finally(() => (this.#raising = undefined));
    await this.#raising;
  }

  /** Takes up a network that a daemon before this one left, with the elements of the containers that run. The rules may be of an older version, so they are written anew. */
  async adopt(elements: ReadonlyMap<string, readonly Element[]>): Promise<void> {
    const [link] = await this.#lookUp();
    if (link) this.#bridge = { name: link.name, index: link.index };
    this.#mtu = (await this.#hostRoutes()).mtu;
    for (const [owner, each] of elements) this.#table.expect(owner, each);
    await this.#table.write(this.#rules());
  }

  publish(owner: string, elements: readonly Element[]): Promise<void> {
    return this.#table.publish(this.#rules(), owner, elements);
  }

  async withdraw(owner: string): Promise<void> {
    if (this.#subnets) await this.#table.withdraw(this.#rules(), owner);
  }

  /** What is not as it should be, for people. Read once for all containers that are looked at together. */
  faults(): Promise<string[]> {
    const now = Date.now();
    if (this.#finding && Math.abs(now - this.#finding.at) < FINDING_MS) return this.#finding.faults;
    const faults = this.#inspect();
    this.#finding = { faults, at: now };
    return faults;
  }

  /** What of the bridge itself is not as it should be: the quick part of `faults`. */
  async bridgeFaults(): Promise<string[]> {
    const { native } = this.#options;
    const [link] = await this.#lookUp();
    if (!link) return [`bridge ${this.bridgeName} is gone`];
    const [addresses] = await native.netlink(-1, [rtnetlink.dumpAddresses({ index: link.index })]);
    const held = rtnetlink.addressesIn(addresses?.data ?? Buffer.alloc(0)).filter(({ index }) => index === link.index);
    const gateway = this.addressesAt(GATEWAY);
    const lost = [gateway.v4, ...(gateway.v6 ? [gateway.v6] : [])].filter((each) => !held.some(({ address }) => address.equals(each)));
    return [
      ...(link.index === this.#bridge?.index ? [] : [`bridge ${link.name} was replaced`]),
      ...(link.up ? [] : [`bridge ${link.name} is down`]),
      ...lost.map((each) => `bridge ${link.name} has lost ${addressText(each)}`),
    ];
  }

  /** Something may have changed: the next to ask gets a new finding. */
  suspect(): void {
    this.#finding = undefined;
  }

  /** Makes right what `faults` finds wrong. */
  async repair(): Promise<void> {
    this.suspect();
    if ((await this.faults()).length > 0) {
      this.#bridge = undefined;
      await this.raise({ renumber: false });
      this.suspect();
    }
  }

  /** Takes everything away that is there of it. */
  async lower(): Promise<void> {
    const { native } = this.#options;
    const [link] = await this.#lookUp();
    this.#bridge = undefined;
    this.suspect();
    if (link) {
      await closeDockerUser(native, this.bridgeName);
      await native.netlink(-1, [rtnetlink.deleteLink(this.bridgeName)]);
    }
    await this.#table.remove(tableName(this.#options.instance));
  }

  async #raise(renumber: boolean): Promise<void> {
    const { native, instance, logger } = this.#options;
    const name = this.bridgeName;
    if (renumber && (await this.#isTaken())) await this.#chooseSubnets();
    await this.prepare();
    this.#mtu = (await this.#hostRoutes()).mtu;
    const { v4, v6 } = this.addressesAt(GATEWAY);
    const mac = `02:6d:${createHash('sha256').update(instance).digest('hex').slice(0, 8).replace(/..(?=.)/g, '$&:')}`;
    await native.netlink(-1, [{ ...rtnetlink.createBridge(name, { mac, mtu: this.#mtu }), tolerate: 'EEXIST' }, rtnetlink.setAlias(name, `Mooring's bridge of instance ${instance}`), rtnetlink.setUp(name)]);
    const [link] = await this.#lookUp();
    if (!link) throw new MooringError('Unavailable', `bridge ${name} went while it was set up`);
    if (link.kind !== 'bridge') throw new MooringError('Conflict', `link ${name} is a ${link.kind ?? 'device'}, not our bridge`, { fix: 'rename it, or use another --instance' });
    const { v4: s4, v6: s6 } = this.#chosen();
    await native.netlink(-1, [rtnetlink.addAddress(link.index, v4, s4.prefix), ...(v6 && s6 ? [rtnetlink.addAddress(link.index, v6, s6.prefix)] : [])]);
    const turnedOn = await allowForwarding(name, v6 !== undefined);
    if (turnedOn.length > 0) logger.info({ turnedOn }, 'kernel switches that bridge networks want were turned on, and stay on');
    await this.#table.write(this.#rules());
    await openDockerUser(native, name);
    this.#bridge = { name, index: link.index };
  }

  async #inspect(): Promise<string[]> {
    const { native } = this.#options;
    const name = this.bridgeName;
    const [bridge, off, rules, closed] = await Promise.all([
      this.bridgeFaults(),
      forwardingFaults(name, this.#chosen().v6 !== undefined),
      this.#table.faults(this.#rules()),
      obstructions(native, name),
    ]);
    return [
      ...bridge,
      // With the bridge goes its own switch.
      ...off.filter(({ file }) => this.#bridge !== undefined || !file.includes(name)).map(({ file, why }) => `${file.replaceAll('/', '.')} is off: ${why}`),
      ...rules,
      ...closed.map((family) => `Docker's firewall (${family}) does not let ${name} through`),
    ];
  }

  async #lookUp(): Promise<rtnetlink.Link[]> {
    const [reply] = await this.#options.native.netlink(-1, [rtnetlink.getLink(this.bridgeName)]);
    return rtnetlink.linksIn(reply?.data ?? Buffer.alloc(0));
  }

  async #isTaken(): Promise<boolean> {
    const { v4, v6 } = this.#subnets ?? {};
    const { inUse } = await this.#hostRoutes();
    return inUse.some((each) => (v4 !== undefined && overlaps(each, v4)) || (v6 !== undefined && overlaps(each, v6)));
  }

  async #chooseSubnets(): Promise<void> {
    const { records, instance, logger } = this.#options;
    const [{ inUse }, ipv6] = await Promise.all([this.#hostRoutes(), hasIPv6()]);
    const v4 = freeSubnet4(inUse);
    if (!v4) throw new MooringError('Unavailable', 'no private IPv4 range is free of the routes of this node', { fix: 'remove routes into 172.16.0.0/12 or 10.0.0.0/8' });
    const v6 = ipv6 ? freeSubnet6(inUse, instance) : undefined;
    records.putNetwork({ name: DEFAULT_NETWORK, subnet4: subnetText(v4), subnet6: v6 ? subnetText(v6) : null });
    this.#subnets = { v4, v6 };
    logger.info({ subnet4: subnetText(v4), subnet6: v6 && subnetText(v6) }, 'chose the subnets of the default network');
  }

  /** What the node reaches by other interfaces than our bridge, and the MTU of its way out. */
  async #hostRoutes(): Promise<{ readonly inUse: Subnet[]; readonly mtu: number }> {
    const replies = await this.#options.native.netlink(-1, [rtnetlink.dumpLinks(), rtnetlink.dumpAddresses(), rtnetlink.dumpRoutes()]);
    const links = rtnetlink.linksIn(replies[0]?.data ?? Buffer.alloc(0));
    const addresses = rtnetlink.addressesIn(replies[1]?.data ?? Buffer.alloc(0));
    const routes = rtnetlink.routesIn(replies[2]?.data ?? Buffer.alloc(0));
    const ours = links.find(({ name }) => name === this.bridgeName)?.index;
    const out = routes.find(({ destination, family }) => destination === undefined && family === 4)?.index;
    return {
      inUse: [
        ...addresses.filter(({ index }) => index !== ours).map(({ address, prefix }) => ({ base: address, prefix })),
        ...routes.flatMap(({ destination, prefix, index }) => (destination && index !== ours ? [{ base: destination, prefix }] : [])),
      ],
      mtu: Math.min(DEFAULT_MTU, links.find(({ index }) => index === out)?.mtu ?? DEFAULT_MTU),
    };
  }

  #rules(): RulesOptions {
    const { v4, v6 } = this.#chosen();
    return { table: tableName(this.#options.instance), bridge: this.bridgeName, subnet4: v4, subnet6: v6 };
  }

  #chosen(): { readonly v4: Subnet; readonly v6: Subnet | undefined } {
    if (!this.#subnets) throw new MooringError('Internal', 'the default network was used before its subnets were chosen');
    return this.#subnets;
  }
}
