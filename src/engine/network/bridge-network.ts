import { createHash } from 'node:crypto';
import { MooringError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { NetworkNative } from '../../native/network.ts';
import * as rtnetlink from '../../native/rtnetlink.ts';
import { addressText, parseAddress } from '../../spec/address.ts';
import { CachedFinding } from './cached-finding.ts';
import { closeDockerUser, obstructions, openDockerUser } from './docker-user.ts';
import type { Firewall } from './firewall.ts';
import { allowForwarding, forwardingFaults, leadsLoopback6, takeAddressesAtOnce } from './forwarding.ts';
import { readHostRoutes } from './host-routes.ts';
import { type NetworkLayout, sidesOf } from './network-layout.ts';
import { bridgeAlias, bridgeName } from './network-names.ts';
import type { Anchor, NodeNetwork } from './node-network.ts';

export interface BridgeNetworkOptions {
  readonly native: NetworkNative;
  readonly firewall: Firewall;
  readonly instance: string;
  readonly logger: Logger;
}

const LOOPBACK6 = parseAddress('::1');
/** Behind every route that the kernel makes itself. */
const LAST_METRIC = 4096;

/** A bridge with the node's addresses on it, kernel switches and rules. */
export class BridgeNetwork implements NodeNetwork {
  #layout: NetworkLayout;
  readonly name: string;
  readonly #options: BridgeNetworkOptions;
  readonly #finding: CachedFinding;
  #mtu = 0;
  #index: number | undefined;
  #raising: Promise<void> | undefined;

  constructor(options: BridgeNetworkOptions, layout: NetworkLayout) {
    this.#options = options;
    this.#layout = layout;
    this.name = bridgeName(options.instance, layout.name);
    this.#finding = new CachedFinding(() => this.#inspect());
  }

  get layout(): NetworkLayout {
    return this.#layout;
  }

  get anchor(): Anchor | undefined {
    return this.#index === undefined ? undefined : { kind: 'bridge', name: this.name, index: this.#index };
  }

  get mtu(): number {
    return this.#mtu;
  }

  change(layout: NetworkLayout): void {
    this.#layout = layout;
    this.suspect();
  }

  async raise(): Promise<void> {
    if (this.#index !== undefined) return;
    this.#raising ??= this.#raise().finally(() => (this.#raising = undefined));
    await this.#raising;
  }

  async adopt(): Promise<void> {
    const [link] = await this.#lookUp();
    this.#index = link?.index;
    this.#mtu = await this.#wantedMtu();
    this.#options.firewall.expectBridge(this.name, this.layout);
  }

  faults(): Promise<string[]> {
    return this.#finding.faults();
  }

  async linkFaults(): Promise<string[]> {
    const { native } = this.#options;
    const [link] = await this.#lookUp();
    if (!link) return [`bridge ${this.name} is gone`];
    const [addresses] = await native.netlink(-1, [rtnetlink.dumpAddresses({ index: link.index })]);
    const held = rtnetlink.addressesIn(addresses?.data ?? Buffer.alloc(0)).filter(({ index }) => index === link.index);
    const lost = sidesOf(this.layout).filter(({ gateway }) => !held.some(({ address }) => address.equals(gateway)));
    return [
      ...(link.index === this.#index ? [] : [`bridge ${link.name} was replaced`]),
      ...(link.up ? [] : [`bridge ${link.name} is down`]),
      ...(link.mtu === this.#mtu ? [] : [`bridge ${link.name} has an MTU of ${link.mtu}, want ${this.#mtu}`]),
      ...lost.map(({ gateway }) => `bridge ${link.name} has lost ${addressText(gateway)}`),
    ];
  }

  suspect(): void {
    this.#finding.suspect();
  }

  async repair(): Promise<void> {
    this.suspect();
    if ((await this.faults()).length === 0) return;
    this.#index = undefined;
    await this.raise();
    this.suspect();
  }

  async lower(): Promise<void> {
    const { native, firewall } = this.#options;
    const [link] = await this.#lookUp();
    this.#index = undefined;
    this.suspect();
    if (link) {
      await closeDockerUser(native, this.name);
      await native.netlink(-1, [rtnetlink.deleteLink(this.name)]);
    }
    await firewall.close(this.name);
  }

  async #raise(): Promise<void> {
    const { native, firewall, instance, logger } = this.#options;
    const { name, layout } = this;
    this.#mtu = await this.#wantedMtu();
    const mac = `02:6d:${createHash('sha256').update(name === bridgeName(instance) ? instance : name).digest('hex').slice(0, 8).replace(/..(?=.)/g, '$&:')}`;
    const alias = bridgeAlias(instance, layout.name);
    const [made] = await native.netlink(-1, [{ ...rtnetlink.createBridge(name, { mac, mtu: this.#mtu }), tolerate: 'EEXIST' }]);
    const [link] = await this.#lookUp();
    if (!link) throw new MooringError('Unavailable', `bridge ${name} went while it was set up`);
    if (link.kind !== 'bridge') throw new MooringError('Conflict', `link ${name} is a ${link.kind ?? 'device'}, not our bridge`, { fix: 'rename it, or use another --instance' });
    // Before its alias is set, a bridge that a killed daemon made has none.
    if (made?.errno !== undefined && link.alias !== undefined && link.alias !== alias) throw new MooringError('Conflict', `bridge ${name} is "${link.alias}", not that of network ${layout.name}`, { fix: 'remove it, or rename the network' });
    await takeAddressesAtOnce(name);
    await native.netlink(-1, [
      rtnetlink.setAlias(name, alias),
      rtnetlink.setLink(link.index, { mac, mtu: this.#mtu }),
      rtnetlink.setUp(name),
      ...sidesOf(layout).map(({ gateway, subnet }) => rtnetlink.addAddress(link.index, gateway, subnet.prefix)),
      ...(layout.v6 && (await leadsLoopback6()) ? [rtnetlink.addLocalRoute(link.index, LOOPBACK6, LAST_METRIC)] : []),
    ]);
    const turnedOn = await allowForwarding(name, layout.v6 !== undefined);
    if (turnedOn.length > 0) logger.info({ turnedOn }, 'kernel switches that bridge networks want were turned on, and stay on');
    await firewall.open(name, layout);
    await openDockerUser(native, name);
    this.#index = link.index;
  }

  async #inspect(): Promise<string[]> {
    const { native } = this.#options;
    const [bridge, off, closed] = await Promise.all([this.linkFaults(), forwardingFaults(this.name, this.layout.v6 !== undefined), obstructions(native, this.name)]);
    return [
      ...bridge,
      // With the bridge goes its own switch.
      ...off.filter(({ file }) => this.#index !== undefined || !file.includes(this.name)).map(({ file, why }) => `${file.replaceAll('/', '.')} is off: ${why}`),
      ...closed.map((family) => `Docker's firewall (${family}) does not let ${this.name} through`),
    ];
  }

  async #wantedMtu(): Promise<number> {
    return this.layout.spec.mtu ?? (await readHostRoutes(this.#options.native)).mtu;
  }

  async #lookUp(): Promise<rtnetlink.Link[]> {
    const [reply] = await this.#options.native.netlink(-1, [rtnetlink.getLink(this.name)]);
    return rtnetlink.linksIn(reply?.data ?? Buffer.alloc(0));
  }
}
