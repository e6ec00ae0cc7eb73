import { MooringError } from '../../lib/errors.ts';
import type { ContainerId } from '../engine.ts';
import type { Database, Statement } from './database.ts';

/** A network's addresses, as text: `172.30.16.0/20`. They stay the same for as long as the data directory does. */
export interface NetworkRecord {
  readonly name: string;
  readonly subnet4: string;
  readonly subnet6: string | null;
}

/** How long an address rests before it may be another container's: longer than peers keep its MAC address, or try their connections to it. */
const REST_MS = 60_000;

/**
 * Who has which address of a network. An address is given out once: at first each in turn, so that one that was given back rests for as long as there
 * are unused ones; then the one that has rested longest.
 */
export class NetworkRecords {
  readonly #database: Database;
  readonly #network: Statement<NetworkRecord>;
  readonly #putNetwork: Statement<never>;
  readonly #lease: Statement<{ readonly host: number }>;
  readonly #held: Statement<{ readonly count: number }>;
  readonly #highest: Statement<{ readonly host: number | null }>;
  readonly #rested: Statement<{ readonly host: number; readonly released_at: number }>;
  readonly #take: Statement<never>;

  constructor(database: Database) {
    this.#database = database;
    this.#network = database.prepare('SELECT name, subnet4, subnet6 FROM networks WHERE name = ?');
    this.#putNetwork = database.prepare(
      'INSERT INTO networks (name, subnet4, subnet6) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET subnet4 = excluded.subnet4, subnet6 = excluded.subnet6',
    );
    this.#lease = database.prepare('SELECT host FROM leases WHERE container_id = ?');
    this.#held = database.prepare('SELECT count(*) AS count FROM leases WHERE network = ? AND container_id IS NOT NULL');
    this.#highest = database.prepare('SELECT max(host) AS host FROM leases WHERE network = ?');
    this.#rested = database.prepare('SELECT host, released_at FROM leases WHERE network = ? AND container_id IS NULL ORDER BY released_at LIMIT 1');
    this.#take = database.prepare(
      'INSERT INTO leases (network, host, container_id) VALUES (?, ?, ?) ON CONFLICT (network, host) DO UPDATE SET container_id = excluded.container_id, released_at = NULL',
    );
  }

  network(name: string): NetworkRecord | undefined {
    return this.#network.get(name);
  }

  /** Leases keep their numbers in a subnet that takes the place of another. */
  putNetwork({ name, subnet4, subnet6 }: NetworkRecord): void {
    this.#putNetwork.run(name, subnet4, subnet6);
  }

  /** Gives the container an address from `first` to `last`, both included. Throws `Unavailable` when all are taken. To be called in a transaction. */
  take(network: string, id: ContainerId, { first, last }: { readonly first: number; readonly last: number }, now: number): number {
    const next = Math.max(first, (this.#highest.get(network)?.host ?? 0) + 1);
    const host = next <= last ? next : this.#longestRested(network, now);
    this.#take.run(network, host, id);
    return host;
  }

  /** The number of the container's address. */
  lease(id: ContainerId): number | undefined {
    return this.#lease.get(id)?.host;
  }

  /** Addresses of the network that a container has. */
  held(network: string): number {
    return this.#held.get(network)?.count ?? 0;
  }

  transaction<T>(work: () => T): T {
    return this.#database.transaction(work);
  }

  #longestRested(network: string, now: number): number {
    const rested = this.#rested.get(network);
    // A clock that was set back must not keep an address from ever being used again.
    if (rested && Math.abs(now - rested.released_at) >= REST_MS) return rested.host;
    throw new MooringError('Unavailable', `network ${network} has no address left`, {
      fix: rested ? 'one will be free within a minute' : 'remove containers that are not needed',
    });
  }
}
