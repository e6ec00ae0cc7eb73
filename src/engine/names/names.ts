import { isIPv4 } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { Semaphore } from '../../lib/semaphore.ts';
import type { ContainerId } from '../engine.ts';
import { parseSubnet, type Subnet } from '../../spec/address.ts';
import { AnswerCache } from './answer-cache.ts';
import type { NamedEndpoint, NameSite, NetworkNames } from './endpoint.ts';
import { isWithin, localAnswer, type Seat } from './local-answer.ts';
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
  readonly #placesOf = new Map<ContainerId, Set<Network>>();
  readonly #oneByOne = new Semaphore(1);

  constructor(options: NamesOptions) {
    this.#options = options;
    this.#cache = new AnswerCache(options.clock);
    this.#node = new NodeNameServers(options.resolvConf, options.clock);
  }

  open(name: string, site: NameSite): Promise<void> {
    return this.#oneByOne.run(async () => {
      const network = this.#network(name);
      if (network.servers.length > 0 && network.site.gateways.join() === site.gateways.join() && network.site.subnets.join() === site.subnets.join()) return;
      await closeServers(network);
      network.site = { ...site, parsed: site.subnets.map(parseSubnet) };
      // What is asked by IPv4 can be told of IPv6, too; and an IPv6 address is not to be listened on while the kernel still looks whether it is free.
      const four = site.gateways.filter((gateway) => isIPv4(gateway));
      try {
        for (const gateway of four.length > 0 ? four : site.gateways) network.servers.push(await NameServer.listen(gateway, (message, client, transport) => this.#answer(network, message, client, transport)));
      } catch (error) {
        await closeServers(network);
        throw error;
      }
    });
  }

  close(name: string): Promise<void> {
    return this.#oneByOne.run(async () => {
      const network = this.#networks.get(name);
      this.#networks.delete(name);
      network?.closing.abort();
      if (network) await closeServers(network);
    });
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#networks.keys()].map((name) => this.close(name)));
  }

  serves(name: string): boolean {
    return (this.#networks.get(name)?.servers.length ?? 0) > 0;
  }

  join(name: string, endpoint: NamedEndpoint): void {
    const network = this.#network(name);
    network.table.join(endpoint);
    const places = this.#placesOf.get(endpoint.id);
    if (places) places.add(network);
    else this.#placesOf.set(endpoint.id, new Set([network]));
  }

  leave(name: string, id: ContainerId): void {
    const network = this.#networks.get(name);
    if (!network) return;
    network.table.leave(id);
    const places = this.#placesOf.get(id);
    places?.delete(network);
    if (places?.size === 0) this.#placesOf.delete(id);
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
      const answer = localAnswer(query, this.#seats(network, asker)) ?? (await this.#passOn(network, query, message, client, transport, asker));
      return transport === 'udp' ? fitting(query, answer) : answer;
    } catch (error) {
      this.#options.logger.warn({ name: query.name, type: query.type, error: messageOf(error) }, 'a name could not be asked for');
      return reply(query, RCODE.serverFailure, [], { authoritative: false });
    }
  }

  /** Where the asker is: first where it asks, then on its other networks. */
  #seats(here: Network, asker: NamedEndpoint | undefined): Seat[] {
    const seatOn = ({ table, site }: Network, who: NamedEndpoint | undefined): Seat => ({ table, subnets: site.parsed, asker: who });
    const others = asker ? [...(this.#placesOf.get(asker.id) ?? [])].filter((network) => network !== here) : [];
    return [seatOn(here, asker), ...others.map((network) => seatOn(network, asker && network.table.get(asker.id)))];
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
}

async function closeServers(network: Network): Promise<void> {
  const { servers } = network;
  network.servers = [];
  await Promise.all(servers.map((server) => server.close()));
}
