import type { AddressBytes } from '../../native/rtnetlink.ts';
import { addressText } from '../../spec/address.ts';
import type { Attachment } from '../../spec/container-network.ts';
import type { EndpointRecord } from '../store/network-records.ts';
import type { NetworkLayout } from './network-layout.ts';
import type { Element } from './rules.ts';
import { addressAt } from './subnet.ts';

/** Where a container is reached. */
export interface ContainerAddresses {
  readonly v4: AddressBytes;
  readonly v6: AddressBytes | undefined;
}

/** One connection of a container, as it is to be. */
export interface Endpoint extends ContainerAddresses {
  readonly attachment: Attachment;
  readonly layout: NetworkLayout;
  /** n of its interface `ethn`. */
  readonly slot: number;
  readonly mac: string;
  /** The bridge's port in its last run. */
  readonly port: string | undefined;
}

export function endpointOf(attachment: Attachment, layout: NetworkLayout, { slot, port, v4, v6 }: Pick<EndpointRecord, 'slot' | 'port' | 'v4' | 'v6'>): Endpoint {
  const address4 = addressAt(layout.v4.subnet, v4 ?? 0n);
  return { attachment, layout, slot, port: port ?? undefined, v4: address4, v6: layout.v6 && v6 !== undefined ? addressAt(layout.v6.subnet, v6) : undefined, mac: attachment.macAddress ?? macOf(address4) };
}

/** Stays the same for an address, so that nobody's neighbour table is wrong after a restart. */
export function macOf(v4: AddressBytes): string {
  return ['02', '6d', ...[...v4].map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}

/** What may come in by the port of a bridge: only what bears the addresses of the container behind it. */
export function guardElements(port: string, { mac, v4, v6 }: Pick<Endpoint, 'mac' | 'v4' | 'v6'>): Element[] {
  const name = `"${port}"`;
  const own6 = v6 ? [v6, linkLocalOf(mac)] : [linkLocalOf(mac)];
  return [
    { set: 'ports', key: name },
    { set: 'hosts4', key: `${name} . ${mac} . ${addressText(v4)}` },
    // With no address at all a host asks whether the one that it is about to take is free (RFC 4862 §5.4.2).
    ...[Buffer.alloc(16), ...own6].map((address) => ({ set: 'hosts6', key: `${name} . ${mac} . ${addressText(address)}` }) as const),
    ...own6.map((address) => ({ set: 'targets6', key: `${name} . 0x${BigInt(`0x${address.toString('hex')}`).toString(16)}` }) as const),
  ];
}

/** The address that the kernel gives an interface by its MAC address (RFC 4291 appendix A). */
export function linkLocalOf(mac: string): AddressBytes {
  const bytes = Buffer.from(mac.replaceAll(':', ''), 'hex');
  return Buffer.from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, (bytes[0] ?? 0) ^ 2, ...bytes.subarray(1, 3), 0xff, 0xfe, ...bytes.subarray(3)]);
}
