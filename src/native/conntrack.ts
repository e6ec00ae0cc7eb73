import { attribute, attributes, flags, message, messages, nested, readU32, u32 } from './netlink-message.ts';
import type { NetlinkRequest } from './network.ts';

/** Flows that the kernel tracks, as netfilter's netlink has them; numbers from linux/netfilter/nfnetlink_conntrack.h. */

const GET = (1 << 8) | 1;
const DELETE = (1 << 8) | 2;
const CTA = { original: 1, reply: 2, id: 12, filter: 25 } as const;
const TUPLE = { ip: 1, protocol: 2 } as const;
const IP = { source4: 1, destination4: 2, source6: 3, destination6: 4 } as const;
const PROTO = { number: 1, sourcePort: 2, destinationPort: 3 } as const;
const FILTER_ORIGINAL = 1;
/** Of a dump: only flows with the protocol and destination port given (CTA_FILTER_FLAG_CTA_PROTO_NUM, …_DST_PORT). */
const BY_PROTOCOL = 1 << 3;
const BY_DESTINATION_PORT = 1 << 5;
const AF_INET = 2;
const AF_INET6 = 10;

export const UDP = 17;

/** One flow, by the tuple that its first packet had. */
export interface Flow {
  readonly family: 4 | 6;
  readonly source: Buffer;
  readonly destination: Buffer;
  readonly destinationPort: number;
  /** Where its answers come from. */
  readonly answersFrom: Buffer;
  /** What names it to the kernel. */
  readonly key: Buffer;
}

/** UDP flows to a port, or to every port. */
export function dumpFlows(family: 4 | 6, port: number | undefined): NetlinkRequest {
  const protocol = nested(TUPLE.protocol, attribute(PROTO.number, Buffer.from([UDP])), ...(port === undefined ? [] : [attribute(PROTO.destinationPort, bigEndian16(port))]));
  const filter = nested(CTA.filter, attribute(FILTER_ORIGINAL, u32(BY_PROTOCOL | (port === undefined ? 0 : BY_DESTINATION_PORT))));
  return { what: 'list tracked flows', netfilter: true, message: message(GET, flags.dump, header(family), nested(CTA.original, protocol), filter) };
}

/** Forgets a flow; it has ended already is fine. */
export function deleteFlow({ family, key }: Flow): NetlinkRequest {
  return { what: 'forget a tracked flow', netfilter: true, tolerate: 'ENOENT', message: message(DELETE, flags.acknowledge, header(family), key) };
}

export function flowsIn(data: Buffer): Flow[] {
  return [...messages(data)].flatMap(({ body }) => {
    const family = body[0] === AF_INET6 ? 6 : 4;
    const found = attributes(body.subarray(4));
    const original = found.get(CTA.original);
    const reply = found.get(CTA.reply);
    const id = found.get(CTA.id);
    if (!original || !reply || !id) return [];
    const there = tupleIn(original);
    const back = tupleIn(reply);
    if (!there || !back) return [];
    const key = Buffer.concat([nested(CTA.original, original), attribute(CTA.id, u32(readU32(id)))]);
    return [{ family, source: there.source, destination: there.destination, destinationPort: there.destinationPort, answersFrom: back.source, key }];
  });
}

function tupleIn(data: Buffer): { readonly source: Buffer; readonly destination: Buffer; readonly destinationPort: number } | undefined {
  const parts = attributes(data);
  const ip = attributes(parts.get(TUPLE.ip) ?? Buffer.alloc(0));
  const protocol = attributes(parts.get(TUPLE.protocol) ?? Buffer.alloc(0));
  const source = ip.get(IP.source4) ?? ip.get(IP.source6);
  const destination = ip.get(IP.destination4) ?? ip.get(IP.destination6);
  if (!source || !destination) return undefined;
  return { source, destination, destinationPort: protocol.get(PROTO.destinationPort)?.readUInt16BE() ?? 0 };
}

function header(family: 4 | 6): Buffer {
  return Buffer.from([family === 4 ? AF_INET : AF_INET6, 0, 0, 0]);
}

function bigEndian16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}
