import { addressText, parseAddress } from '../../spec/address.ts';
import type { Container } from '../../spec/container.ts';
import { portCount } from '../../spec/port.ts';
import type { ContainerAddresses } from './endpoint.ts';
import type { Element } from './rules.ts';

export type Transport = 'tcp' | 'udp' | 'sctp';

/** Ports of the node, one or several in a row, that lead to as many of a container. */
export interface PublishedPort {
  readonly protocol: Transport;
  /** Canonical; undefined: on all addresses of the node. */
  readonly hostIP: string | undefined;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly count: number;
  /** Whether the node's own input rules say who reaches it from other machines. */
  readonly judged: boolean;
}

export function publishedPorts({ spec }: Container): PublishedPort[] {
  return spec.ports.flatMap((port) => {
    const { hostPort, hostIP, containerPort, protocol, expose } = port;
    if (hostPort === undefined) return [];
    const any = hostIP === undefined || hostIP === '0.0.0.0';
    const address = any ? undefined : addressText(parseAddress(hostIP));
    return [{ protocol: protocol.toLowerCase() as Transport, hostIP: address, hostPort, containerPort, count: portCount(port), judged: expose === 'HostPolicy' }];
  });
}

/** The first port of `a` that one node can't give to both. */
export function clashOf(a: PublishedPort, b: PublishedPort): PublishedPort | undefined {
  const first = Math.max(a.hostPort, b.hostPort);
  const both = first < Math.min(a.hostPort + a.count, b.hostPort + b.count);
  const overlap = both && a.protocol === b.protocol && (a.hostIP === undefined || b.hostIP === undefined || a.hostIP === b.hostIP);
  return overlap ? { ...a, hostPort: first, count: 1 } : undefined;
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

/** `8080/tcp`, `8000-8010/tcp`, `127.0.0.1:53/udp`, `[::1]:80/tcp`. */
export function describePort({ hostIP, hostPort, count, protocol }: PublishedPort): string {
  const host = hostIP === undefined ? '' : hostIP.includes(':') ? `[${hostIP}]:` : `${hostIP}:`;
  return `${host}${hostPort}${count > 1 ? `-${hostPort + count - 1}` : ''}/${protocol}`;
}

/** The entries that lead a published port to a container. */
export function portElements(port: PublishedPort, { v4, v6 }: Partial<ContainerAddresses>): Element[] {
  const { protocol, hostPort, containerPort, count } = port;
  return Array.from({ length: count }, (_, n) => oneElement(port, `${protocol} . ${hostPort + n}`, v4 && `${addressText(v4)} . ${containerPort + n}`, v6 && `${addressText(v6)} . ${containerPort + n}`)).flat();
}

function oneElement({ hostIP, judged }: PublishedPort, key: string, to4: string | undefined, to6: string | undefined): Element[] {
  const entry = (set: Element['set'], at: string, to: string | undefined, judge: Element['set']): Element[] => (to === undefined ? [] : [{ set, key: at, value: to }, ...(judged ? [{ set: judge, key: at }] : [])]);
  if (hostIP === undefined) {
    const [map4, map6] = [entry('any4', key, to4, 'judged'), entry('any6', key, to6, 'judged')];
    return [...map4, ...map6.filter(({ set }) => set !== 'judged' || map4.length === 0)];
  }
  if (!hostIP.includes(':')) return entry('at4', `${hostIP} . ${key}`, to4, 'judged4');
  return hostIP === '::' ? entry('any6', key, to6, 'judged') : entry('at6', `${hostIP} . ${key}`, to6, 'judged6');
}
