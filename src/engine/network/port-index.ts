import type { ContainerId } from '../engine.ts';
import type { ConnectedPorts } from './container-link.ts';

/** Which container an event of the network is about. */
export class PortIndex {
  readonly #ports = new Map<ContainerId, ConnectedPorts>();
  readonly #byLink = new Map<number, ContainerId>();
  readonly #byNamespace = new Map<number, ContainerId>();

  set(id: ContainerId, ports: ConnectedPorts): void {
    this.delete(id);
    this.#ports.set(id, ports);
    for (const index of ports.links) this.#byLink.set(index, id);
    if (ports.nsid !== undefined) this.#byNamespace.set(ports.nsid, id);
  }

  delete(id: ContainerId): void {
    const ports = this.#ports.get(id);
    if (!ports) return;
    this.#ports.delete(id);
    // Another may have been given the same number by now.
    for (const index of ports.links) if (this.#byLink.get(index) === id) this.#byLink.delete(index);
    if (ports.nsid !== undefined && this.#byNamespace.get(ports.nsid) === id) this.#byNamespace.delete(ports.nsid);
  }

  /** `nsid` as in ChangedLink. */
  find({ nsid, index }: { readonly nsid: number; readonly index: number }): ContainerId | undefined {
    return nsid < 0 ? this.#byLink.get(index) : this.#byNamespace.get(nsid);
  }

  has(id: ContainerId): boolean {
    return this.#ports.has(id);
  }

  ids(): ContainerId[] {
    return [...this.#ports.keys()];
  }
}
