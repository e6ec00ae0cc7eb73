import { isIPv4 } from 'node:net';
import type { Answer } from 'dns-packet';
import { addressText, contains, parseAddress, type Subnet } from '../../spec/address.ts';
import type { NamedEndpoint } from './endpoint.ts';
import { type Query, RCODE, reply } from './message.ts';
import { fullName, type NameTable, ZONE } from './name-table.ts';

/** Seconds. Containers come and go, and asking again costs little. */
const TTL = 5;

const AUTHORITATIVE = { authoritative: true };

/** One network as one who is on it sees it. */
export interface Seat {
  readonly table: NameTable;
  readonly subnets: readonly Subnet[];
  /** Who asks; undefined where it is nobody that we know. */
  readonly asker: NamedEndpoint | undefined;
}

/**
 * The answer to what only the asker's networks know: names of their containers, of our zone, and of their addresses. Undefined for all else. Where a name is
 * known and has no address of the kind asked for, that is said (`NODATA`): "no such name" would be taken as being so for every kind (RFC 2308 §2.2).
 * @param seats Where the asker is; what the first of them knows, counts.
 */
export function localAnswer(query: Query, seats: readonly Seat[]): Buffer | undefined {
  const reverse = reverseAddress(query.name);
  if (reverse !== undefined) {
    const seat = seats.find(({ subnets }) => isWithin(reverse, subnets));
    if (!seat) return undefined;
    const owner = seat.table.at(reverse);
    if (!owner) return reply(query, RCODE.noSuchName, [], AUTHORITATIVE);
    const names: Answer[] = query.type === 'PTR' || query.type === 'ANY' ? [{ type: 'PTR', name: query.name, ttl: TTL, data: fullName(owner) }] : [];
    return reply(query, RCODE.ok, names, AUTHORITATIVE);
  }
  const addresses = firstKnown(query.name, seats);
  if (addresses) return reply(query, RCODE.ok, addresses.flatMap((address) => recordOf(query, address)), AUTHORITATIVE);
  const lower = query.name.toLowerCase();
  if (lower === ZONE) return reply(query, RCODE.ok, [], AUTHORITATIVE);
  if (lower.endsWith(`.${ZONE}`)) return reply(query, RCODE.noSuchName, [], AUTHORITATIVE);
  return undefined;
}

function firstKnown(name: string, seats: readonly Seat[]): readonly string[] | undefined {
  for (const { table, asker } of seats) {
    const addresses = table.find(name, asker);
    if (addresses) return addresses;
  }
  return undefined;
}

export function isWithin(address: string, subnets: readonly Subnet[]): boolean {
  const bytes = parseAddress(address);
  return subnets.some((subnet) => contains(subnet, bytes));
}

function recordOf({ name, type }: Query, address: string): Answer[] {
  const kind = isIPv4(address) ? 'A' : 'AAAA';
  return type === kind || type === 'ANY' ? [{ type: kind, name, ttl: TTL, data: address }] : [];
}

/** The address that a name of `in-addr.arpa` or `ip6.arpa` is about (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseAddress(name: string): string | undefined {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/i.exec(name);
  if (four) {
    const address = four.slice(1).toReversed().map(Number).join('.');
    return isIPv4(address) ? address : undefined;
  }
  const six = /^((?:[0-9a-f]\.){32})ip6\.arpa$/i.exec(name);
  if (!six?.[1]) return undefined;
  return addressText(Buffer.from(six[1].replaceAll('.', '').split('').toReversed().join(''), 'hex'));
}
