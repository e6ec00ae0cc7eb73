import { attribute, attributes, flags, message, messages, nested, readU32, text, u16, u32 } from './netlink-message.ts';
import type { NetlinkRequest } from './network.ts';

/** Rates of interfaces by a token bucket (tc-tbf(8)) as rtnetlink has it; numbers from linux/rtnetlink.h and pkt_sched.h. */

const RTM = { newQdisc: 36, deleteQdisc: 37, getQdisc: 38 } as const;
const TCA = { kind: 1, options: 2 } as const;
const TBF = { parameters: 1, rate64: 4, burst: 6 } as const;
const ROOT = 0xffff_ffff;
const HANDLE = 1 << 16;
const ETHERNET = 1;
const MOST_32 = 0xffff_ffff;
const REPLACE = flags.acknowledge | flags.create | flags.replace;

/** Bytes that may go at once: what comes in a hundredth of a second, and never less than one offloaded packet. */
const LEAST_BURST = 64 << 10;
/** Seconds that a packet waits for its turn at most; behind that it is dropped. */
const QUEUE = 0.05;

/** Lets an interface send so many bytes a second, in place of any limit before. */
export function setRate(index: number, bytesPerSecond: number, { inside = false } = {}): NetlinkRequest {
  const burst = Math.max(LEAST_BURST, Math.ceil(bytesPerSecond / 100));
  const queue = Math.min(MOST_32, Math.ceil(bytesPerSecond * QUEUE) + burst);
  const rate = Buffer.concat([Buffer.from([0, ETHERNET]), u16(0), u16(0), u16(0), u32(Math.min(MOST_32, bytesPerSecond))]);
  const parameters = Buffer.concat([rate, Buffer.alloc(rate.length), u32(queue), u32(0), u32(0)]);
  const options = nested(TCA.options, attribute(TBF.parameters, parameters), attribute(TBF.burst, u32(Math.min(MOST_32, burst))), ...(bytesPerSecond > MOST_32 ? [attribute(TBF.rate64, u64(bytesPerSecond))] : []));
  return { what: `limit the rate of interface ${index}`, inside, message: message(RTM.newQdisc, REPLACE, header(index, HANDLE), attribute(TCA.kind, text('tbf')), options) };
}

/** Takes the limit away; there is none is fine, which the kernel calls an invalid handle. */
export function clearRate(index: number, { inside = false } = {}): NetlinkRequest {
  return { what: `lift the rate limit of interface ${index}`, inside, tolerate: 'EINVAL', message: message(RTM.deleteQdisc, flags.acknowledge, header(index, HANDLE)) };
}

export function dumpRates({ inside = false } = {}): NetlinkRequest {
  return { what: 'list rate limits', inside, tolerate: 'EINTR', message: message(RTM.getQdisc, flags.dump, header(0, 0, 0)) };
}

/** Bytes a second by interface index, of those that have a limit. */
export function ratesIn(data: Buffer): Map<number, number> {
  const rates = new Map<number, number>();
  for (const { type, body } of messages(data)) {
    const found = attributes(body.subarray(20));
    const options = found.get(TCA.options);
    if (type !== RTM.newQdisc || readU32(body, 12) !== ROOT || found.get(TCA.kind)?.toString() !== 'tbf\0' || !options) continue;
    const inner = attributes(options);
    const parameters = inner.get(TBF.parameters);
    const rate64 = inner.get(TBF.rate64);
    if (parameters) rates.set(readU32(body, 4), rate64 ? readU64(rate64) : readU32(parameters, 8));
  }
  return rates;
}

function header(index: number, handle: number, parent = ROOT): Buffer {
  return Buffer.concat([u32(0), u32(index), u32(handle), u32(parent), u32(0)]);
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  new BigUint64Array(bytes.buffer, bytes.byteOffset, 1)[0] = BigInt(value); // in the machine's own order, as all of netlink
  return bytes;
}

function readU64(bytes: Buffer): number {
  return Number(new BigUint64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 8))[0]);
}
