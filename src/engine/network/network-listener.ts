import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Native, Watch } from '../../native/native.ts';
import type { ChangedLink } from '../../native/network.ts';
import type { ContainerId } from '../engine.ts';
import type { NodeNetwork } from './node-network.ts';
import type { PortIndex } from './port-index.ts';

export interface NetworkListenerOptions {
  readonly native: Native;
  readonly ports: PortIndex;
  readonly logger: Logger;
  /** Networks that are there. */
  readonly networks: () => readonly NodeNetwork[];
  /** The running containers on a network. */
  readonly runningOn: (network: string) => readonly ContainerId[];
  /** What rules that somebody else changed may have done to everybody. */
  readonly rulesChanged: () => Promise<readonly string[]>;
  readonly hint: (id: ContainerId) => void;
  readonly networkHint: (network: string) => void;
}

/** Events come in clusters. */
const SETTLE_MS = 100;

/** Hears what the kernel tells of the network, and says whom it may concern. */
export class NetworkListener {
  readonly #options: NetworkListenerOptions;
  #watch: Watch | undefined;
  #check: NodeJS.Timeout | undefined;
  #rules = false;
  readonly #suspects = new Set<NodeNetwork>();

  constructor(options: NetworkListenerOptions) {
    this.#options = options;
  }

  /** From now on. */
  listen(): void {
    this.#watch ??= this.#options.native.watchNetwork((links, rules) => this.#hear(links, rules));
  }

  close(): void {
    this.#watch?.close();
    this.#watch = undefined;
    clearTimeout(this.#check);
  }

  #hear(links: readonly ChangedLink[], rules: boolean): void {
    const { hint, ports, networks } = this.#options;
    for (const link of links) {
      const id = ports.find(link);
      if (id !== undefined) hint(id);
      else if (link.index < 0) for (const each of ports.ids()) hint(each);
      if (link.nsid < 0) for (const network of networks()) if (link.index <= 0 || link.index === network.anchor?.index) this.#suspects.add(network);
    }
    this.#rules ||= rules;
    if (this.#suspects.size > 0 || this.#rules) this.#check ??= setTimeout(() => void this.#look(), SETTLE_MS);
  }

  /** What is everybody's is looked at once, and the containers only if it is not as it should be. */
  async #look(): Promise<void> {
    const { networks, rulesChanged, hint, runningOn, networkHint, logger } = this.#options;
    const rules = this.#rules;
    const suspects = rules ? networks() : [...this.#suspects];
    this.#check = undefined;
    this.#rules = false;
    this.#suspects.clear();
    const concerned = new Set<ContainerId>();
    try {
      const everybody = rules && (await rulesChanged()).length > 0;
      for (const network of suspects) {
        if (rules) network.suspect();
        const faults = rules ? await network.faults() : await network.linkFaults();
        if (faults.length === 0 && !everybody) continue;
        network.suspect();
        networkHint(network.layout.name);
        for (const id of runningOn(network.layout.name)) concerned.add(id);
      }
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'can not look at the network; the resync tries again');
    }
    for (const id of concerned) hint(id);
  }
}
