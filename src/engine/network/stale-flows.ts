import { deleteFlow, dumpFlows, type Flow, flowsIn } from '../../native/conntrack.ts';
import type { NetworkNative } from '../../native/network.ts';
import * as rtnetlink from '../../native/rtnetlink.ts';
import type { ContainerAddresses } from './endpoint.ts';
import type { PublishedPort } from './published-port.ts';

/** Above this, all flows are looked through once rather than those of each port. */
const FEW_PORTS = 16;

/**
 * Forgets the UDP flows to published ports that lead elsewhere than to `target` (undefined: nowhere any more): the kernel goes by what it tracks for as long as
 * packets come, and would go on sending them to where the port led before. Connections of TCP end of themselves.
 */
export async function forgetStaleFlows(native: NetworkNative, ports: readonly PublishedPort[], target: Partial<ContainerAddresses> | undefined): Promise<void> {
  const numbers = new Set(ports.filter(({ protocol }) => protocol === 'udp').flatMap(({ hostPort, count }) => Array.from({ length: count }, (_, n) => hostPort + n)));
  if (numbers.size === 0) return;
  const asked = numbers.size > FEW_PORTS ? [undefined] : [...numbers];
  const replies = await native.netlink(-1, ([4, 6] as const).flatMap((family) => asked.map((port) => dumpFlows(family, port))));
  const elsewhere = ({ destinationPort, answersFrom }: Flow): boolean => numbers.has(destinationPort) && ![target?.v4, target?.v6].some((each) => each?.equals(answersFrom));
  const flows = replies.flatMap(({ data }) => flowsIn(data)).filter(elsewhere);
  if (flows.length === 0) return;
  // What the node itself sends to that port of others is none of it.
  const [addresses] = await native.netlink(-1, [rtnetlink.dumpAddresses()]);
  const own = rtnetlink.addressesIn(addresses?.data ?? Buffer.alloc(0)).map(({ address }) => address);
  const stale = flows.filter(({ destination }) => destination[0] === 127 || own.some((each) => each.equals(destination)));
  if (stale.length > 0) await native.netlink(-1, stale.map(deleteFlow));
}
