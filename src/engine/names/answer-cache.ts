import * as dns from 'dns-packet';
import type { Clock } from '../../lib/clock.ts';
import { type Query, RCODE, reply } from './message.ts';

/** What can be told again from its parts; other kinds are asked for each time. */
const KINDS = new Set(['A', 'AAAA', 'CNAME', 'NS', 'PTR', 'MX', 'TXT', 'SRV', 'SOA']);

const MOST_ENTRIES = 2_000;
/** Seconds. What is not there may come to be: it is believed for five minutes at most (RFC 2308 §5 leaves more). */
const LONGEST = 3_600;
const LONGEST_ABSENT = 300;

interface Entry {
  readonly storedAt: number;
  readonly lives: number;
  readonly rcode: number;
  readonly answers: readonly dns.Answer[];
  readonly authorities: readonly dns.Answer[];
}

/** Answers of name servers, for as long as those said that they hold; those not asked for longest go first. */
export class AnswerCache {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param servers Who was to be asked: others may know otherwise. */
  get(query: Query, servers: readonly string[]): Buffer | undefined {
    if (query.special) return undefined;
    const key = keyOf(query, servers);
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    const age = Math.floor((this.#clock.now() - entry.storedAt) / 1000);
    if (age < 0 || age >= entry.lives) return undefined;
    this.#entries.set(key, entry);
    const aged = (records: readonly dns.Answer[]): dns.Answer[] => records.map((record) => ({ ...record, ttl: Math.max(0, ttlOf(record) - age) }) as dns.Answer);
    return reply(query, entry.rcode, aged(entry.answers), { authoritative: false, authorities: aged(entry.authorities) });
  }

  put(query: Query, servers: readonly string[], answer: Buffer): void {
    const entry = query.special ? undefined : entryOf(answer, this.#clock.now());
    if (!entry) return;
    this.#entries.set(keyOf(query, servers), entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MOST_ENTRIES && oldest !== undefined) this.#entries.delete(oldest);
  }
}

function keyOf({ name, type }: Query, servers: readonly string[]): string {
  return `${type} ${name.toLowerCase()} ${servers.join(' ')}`;
}

function entryOf(bytes: Buffer, storedAt: number): Entry | undefined {
  let packet: dns.DecodedPacket;
  try {
    packet = dns.decode(bytes);
  } catch {
    return undefined; // the client gets it as it is; it may know what to make of it
  }
  const { answers = [], authorities = [] } = packet;
  const rcode = (packet.flags ?? 0) & 0xf;
  const told = [...answers, ...authorities];
  if (packet.flag_tc || (rcode !== RCODE.ok && rcode !== RCODE.noSuchName) || !told.every((record) => KINDS.has(record.type))) return undefined;
  if (answers.length > 0 && rcode === RCODE.ok) {
    return { storedAt, lives: Math.min(LONGEST, ...told.map(ttlOf)), rcode, answers, authorities };
  }
  const soa = authorities.find((record) => record.type === 'SOA');
  if (!soa) return undefined;
  return { storedAt, lives: Math.min(LONGEST_ABSENT, ttlOf(soa), soa.data.minimum ?? 0), rcode, answers, authorities };
}

function ttlOf(record: dns.Answer): number {
  return 'ttl' in record ? (record.ttl ?? 0) : 0;
}
