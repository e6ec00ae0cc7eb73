import { MooringError } from '../../lib/errors.ts';
import type { Container } from '../../spec/container.ts';
import { parseBitRate } from '../../spec/resources.ts';
import type { Connection } from './container-link.ts';
import type { Endpoint } from './endpoint.ts';
import { interfaceName, portName } from './network-names.ts';
import type { NodeNetwork } from './node-network.ts';

/** The interfaces that a container is to have. By the first network that leads out go its default routes. Throws `Unavailable` while the node's side of one is gone. */
export function connectionsOf({ ingress, egress }: Container['spec']['network']['bandwidth'], endpoints: readonly Endpoint[], networkOf: (name: string) => NodeNetwork | undefined): Connection[] {
  const way4 = endpoints.find(({ layout }) => !layout.spec.internal);
  const way6 = endpoints.find(({ layout, v6 }) => !layout.spec.internal && v6 !== undefined);
  return endpoints.map((endpoint) => {
    const { layout, slot, mac, v4, v6 } = endpoint;
    const node = networkOf(layout.name);
    if (!node?.anchor) throw new MooringError('Unavailable', `network ${layout.name} went while a container was connected to it`);
    return {
      interface: interfaceName(slot),
      network: layout.name,
      anchor: node.anchor,
      port: portName(),
      mtu: node.mtu,
      mac,
      addresses: [{ address: v4, subnet: layout.v4.subnet }, ...(v6 && layout.v6 ? [{ address: v6, subnet: layout.v6.subnet }] : [])],
      gateways: [...(endpoint === way4 ? [layout.v4.gateway] : []), ...(endpoint === way6 && layout.v6 ? [layout.v6.gateway] : [])],
      receiveRate: ingress === undefined ? undefined : bytesOf(ingress),
      sendRate: egress === undefined ? undefined : bytesOf(egress),
    };
  });
}

/** The kernel counts bytes. */
function bytesOf(bitRate: Parameters<typeof parseBitRate>[0]): number {
  return Math.floor(parseBitRate(bitRate) / 8);
}
