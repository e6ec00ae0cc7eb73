import type { Container } from '../../spec/container.ts';
import { addressText, parseAddress } from '../../spec/address.ts';

/** One port of the node that leads to a container. */
export interface PublishedPort {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** Canonical; undefined: on all addresses of the node. */
  readonly hostIP: string | undefined;
  readonly hostPort: number;
  readonly containerPort: number;
}

export function publishedPorts({ spec }: Container): PublishedPort[] {
  return spec.ports.flatMap(({ hostPort, hostIP, containerPort, protocol }) => {
    if (hostPort === undefined) return [];
    const any = hostIP === undefined || hostIP === '0.0.0.0';
    return [{ protocol: protocol.toLowerCase() as PublishedPort['protocol'], hostIP: any ? undefined : addressText(parseAddress(hostIP)), hostPort, containerPort }];
  });
}

/** Whether one node can't have both. */
export function clash(a: PublishedPort, b: PublishedPort): boolean {
  return a.hostPort === b.hostPort && a.protocol === b.protocol && (a.hostIP === undefined || b.hostIP === undefined || a.hostIP === b.hostIP);
}

/** `8080/tcp`, `127.0.0.1:53/udp`, `[::1]:80/tcp`. */
export function describePort({ hostIP, hostPort, protocol }: PublishedPort): string {
  const host = hostIP === undefined ? '' : hostIP.includes(':') ? `[${hostIP}]:` : `${hostIP}:`;
  return `${host}${hostPort}/${protocol}`;
}
