import type { NetworkNative } from '../../native/network.ts';
import * as rtnetlink from '../../native/rtnetlink.ts';
import type { Subnet } from '../../spec/address.ts';

const DEFAULT_MTU = 1500;

/** What the node reaches, and how. */
export interface HostRoutes {
  /** Each subnet that a route or an address of the node is of, and the link that it is by. */
  readonly inUse: readonly { readonly subnet: Subnet; readonly link: string }[];
  /** That of its way out, and no more than Ethernet's. */
  readonly mtu: number;
}

export async function readHostRoutes(native: NetworkNative): Promise<HostRoutes> {
  const replies = await native.netlink(-1, [rtnetlink.dumpLinks(), rtnetlink.dumpAddresses(), rtnetlink.dumpRoutes()]);
  const links = rtnetlink.linksIn(replies[0]?.data ?? Buffer.alloc(0));
  const addresses = rtnetlink.addressesIn(replies[1]?.data ?? Buffer.alloc(0));
  const routes = rtnetlink.routesIn(replies[2]?.data ?? Buffer.alloc(0));
  const names = new Map(links.map(({ index, name }) => [index, name]));
  const nameOf = (index: number | undefined): string => (index === undefined ? '' : (names.get(index) ?? ''));
  const out = routes.find(({ destination, family }) => destination === undefined && family === 4)?.index;
  return {
    inUse: [
      ...addresses.map(({ address, prefix, index }) => ({ subnet: { base: address, prefix }, link: nameOf(index) })),
      ...routes.flatMap(({ destination, prefix, index }) => (destination ? [{ subnet: { base: destination, prefix }, link: nameOf(index) }] : [])),
    ],
    mtu: Math.min(DEFAULT_MTU, links.find(({ index }) => index === out)?.mtu ?? DEFAULT_MTU),
  };
}
