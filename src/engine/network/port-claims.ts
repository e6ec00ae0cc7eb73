import { MooringError } from '../../lib/errors.ts';
import type { ContainerName } from '../../spec/name.ts';
import type { ContainerId } from '../engine.ts';
import { leadsLoopback6 } from './forwarding.ts';
import { holderOf } from './port-holder.ts';
import { clashOf, describePort, type PublishedPort } from './published-port.ts';

interface Claim {
  readonly name: ContainerName;
  readonly ports: readonly PublishedPort[];
}

/** Which container publishes which ports of the node. */
export class PortClaims {
  readonly #claims = new Map<ContainerId, Claim>();

  set(id: ContainerId, name: ContainerName, ports: readonly PublishedPort[]): void {
    if (ports.length > 0) this.#claims.set(id, { name, ports });
    else this.#claims.delete(id);
  }

  delete(id: ContainerId): void {
    this.#claims.delete(id);
  }

  /** Throws `Conflict`, naming who has it, where another container has one of the ports. */
  refuseTaken(id: ContainerId | undefined, name: ContainerName, ports: readonly PublishedPort[]): void {
    if (ports.length === 0) return;
    for (const [owner, claim] of this.#claims) {
      if (owner === id) continue;
      const taken = ports.flatMap((port) => claim.ports.flatMap((each) => clashOf(port, each) ?? []))[0];
      if (taken) throw new MooringError('Conflict', `container ${name}: port ${describePort(taken)} of the node is published by container ${claim.name}`, { fix: 'publish another hostPort' });
    }
  }

  /** The same, also where a process of the node has one (but for our own at the `gateways`), or the kernel can't lead it anywhere. */
  async check(id: ContainerId | undefined, name: ContainerName, ports: readonly PublishedPort[], gateways: ReadonlySet<string>): Promise<void> {
    this.refuseTaken(id, name, ports);
    for (const port of ports) {
      const holder = await holderOf(port, gateways);
      if (holder !== undefined) throw new MooringError('Conflict', `container ${name}: port ${describePort(holder.port)} of the node is in use by ${holder.process}`, { fix: 'end that process, or publish another hostPort' });
    }
    const loopback6 = ports.find(({ hostIP }) => hostIP === '::1');
    if (loopback6 && !(await leadsLoopback6())) {
      throw new MooringError('Unsupported', `container ${name}: port ${describePort(loopback6)} can't be led to it, since the kernel filters IPv6 on bridges (net.bridge.bridge-nf-call-ip6tables is 1) and so loses the answers`, {
        fix: 'publish it on 127.0.0.1, or set that switch to 0 if nobody needs it',
      });
    }
  }
}
