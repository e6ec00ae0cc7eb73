import { closeSync } from 'node:fs';
import { errnoOf, MooringError } from '../../lib/errors.ts';
import type { NetworkNative } from '../../native/network.ts';
import * as rtnetlink from '../../native/rtnetlink.ts';
import type { NetworkSpec } from '../../spec/network.ts';

/** Throws `NotFound` where a network's parent is no link of the node, `Unsupported` where the kernel lacks its driver: tried in a namespace that goes at once. */
export async function probeDriver(native: NetworkNative, network: string, { driver, parent }: NetworkSpec): Promise<void> {
  if (driver === 'Bridge' || parent === undefined) return;
  const [reply] = await native.netlink(-1, [rtnetlink.getLink(parent)]);
  const [link] = rtnetlink.linksIn(reply?.data ?? Buffer.alloc(0));
  if (!link) throw new MooringError('NotFound', `network ${network}: parent ${parent} is no link of this node`, { fix: 'see "ip link" for its links' });
  const kind = driver === 'Ipvlan' ? 'ipvlan' : 'macvlan';
  const mode = kind === 'ipvlan' ? rtnetlink.SUBLINK_MODES.ipvlan.L2 : rtnetlink.SUBLINK_MODES.macvlan.Bridge;
  const namespace = await native.createNetworkNamespace();
  try {
    await native.netlink(namespace, [rtnetlink.createSublink({ name: 'probe', namespace, kind, mode, parent: link.index, mtu: link.mtu, mac: undefined })]);
  } catch (error) {
    // Whatever else is in the way now need not be when a container is connected.
    if (error instanceof Error && errnoOf(error.cause) === 'EOPNOTSUPP') throw new MooringError('Unsupported', `network ${network}: this kernel has no ${kind}`, { cause: error, fix: 'use driver Bridge, or a kernel with it' });
  } finally {
    closeSync(namespace);
  }
}
