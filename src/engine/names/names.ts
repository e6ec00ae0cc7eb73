import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { ContainerId } from '../engine.ts';
import { parseSubnet, type Subnet } from '../../spec/address.ts';
import { AnswerCache } from './answer-cache.ts';
import type { NamedEndpoint, NameSite, NetworkNames } from './endpoint.ts';
import { isWithin, localAnswer } from './local-answer.ts';
import { fitting, type Query, RCODE, readQuery, reply } from './message.ts';
import { NameServer } from './name-server.ts';
import { NameTable } from './name-table.ts';
import { NodeNameServers } from './node-name-servers.ts';
import { askUpstream } from './upstream.ts';

export interface NamesOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where the node's name servers are told: /etc/resolv.conf. */
  readonly resolvConf: string;
}

interface Network {
  readonly table: NameTable;
  site: NameSite & { readonly parsed: readonly Subnet[] };
  servers: NameServer[];
  /** Aborted when it closes. */
  readonly closing: AbortController;
  /** Names under way to a name server, by who asked. */
  readonly asking: Map<string, number>;
}

const MOST_PER_CLIENT = 100;

/** The names of containers on this node's networks: a name server for each, which passes all else on. */
export class Names implements NetworkNames {
  readonly #options: NamesOptions;
  readonly #cache: AnswerCache;
  readonly #node: NodeNameServers;
  readonly #networks = new Map<string, Network>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: NamesOptions) {
    this.#options = options;
    this.#cache = new AnswerCache(options.clock);
    this.#node = new NodeNameServers(options.resolvConf, options.clock);
  }

  open(name: string, site: NameSite): Promise<void> {
    return this.#inTurn(async () => {
      const network = this.#network(name);
      if (network.servers.length > 0 && network.site.gateways.join() === site.gateways.join() && network.site.subnets.join() === site.subnets.join()) return;
      await closeServers(network);
      network.site = { ...site, parsed: site.subnets.map(parseSubnet) };
      try {
        for (const gateway of site.gateways) network.servers.push(await NameServer.listen(gateway, (message, client, transport) => this.#answer(network, message, client, transport)));
      } catch (error) {
        await closeServers(network);
        throw error;
      }
    });
  }

  close(name: string): Promise<void> {
    return this.#inTurn(async () => {
      const network = this.#networks.get(name);
      this.#networks.delete(name);
      network?.closing.abort();
      if (network) await closeServers(network);
    });
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#networks.keys()].map((name) => this.close(name)));
  }

  join(name: string, endpoint: NamedEndpoint): void {
    this.#network(name).table.join(endpoint);
  }

  leave(name: string, id: ContainerId): void {
    this.#networks.get(name)?.table.leave(id);
  }

  #network(name: string): Network {
    const known = this.#networks.get(name);
    if (known) return known;
    const network: Network = { table: new NameTable(), site: { gateways: [], subnets: [], parsed: [] }, servers: [], closing: new AbortController(), asking: new Map() };
    this.#networks.set(name, network);
    return network;
  }

  async #answer(network: Network, message: Buffer, client: string, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    if (!isWithin(client, network.site.parsed)) return undefined; // not to be an ear or an amplifier for the world
    const query = readQuery(message);
    if (query === undefined) return undefined;
    if ('refusal' in query) return query.refusal;
    const asker = network.table.at(client);
    try {
      const answer = localAnswer(query, network.table, network.site.parsed, asker) ?? (await this.#passOn(network, query, message, client, transport, asker));
      return transport === 'udp' ? fitting(query, answer) : answer;
    } catch (error) {
      this.#options.logger.warn({ name: query.name, type: query.type, error: messageOf(error) }, 'a name could not be asked for');
      return reply(query, RCODE.serverFailure, [], { authoritative: false });
    }
  }

  async #passOn({ asking, site, closing }: Network, query: Query, message: Buffer, client: string, transport: 'udp' | 'tcp', asker: NamedEndpoint | undefined): Promise<Buffer> {
    const wanted = asker && asker.servers.length > 0 ? asker.servers : await this.#node.current();
    const servers = wanted.filter((server) => !site.gateways.includes(server)); // else it would be asking itself
    const cached = this.#cache.get(query, servers);
    if (cached) return cached;
    const failure = reply(query, RCODE.serverFailure, [], { authoritative: false });
    const underway = asking.get(client) ?? 0;
    if (underway >= MOST_PER_CLIENT) return failure;
    asking.set(client, underway + 1);
    try {
      const answer = await askUpstream({ query: message, transport, servers, signal: closing.signal });
      if (answer) this.#cache.put(query, servers, answer);
      return answer ?? failure;
    } finally {
      const left = (asking.get(client) ?? 1) - 1;
      if (left === 0) asking.delete(client);
      else asking.set(client, left);
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {}); // whoever asked for it hears of it
    return turn;
  }
}

async function closeServers(network: Network): Promise<void> {
  const { servers } = network;
  network.servers = [];
  await Promise.all(servers.map((server) => server.close()));
}
