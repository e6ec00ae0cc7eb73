import type { ContainerId } from '../engine.ts';
import type { NamedEndpoint } from './endpoint.ts';

/** The domain that every container's full name ends in. `.internal` is set aside for private use (ICANN, 2024). */
export const ZONE = 'mooring.internal';

/**
 * Who is on one network, by name. A container `ns/db` with the alias `postgres` is `db` and `postgres` to those of its namespace, and to
 * everybody `db.ns`, `postgres.ns`, either of them followed by the zone or not, and the first twelve digits of its id.
 */
export class NameTable {
  readonly #endpoints = new Map<ContainerId, NamedEndpoint>();
  readonly #byAddress = new Map<string, NamedEndpoint>();
  readonly #byName = new Map<string, Set<NamedEndpoint>>();
  #turn = 0;

  /** In the place of what it was known as before. */
  join(endpoint: NamedEndpoint): void {
    this.leave(endpoint.id);
    this.#endpoints.set(endpoint.id, endpoint);
    for (const address of endpoint.addresses) this.#byAddress.set(address, endpoint);
    for (const name of namesOf(endpoint)) {
      const bearers = this.#byName.get(name);
      if (bearers) bearers.add(endpoint);
      else this.#byName.set(name, new Set([endpoint]));
    }
  }

  leave(id: ContainerId): void {
    const endpoint = this.#endpoints.get(id);
    if (!endpoint) return;
    this.#endpoints.delete(id);
    for (const address of endpoint.addresses) if (this.#byAddress.get(address) === endpoint) this.#byAddress.delete(address);
    for (const name of namesOf(endpoint)) {
      const bearers = this.#byName.get(name);
      bearers?.delete(endpoint);
      if (bearers?.size === 0) this.#byName.delete(name);
    }
  }

  get(id: ContainerId): NamedEndpoint | undefined {
    return this.#endpoints.get(id);
  }

  /** Who has that address. */
  at(address: string): NamedEndpoint | undefined {
    return this.#byAddress.get(address);
  }

  /**
   * The addresses behind a name, as `asker` means it; undefined where nobody bears it. Those who share a name take turns at coming first.
   * @param name Without the dot at its end; in any case.
   */
  find(name: string, asker: NamedEndpoint | undefined): readonly string[] | undefined {
    const bearers = this.#bearers(name.toLowerCase(), asker);
    if (!bearers) return undefined;
    const all = [...bearers];
    const first = all.length > 1 ? this.#turn++ % all.length : 0;
    return [...all.slice(first), ...all.slice(0, first)].flatMap(({ addresses }) => addresses);
  }

  #bearers(name: string, asker: NamedEndpoint | undefined): ReadonlySet<NamedEndpoint> | undefined {
    const bare = name.endsWith(`.${ZONE}`) ? name.slice(0, -ZONE.length - 1) : name;
    if (asker) {
      const namespace = namespaceOf(asker);
      const link = asker.links.find(({ alias }) => alias.toLowerCase() === bare);
      const own = this.#byName.get(`${link?.container ?? bare}.${namespace}`);
      if (own) return own;
    }
    return this.#byName.get(bare);
  }
}

/** The name by which an address is told: its container's full one. */
export function fullName(endpoint: NamedEndpoint): string {
  return `${plainNameOf(endpoint)}.${namespaceOf(endpoint)}.${ZONE}`;
}

function namesOf(endpoint: NamedEndpoint): Set<string> {
  const namespace = namespaceOf(endpoint);
  const own = [plainNameOf(endpoint), ...endpoint.aliases].map((name) => `${name.toLowerCase()}.${namespace}`);
  return new Set([...own, endpoint.id.slice(0, 12)]);
}

function namespaceOf({ name }: NamedEndpoint): string {
  return name.slice(0, name.indexOf('/'));
}

function plainNameOf({ name }: NamedEndpoint): string {
  return name.slice(name.indexOf('/') + 1);
}
