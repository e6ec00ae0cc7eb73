import { MooringError } from '../../lib/errors.ts';
import type { ContainerName } from '../../spec/name.ts';
import type { Network } from '../../spec/network.ts';
import type { ContainerId } from '../engine.ts';
import type { Database, Statement } from './database.ts';

/** A network with the subnets that it has, as text: `172.30.16.0/20`. They stay the same for as long as the network is on record. */
export interface NetworkRecord {
  /** `default`, or `<namespace>/<name>`. */
  readonly name: string;
  /** The document that it was made from; undefined for the default one. */
  readonly network: Network | undefined;
  readonly createdAt: number;
  readonly subnet4: string;
  readonly subnet6: string | null;
}

/** One connection of a container. */
export interface EndpointRecord {
  readonly id: ContainerId;
  readonly network: string;
  /** n of its interface `ethn`. */
  readonly slot: number;
  /** The bridge's port in the container's last run. */
  readonly port: string | null;
  /** Its addresses' numbers in the subnets. */
  readonly v4: bigint | undefined;
  readonly v6: bigint | undefined;
}

/** Numbers of addresses that are given out in turn, both ends included, but for `reserved`. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
  readonly reserved: readonly bigint[];
}

type Family = 4 | 6;

interface EndpointRow {
  readonly container_id: ContainerId;
  readonly network: string;
  readonly slot: number;
  readonly port: string | null;
  readonly v4: string | null;
  readonly v6: string | null;
}

const ENDPOINTS = `
  SELECT e.container_id, e.network, e.slot, e.port, a4.host AS v4, a6.host AS v6 FROM endpoints e
  LEFT JOIN addresses a4 ON a4.container_id = e.container_id AND a4.network = e.network AND a4.family = 4
  LEFT JOIN addresses a6 ON a6.container_id = e.container_id AND a6.network = e.network AND a6.family = 6`;

/** How long an address rests before it may be another container's: longer than peers keep its MAC address, or try their connections to it. */
const REST_MS = 60_000;
/** What is lent counts as released so far in the future, so that it comes behind all others. */
const LENT_MS = 24 * 3_600_000;

/**
 * Networks, who is connected to them, and who has which address. An address is given out once: at first each in turn, so that one that was given back rests
 * for as long as there are unused ones; then the one that has rested longest. What takes is to be called in a transaction.
 */
export class NetworkRecords {
  readonly #networks: Statement<{ readonly name: string; readonly document: string | null; readonly created_at: number; readonly subnet4: string; readonly subnet6: string | null }>;
  readonly #putNetwork: Statement<never>;
  readonly #deleteNetwork: Statement<never>;
  readonly #forgetAddresses: Statement<never>;
  readonly #endpoints: Statement<EndpointRow>;
  readonly #endpointsOf: Statement<EndpointRow>;
  readonly #insertEndpoint: Statement<never>;
  readonly #deleteEndpoint: Statement<never>;
  readonly #setPort: Statement<never>;
  readonly #release: Statement<never>;
  readonly #releaseAt: Statement<never>;
  readonly #holder: Statement<{ readonly name: ContainerName | null }>;
  readonly #highest: Statement<{ readonly host: string | null }>;
  readonly #rested: Statement<{ readonly host: string; readonly released_at: number }>;
  readonly #take: Statement<never>;

  constructor(database: Database) {
    this.#networks = database.prepare('SELECT name, document, created_at, subnet4, subnet6 FROM networks ORDER BY name');
    this.#putNetwork = database.prepare(
      'INSERT INTO networks (name, document, created_at, subnet4, subnet6) VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET document = excluded.document, subnet4 = excluded.subnet4, subnet6 = excluded.subnet6',
    );
    this.#deleteNetwork = database.prepare('DELETE FROM networks WHERE name = ?');
    this.#forgetAddresses = database.prepare('DELETE FROM addresses WHERE network = ?');
    this.#endpoints = database.prepare(`${ENDPOINTS} ORDER BY e.container_id, e.slot`);
    this.#endpointsOf = database.prepare(`${ENDPOINTS} WHERE e.container_id = ? ORDER BY e.slot`);
    this.#insertEndpoint = database.prepare('INSERT INTO endpoints (container_id, network, slot) VALUES (?, ?, ?)');
    this.#deleteEndpoint = database.prepare('DELETE FROM endpoints WHERE container_id = ? AND network = ?');
    this.#setPort = database.prepare('UPDATE endpoints SET port = ? WHERE container_id = ? AND network = ?');
    this.#release = database.prepare('UPDATE addresses SET container_id = NULL WHERE container_id = ? AND network = ?');
    this.#releaseAt = database.prepare('UPDATE addresses SET released_at = ? WHERE network = ? AND family = ? AND host = ? AND container_id IS NULL');
    this.#holder = database.prepare('SELECT c.name FROM addresses a LEFT JOIN containers c ON c.id = a.container_id WHERE a.network = ? AND a.family = ? AND a.host = ?');
    this.#highest = database.prepare('SELECT max(host) AS host FROM addresses WHERE network = ? AND family = ? AND in_turn = 1');
    this.#rested = database.prepare('SELECT host, released_at FROM addresses WHERE network = ? AND family = ? AND container_id IS NULL AND host BETWEEN ? AND ? ORDER BY released_at LIMIT 1');
    this.#take = database.prepare(
      'INSERT INTO addresses (network, family, host, container_id, in_turn) VALUES (?, ?, ?, ?, ?) ON CONFLICT (network, family, host) DO UPDATE SET container_id = excluded.container_id, released_at = NULL',
    );
  }

  networks(): NetworkRecord[] {
    return this.#networks.all().map(({ name, document, created_at: createdAt, subnet4, subnet6 }) => ({ name, network: document === null ? undefined : (JSON.parse(document) as Network), createdAt, subnet4, subnet6 }));
  }

  /** Addresses keep their numbers in a subnet that takes the place of another. */
  putNetwork({ name, network, createdAt, subnet4, subnet6 }: NetworkRecord): void {
    this.#putNetwork.run(name, network === undefined ? null : JSON.stringify(network), createdAt, subnet4, subnet6);
  }

  /** To be called for a network without endpoints, in a transaction. */
  deleteNetwork(name: string): void {
    this.#forgetAddresses.run(name);
    this.#deleteNetwork.run(name);
  }

  /** Of all containers, each's in the order of their interfaces. */
  endpoints(): EndpointRecord[] {
    return this.#endpoints.all().map(endpointOf);
  }

  endpointsOf(id: ContainerId): EndpointRecord[] {
    return this.#endpointsOf.all(id).map(endpointOf);
  }

  connect(id: ContainerId, network: string, slot: number): void {
    this.#insertEndpoint.run(id, network, slot);
  }

  /** Gives its addresses back, too. To be called in a transaction. */
  disconnect(id: ContainerId, network: string): void {
    this.#release.run(id, network);
    this.#deleteEndpoint.run(id, network);
  }

  /** Which port of the bridge a container hangs on in the run that begins. */
  setPort(id: ContainerId, network: string, port: string): void {
    this.#setPort.run(port, id, network);
  }

  /** Gives the container an address of the range. Throws `Unavailable` when all are taken. */
  takeNext(network: string, family: Family, id: ContainerId | null, range: AddressRange, now: number): bigint {
    const highest = this.#highest.get(network, family)?.host;
    let host = highest === null || highest === undefined || numberOf(highest) < range.first ? range.first : numberOf(highest) + 1n;
    while (host <= range.last && (range.reserved.includes(host) || this.#holder.get(network, family, textOf(host)))) host++;
    if (host > range.last) host = this.#longestRested(network, family, range, now);
    this.#take.run(network, family, textOf(host), id, 1);
    return host;
  }

  /** Gives the container this very address. Gives back who has it, where it is somebody else's. */
  takeThis(network: string, family: Family, id: ContainerId, host: bigint): ContainerName | undefined {
    const holder = this.holder(network, family, host);
    if (holder === undefined) this.#take.run(network, family, textOf(host), id, 0);
    return holder;
  }

  /** Gives an address of the range to something that is no container on record. */
  lend(network: string, family: Family, range: AddressRange, now: number): bigint {
    const host = this.takeNext(network, family, null, range, now);
    this.#releaseAt.run(now + LENT_MS, network, family, textOf(host));
    return host;
  }

  takeBack(network: string, family: Family, host: bigint, now: number): void {
    this.#releaseAt.run(now, network, family, textOf(host));
  }

  holder(network: string, family: Family, host: bigint): ContainerName | undefined {
    return this.#holder.get(network, family, textOf(host))?.name ?? undefined;
  }

  #longestRested(network: string, family: Family, { first, last, reserved }: AddressRange, now: number): bigint {
    const rested = this.#rested.get(network, family, textOf(first), textOf(last));
    const age = rested && now - rested.released_at;
    // A clock that was set back must not keep an address from ever being used again.
    if (rested && age !== undefined && (age >= REST_MS || age <= -2 * LENT_MS) && !reserved.includes(numberOf(rested.host))) return numberOf(rested.host);
    throw new MooringError('Unavailable', `network ${network} has no IPv${family} address left`, {
      fix: rested ? 'one will be free within a minute' : 'remove containers that are not needed',
    });
  }
}

function endpointOf({ container_id: id, network, slot, port, v4, v6 }: EndpointRow): EndpointRecord {
  return { id, network, slot, port, v4: v4 === null ? undefined : numberOf(v4), v6: v6 === null ? undefined : numberOf(v6) };
}

/** 32 hexadecimal digits, so that they sort as the numbers do. */
function textOf(host: bigint): string {
  return host.toString(16).padStart(32, '0');
}

function numberOf(text: string): bigint {
  return BigInt(`0x${text}`);
}
