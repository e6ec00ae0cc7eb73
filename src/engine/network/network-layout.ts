import type { AddressBytes } from '../../native/rtnetlink.ts';
import { parseAddress, parseSubnet, type Subnet } from '../../spec/address.ts';
import type { NetworkSpec } from '../../spec/network.ts';
import type { AddressRange, NetworkRecord } from '../store/network-records.ts';
import { addressAt, numberIn, sizeOf } from './subnet.ts';

/** A network's addresses of one family. */
export interface NetworkSide {
  readonly subnet: Subnet;
  readonly gateway: AddressBytes;
  /** What containers are given that ask for none. */
  readonly range: AddressRange;
}

/** What a network is, with all that was chosen for it. */
export interface NetworkLayout {
  readonly name: string;
  readonly spec: NetworkSpec;
  readonly v4: NetworkSide;
  readonly v6: NetworkSide | undefined;
}

export function layoutOf({ name, subnet4, subnet6 }: NetworkRecord, spec: NetworkSpec): NetworkLayout {
  return { name, spec, v4: sideOf(parseSubnet(subnet4), spec), v6: subnet6 === null ? undefined : sideOf(parseSubnet(subnet6), spec) };
}

/** The subnet of that family that the spec gives. */
export function givenSubnet({ subnets }: NetworkSpec, family: 4 | 6): NetworkSpec['subnets'][number] | undefined {
  return subnets.find(({ cidr }) => cidr.includes(':') === (family === 6));
}

export function sidesOf({ v4, v6 }: NetworkLayout): NetworkSide[] {
  return v6 ? [v4, v6] : [v4];
}

function sideOf(subnet: Subnet, spec: NetworkSpec): NetworkSide {
  const given = givenSubnet(spec, subnet.base.length === 4 ? 4 : 6);
  const gateway = given?.gateway === undefined ? addressAt(subnet, 1n) : parseAddress(given.gateway);
  const last = sizeOf(subnet) - 1n;
  const part = given?.ipRange === undefined ? subnet : parseSubnet(given.ipRange);
  const first = numberIn(subnet, part.base);
  // The first address is the subnet's own name, the last is for broadcasts.
  return { subnet, gateway, range: { first, last: first + sizeOf(part) - 1n, reserved: [0n, last, numberIn(subnet, gateway)] } };
}
