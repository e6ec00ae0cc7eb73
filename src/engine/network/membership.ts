import { MooringError } from '../../lib/errors.ts';
import { addressText, contains, parseAddress } from '../../spec/address.ts';
import { type Attachment, attachmentsOf } from '../../spec/container-network.ts';
import type { Container } from '../../spec/container.ts';
import { type ContainerName, containerName } from '../../spec/name.ts';
import type { ContainerId } from '../engine.ts';
import type { EndpointRecord, NetworkRecords } from '../store/network-records.ts';
import { type Endpoint, endpointOf } from './endpoint.ts';
import type { NetworkSide } from './network-layout.ts';
import { networkKey } from './network-names.ts';
import type { NodeNetwork } from './node-network.ts';
import { numberIn } from './subnet.ts';

/** What of a container the network is about. */
export interface Member {
  readonly id: ContainerId;
  readonly container: Container;
}

/** A container's wish to be on a network, by the network's name. */
interface Wish {
  readonly attachment: Attachment;
  readonly network: string;
}

/** Who is on which network, with which addresses. */
export class Membership {
  readonly #records: NetworkRecords;
  readonly #networkOf: (name: string) => NodeNetwork | undefined;
  readonly #members = new Map<ContainerId, Member & { readonly name: ContainerName; readonly endpoints: readonly EndpointRecord[] }>();
  readonly #byName = new Map<ContainerName, ContainerId>();

  constructor(records: NetworkRecords, networkOf: (name: string) => NodeNetwork | undefined) {
    this.#records = records;
    this.#networkOf = networkOf;
  }

  /** Throws `NotFound` for a network that is not there, `Invalid` or `Conflict` for an address that the container can't have. */
  check(container: Container, id: ContainerId | undefined): void {
    const name = containerName(container.metadata);
    for (const { attachment, network } of wishesOf(container)) {
      const node = this.#networkOf(network);
      if (!node) throw new MooringError('NotFound', `container ${name}: there is no network ${network}`, { fix: 'make that network, or leave it out of spec.network.networks' });
      if (node.layout.spec.driver === 'Ipvlan' && attachment.macAddress !== undefined) throw new MooringError('Invalid', `container ${name} can't have a MAC address of its own on network ${network}, whose driver is Ipvlan`, { fix: 'leave macAddress out' });
      if (node.layout.spec.driver !== 'Bridge' && container.spec.network.bandwidth.ingress !== undefined) throw new MooringError('Unsupported', `container ${name}: what it receives on network ${network} can't be limited, since no bridge sends it`, { fix: 'leave bandwidth.ingress out' });
      this.#refuseAddress(name, id, network, node.layout.v4, attachment.ipv4Address);
      this.#refuseAddress(name, id, network, node.layout.v6, attachment.ipv6Address);
      const holder = attachment.macAddress === undefined ? undefined : this.on(network).find((each) => each.id !== id && this.endpoints(each.id).some((endpoint) => endpoint.layout.name === network && endpoint.mac === attachment.macAddress));
      if (holder) throw new MooringError('Conflict', `container ${name}: MAC address ${attachment.macAddress ?? ''} on network ${network} is that of container ${holder.name}`, { fix: 'give another one, or none' });
    }
  }

  /** Whether the node leads published ports to one of the networks that a container is to be on. */
  isReached(container: Container): boolean {
    return wishesOf(container).some(({ network }) => {
      const spec = this.#networkOf(network)?.layout.spec;
      return spec?.driver === 'Bridge' && !spec.internal;
    });
  }

  /** Gives a container its places and addresses on the networks that it is to be on, and takes those on others. To be called in a transaction; `know` follows. */
  reserve({ id, container }: Member, now: number): void {
    const wishes = wishesOf(container);
    const had = this.#records.endpointsOf(id);
    const name = containerName(container.metadata);
    for (const { network, ...held } of had) {
      const wish = wishes.find((each) => each.network === network);
      if (!wish || !this.#agrees(wish, held)) this.#records.disconnect(id, network);
    }
    const kept = this.#records.endpointsOf(id);
    const slots = new Set(kept.map(({ slot }) => slot));
    for (const wish of wishes) {
      if (kept.some(({ network }) => network === wish.network)) continue;
      const before = had.find(({ network }) => network === wish.network)?.slot;
      let slot = before ?? 0;
      while (slots.has(slot)) slot++;
      slots.add(slot);
      this.#records.connect(id, wish.network, slot);
      const { layout } = this.#node(wish.network);
      this.#take(name, id, wish.network, layout.v4, wish.attachment.ipv4Address, now);
      if (layout.v6) this.#take(name, id, wish.network, layout.v6, wish.attachment.ipv6Address, now);
    }
  }

  /** Takes up what is on record of a container, as its document has it now. */
  know({ id, container }: Member): void {
    const name = containerName(container.metadata);
    this.#byName.set(name, id);
    this.#members.set(id, { id, container, name, endpoints: this.#records.endpointsOf(id) });
  }

  /** Whether its document names a network that it has no place on. */
  lacks(id: ContainerId): boolean {
    const member = this.#members.get(id);
    return member !== undefined && wishesOf(member.container).some(({ network }) => !member.endpoints.some((each) => each.network === network));
  }

  /** Gives back the container's place on a network that its document goes on to name. To be called in a transaction; `know` follows. */
  leave(id: ContainerId, network: string): void {
    this.#records.disconnect(id, network);
  }

  forget(id: ContainerId): void {
    const member = this.#members.get(id);
    if (!member) return;
    this.#members.delete(id);
    if (this.#byName.get(member.name) === id) this.#byName.delete(member.name);
  }

  find(name: ContainerName): (Member & { readonly name: ContainerName }) | undefined {
    const id = this.#byName.get(name);
    return id === undefined ? undefined : this.#members.get(id);
  }

  get(id: ContainerId): (Member & { readonly name: ContainerName }) | undefined {
    return this.#members.get(id);
  }

  all(): readonly (Member & { readonly name: ContainerName })[] {
    return [...this.#members.values()];
  }

  /** The containers on a network. */
  on(network: string): readonly (Member & { readonly name: ContainerName })[] {
    return [...this.#members.values()].filter(({ endpoints }) => endpoints.some((each) => each.network === network));
  }

  /** Its connections, in the order of its document. */
  endpoints(id: ContainerId): Endpoint[] {
    const member = this.#members.get(id);
    if (!member) return [];
    return wishesOf(member.container).flatMap(({ attachment, network }) => {
      const record = member.endpoints.find((each) => each.network === network);
      return record ? [endpointOf(attachment, this.#node(network).layout, record)] : [];
    });
  }

  /** Notes on which port of the bridge it hangs. */
  setPort(id: ContainerId, network: string, port: string): void {
    const member = this.#members.get(id);
    if (!member || member.endpoints.some((each) => each.network === network && each.port === port)) return;
    this.#records.setPort(id, network, port);
    this.know(member);
  }

  #agrees({ attachment, network }: Wish, { v4, v6 }: Pick<EndpointRecord, 'v4' | 'v6'>): boolean {
    const { layout } = this.#node(network);
    const same = (asked: string | undefined, side: NetworkSide | undefined, held: bigint | undefined): boolean => asked === undefined || (side !== undefined && numberIn(side.subnet, parseAddress(asked)) === held);
    return same(attachment.ipv4Address, layout.v4, v4) && same(attachment.ipv6Address, layout.v6, v6);
  }

  #take(name: ContainerName, id: ContainerId, network: string, { subnet, range }: NetworkSide, asked: string | undefined, now: number): void {
    const family = subnet.base.length === 4 ? 4 : 6;
    if (asked === undefined) {
      this.#records.takeNext(network, family, id, range, now);
      return;
    }
    const address = parseAddress(asked);
    const holder = this.#records.takeThis(network, family, id, numberIn(subnet, address));
    if (holder !== undefined && holder !== name) throw takenBy(name, asked, network, holder);
  }

  #refuseAddress(name: ContainerName, id: ContainerId | undefined, network: string, side: NetworkSide | undefined, asked: string | undefined): void {
    if (asked === undefined) return;
    const address = parseAddress(asked);
    const text = addressText(address);
    if (!side) throw new MooringError('Invalid', `container ${name} can't have ${text} on network ${network}, which has no IPv6`, { fix: 'leave ipv6Address out' });
    if (!contains(side.subnet, address)) throw new MooringError('Invalid', `container ${name} can't have ${text} on network ${network}, which is ${addressText(side.subnet.base)}/${side.subnet.prefix}`, { fix: "give one of the network's addresses, or none" });
    const number = numberIn(side.subnet, address);
    if (address.equals(side.gateway)) throw new MooringError('Conflict', `container ${name} can't have ${text} on network ${network}: it is the gateway's`, { fix: 'give another address, or none' });
    if (side.range.reserved.includes(number)) throw new MooringError('Invalid', `container ${name} can't have ${text} on network ${network}: it is no address of a host there`, { fix: 'give another address, or none' });
    const holder = this.#records.holder(network, address.length === 4 ? 4 : 6, number);
    if (holder !== undefined && holder !== name && this.#byName.get(holder) !== id) throw takenBy(name, text, network, holder);
  }

  #node(network: string): NodeNetwork {
    const node = this.#networkOf(network);
    if (!node) throw new MooringError('Internal', `network ${network} went while a container was connected to it`);
    return node;
  }
}

/** The networks that a container is to be on, in the order of its document. */
export function wishesOf({ metadata, spec }: Container): Wish[] {
  return attachmentsOf(spec.network).map((attachment) => ({ attachment, network: networkKey(metadata.namespace, attachment.name) }));
}

function takenBy(name: ContainerName, address: string, network: string, holder: ContainerName): MooringError {
  return new MooringError('Conflict', `container ${name}: address ${address} on network ${network} is that of container ${holder}`, { fix: 'give another address, or none' });
}
