import { MooringError } from '../../lib/errors.ts';
import { addressText, subnetText } from '../../spec/address.ts';
import { DEFAULT_NETWORK_NAME } from '../../spec/container-network.ts';
import { type NetworkName, networkName } from '../../spec/name.ts';
import type { Network } from '../../spec/network.ts';
import type { NetworkEngine, NetworkState } from '../networks.ts';
import { type ContainerNetworks, usedBy } from './container-networks.ts';
import { sidesOf } from './network-layout.ts';

/** What every network has. */
type Standing = Awaited<ReturnType<NetworkEngine['usual']>>;

/** The networks that somebody defined, by what the containers' networks keep. */
export class LocalNetworkEngine implements NetworkEngine {
  readonly #networks: ContainerNetworks;

  constructor(networks: ContainerNetworks) {
    this.#networks = networks;
  }

  async ensure(network: Network): Promise<void> {
    const name = networkName(network.metadata);
    await this.#networks.define(name, network);
  }

  list(): readonly NetworkName[] {
    return this.#networks.sites.nodes.list().flatMap(({ layout }) => (this.#networks.sites.nodes.record(layout.name)?.network ? [layout.name as NetworkName] : []));
  }

  async inspect(name: NetworkName): Promise<NetworkState | undefined> {
    const record = this.#networks.sites.nodes.record(name);
    const standing = this.#standing(name);
    if (!standing || !record?.network) return undefined;
    return { ...standing, name, network: record.network, faults: await this.#networks.sites.faults(name) };
  }

  async usual(): Promise<Standing> {
    await this.#networks.sites.nodes.prepareDefault();
    const standing = this.#standing(DEFAULT_NETWORK_NAME);
    if (!standing) throw new MooringError('Internal', "the node's own network has no subnets");
    return standing;
  }

  #standing(name: string): Standing | undefined {
    const node = this.#networks.sites.nodes.get(name);
    const record = this.#networks.sites.nodes.record(name);
    if (!node || !record) return undefined;
    const sides = sidesOf(node.layout);
    const { members } = this.#networks;
    const containers = members.on(name).flatMap((member) => {
      const endpoint = members.endpoints(member.id).find(({ layout }) => layout.name === name);
      return endpoint ? [{ name: member.name, addresses: [addressText(endpoint.v4), ...(endpoint.v6 ? [addressText(endpoint.v6)] : [])], mac: endpoint.mac }] : [];
    });
    return {
      subnets: sides.map(({ subnet }) => subnetText(subnet)),
      gateways: sides.map(({ gateway }) => addressText(gateway)),
      link: node.anchor?.name,
      containers,
      createdAt: record.createdAt,
    };
  }

  vacate(name: NetworkName): void {
    this.#networks.vacate(name);
  }

  async remove(name: NetworkName): Promise<void> {
    if (!this.#networks.sites.nodes.record(name)?.network) return;
    const users = this.#networks.members.on(name);
    if (users.length > 0) throw usedBy(name, users);
    await this.#networks.undefine(name);
  }

  subscribe(listener: (name: NetworkName) => void): () => void {
    return this.#networks.subscribe((name) => {
      if (this.#networks.sites.nodes.record(name)?.network) listener(name as NetworkName);
    });
  }
}
