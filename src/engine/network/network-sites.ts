import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { Semaphore } from '../../lib/semaphore.ts';
import type { NetworkNative } from '../../native/network.ts';
import { addressText, subnetText } from '../../spec/address.ts';
import type { Network } from '../../spec/network.ts';
import type { NetworkNames } from '../names/endpoint.ts';
import type { NetworkRecords } from '../store/network-records.ts';
import { Firewall } from './firewall.ts';
import { sidesOf } from './network-layout.ts';
import type { NodeNetwork } from './node-network.ts';
import { NodeNetworks } from './node-networks.ts';

export interface NetworkSitesOptions {
  readonly native: NetworkNative;
  readonly records: NetworkRecords;
  readonly instance: string;
  readonly logger: Logger;
  readonly names: NetworkNames | undefined;
  /** Whether anybody is on a network, running or not. */
  readonly isUsed: (network: string) => boolean;
}

/** The node's side of all networks: made with the first who wants it, taken away with the last; one change after the other. */
export class NetworkSites {
  readonly nodes: NodeNetworks;
  readonly firewall: Firewall;
  readonly #options: NetworkSitesOptions;
  readonly #oneByOne = new Semaphore(1);

  constructor(options: NetworkSitesOptions) {
    const { native, records, instance, logger } = options;
    this.#options = options;
    this.firewall = new Firewall(native, instance, logger);
    this.nodes = new NodeNetworks({ native, records, firewall: this.firewall, instance, logger });
  }

  /** Makes what is not there yet. */
  raise(networks: readonly string[]): Promise<void> {
    return this.#oneByOne.run(async () => {
      for (const network of networks) {
        const node = this.nodes.get(network);
        if (node && !node.anchor) await this.#make(node);
      }
    });
  }

  /** Makes right what is wrong. */
  restore(networks: readonly string[]): Promise<void> {
    return this.#oneByOne.run(async () => {
      for (const network of networks) {
        const node = this.nodes.get(network);
        if (!node) continue;
        if (node.anchor === undefined) {
          await this.#make(node);
        } else {
          await node.repair();
          await this.#serveNames(node);
        }
      }
      await this.firewall.repair();
    });
  }

  /** Takes a network's part away, unless somebody is on it. */
  lowerUnused(network: string): Promise<void> {
    return this.#oneByOne.run(async () => {
      if (this.#options.isUsed(network)) return;
      await this.#options.names?.close(network);
      await this.nodes.get(network)?.lower();
    });
  }

  /** Takes up what a daemon before this one left of the networks `inUse`, and takes the others' away. The rules are those that `firewall` expects by then. */
  adopt(inUse: ReadonlySet<string>): Promise<void> {
    return this.#oneByOne.run(async () => {
      const used = this.nodes.list().filter(({ layout }) => inUse.has(layout.name));
      for (const node of used) await node.adopt();
      // The rules may be of an older version.
      if (used.some(({ layout }) => layout.spec.driver === 'Bridge')) await this.firewall.write();
      for (const node of this.nodes.list()) {
        if (inUse.has(node.layout.name)) await this.#serveNames(node);
        else await node.lower();
      }
    });
  }

  /** Has a network as its document says. See NetworkEngine. */
  define(name: string, network: Network): Promise<void> {
    return this.#oneByOne.run(async () => {
      await this.nodes.define(name, network);
      const node = this.nodes.get(name);
      if (node?.anchor) await node.repair();
    });
  }

  /** What is not as it should be, while it is there. */
  async faults(network: string): Promise<string[]> {
    const node = this.nodes.get(network);
    if (!node?.anchor) return [];
    return (await Promise.all([node.faults(), ...(node.anchor.kind === 'bridge' ? [this.firewall.faults()] : [])])).flat();
  }

  /** What the node has come to use itself since the subnets were chosen is left to it: nobody's interface is there yet. */
  async #make(node: NodeNetwork): Promise<void> {
    await this.nodes.renumber(node.layout.name);
    await node.raise();
    await this.#serveNames(node);
  }

  /** Names are worth a warning, not a container that does not start. */
  async #serveNames({ layout, anchor }: NodeNetwork): Promise<void> {
    if (anchor?.kind !== 'bridge') return;
    const sides = sidesOf(layout);
    await this.#options.names?.open(layout.name, { gateways: sides.map(({ gateway }) => addressText(gateway)), subnets: sides.map(({ subnet }) => subnetText(subnet)) }).catch((error: unknown) => {
      this.#options.logger.warn({ network: layout.name, error: messageOf(error) }, 'the names of a network can not be served');
    });
  }
}
