import type { ContainerId } from '../engine.ts';
import type { ConnectedPort } from './container-link.ts';

/** Which container an event of the network is about. */
export class PortIndex {
  readonly #ports = new Map<ContainerId, ConnectedPort>();
  readonly #byLink = new Map<number, ContainerId>();
  readonly #byNamespace = new Map<number, ContainerId>();

  set(id: ContainerId, port: ConnectedPort): void {
    this.delete(id);
    this.#ports.set(id, port);
    this.#byLink.set(port.index, id);
    if (port.nsid !== undefined) this.#byNamespace.set(port.nsid, id);
  }

  delete(id: ContainerId): void {
    const port = this.#ports.get(id);
    if (!port) return;
    this.#ports.delete(id);
    // Another may have been given the same number by now.
    if (this.#byLink.get(port.index) === id) this.#byLink.delete(port.index);
    if (port.nsid !== undefined && this.#byNamespace.get(port.nsid) === id) this.#byNamespace.delete(port.nsid);
  }

  /** `nsid` as in ChangedLink. */
  find({ nsid, index }: { readonly nsid: number; readonly index: number }): ContainerId | undefined {
    return nsid < 0 ? this.#byLink.get(index) : this.#byNamespace.get(nsid);
  }

  get size(): number {
    return this.#ports.size;
  }

  ids(): ContainerId[] {
    return [...this.#ports.keys()];
  }
}
