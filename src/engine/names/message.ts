import * as dns from 'dns-packet';

/** RFC 1035 §4.1.1, RFC 6895 §2.3. */
export const RCODE = { ok: 0, formatError: 1, serverFailure: 2, noSuchName: 3, notImplemented: 4, refused: 5 } as const;

const OPCODE_MASK = 0x7800;
const RECURSION = dns.RECURSION_DESIRED | dns.RECURSION_AVAILABLE;
/** What we take by UDP, told to clients that ask with EDNS: what no path of today splits (DNS flag day 2020). */
const OUR_UDP_SIZE = 1232;
const LEAST_UDP_SIZE = 512;
const MOST_UDP_SIZE = 4096;

/** A client's question, of which there is one in a message. */
export interface Query {
  readonly id: number;
  readonly name: string;
  /** `A`, `AAAA`, …; `UNKNOWN_65` for one without a name here. */
  readonly type: string;
  readonly question: dns.Question;
  /** It wants what it asked for to be found elsewhere, too. */
  readonly recursion: boolean;
  /** It wants the records as they are, signatures included: such an answer is no one else's. */
  readonly special: boolean;
  /** Bytes of an answer by UDP that it can take. */
  readonly udpSize: number;
  readonly edns: boolean;
}

export type Received = Query | { readonly refusal: Buffer } | undefined;

/** Reads what came in: a query, or the answer to something that is none; undefined where nothing should be answered. */
export function readQuery(bytes: Buffer): Received {
  if (bytes.length < 12 || (bytes.readUInt16BE(2) & 0x8000) !== 0) return undefined; // an answer to an answer could go on for ever
  let packet: dns.DecodedPacket;
  try {
    packet = dns.decode(bytes);
  } catch {
    return { refusal: bare(bytes, RCODE.formatError) }; // the library's words would tell the client nothing
  }
  const flags = packet.flags ?? 0;
  if ((flags & OPCODE_MASK) !== 0) return { refusal: bare(bytes, RCODE.notImplemented) };
  const [question, ...others] = packet.questions ?? [];
  if (question === undefined || others.length > 0) return { refusal: bare(bytes, RCODE.formatError) };
  if ((question.class ?? 'IN') !== 'IN') return { refusal: bare(bytes, RCODE.refused) };
  const opt = packet.additionals?.find((record) => record.type === 'OPT');
  return {
    id: packet.id ?? 0,
    name: question.name.replace(/\.$/, ''),
    type: question.type,
    question,
    recursion: (flags & dns.RECURSION_DESIRED) !== 0,
    special: (flags & dns.CHECKING_DISABLED) !== 0 || (opt !== undefined && (opt.flags & dns.DNSSEC_OK) !== 0),
    udpSize: Math.min(MOST_UDP_SIZE, Math.max(LEAST_UDP_SIZE, opt?.udpPayloadSize ?? 0)),
    edns: opt !== undefined,
  };
}

/** An answer to the query. */
export function reply(query: Query, rcode: number, answers: readonly dns.Answer[], { authoritative, authorities = [] }: { readonly authoritative: boolean; readonly authorities?: readonly dns.Answer[] }): Buffer {
  const flags = (authoritative ? dns.AUTHORITATIVE_ANSWER : 0) | (query.recursion ? RECURSION : dns.RECURSION_AVAILABLE) | rcode;
  return dns.encode({
    type: 'response',
    id: query.id,
    flags,
    questions: [query.question],
    answers: [...answers],
    authorities: [...authorities],
    additionals: query.edns ? [{ type: 'OPT', name: '.', udpPayloadSize: OUR_UDP_SIZE, flags: 0, options: [] } as unknown as dns.Answer] : [],
  });
}

/** The same where it fits a datagram; else word that there is more to be had by TCP (RFC 2181 §9). */
export function fitting(query: Query, answer: Buffer): Buffer {
  if (answer.length <= query.udpSize) return answer;
  const short = reply(query, RCODE.ok, [], { authoritative: false });
  short.writeUInt16BE(short.readUInt16BE(2) | dns.TRUNCATED_RESPONSE, 2);
  return short;
}

/** A header that says no. */
function bare(bytes: Buffer, rcode: number): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(bytes.readUInt16BE(0), 0);
  header.writeUInt16BE(0x8000 | (bytes.readUInt16BE(2) & (OPCODE_MASK | dns.RECURSION_DESIRED)) | rcode, 2);
  return header;
}
