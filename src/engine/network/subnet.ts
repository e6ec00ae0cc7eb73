import { createHash } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { AddressBytes } from '../../native/rtnetlink.ts';

/** Addresses that share their first `prefix` bits. */
export interface Subnet {
  /** The lowest address, in network order. */
  readonly base: AddressBytes;
  readonly prefix: number;
}

/** `172.30.16.0/20` or `fd01:2:3:4:0:0:0:0/64`, as `formatSubnet` writes them. */
export function parseSubnet(text: string): Subnet {
  const [address = '', prefix] = text.split('/');
  return { base: parseAddress(address), prefix: Number(prefix) };
}

/** The bytes of an address that `node:net` accepts. */
export function parseAddress(text: string): AddressBytes {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  const [head = '', tail] = text.split('%')[0]?.split('::') ?? [];
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':')).flatMap((group) => (isIPv4(group) ? [...parseAddress(group)] : wordBytes(Number.parseInt(group, 16))));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  return Buffer.from([...left, ...Array<number>(16 - left.length - right.length).fill(0), ...right]);
}

/** RFC 5952: lower case, the longest run of zeros shortened. */
export function addressText(address: AddressBytes): string {
  if (address.length === 4) return address.join('.');
  const groups = Array.from({ length: 8 }, (_, group) => address.readUInt16BE(group * 2).toString(16)).join(':');
  const longest = [...groups.matchAll(/\b0(?::0)+\b/g)].sort((a, b) => b[0].length - a[0].length)[0];
  if (longest === undefined) return groups;
  return `${groups.slice(0, longest.index).replace(/:$/, '')}::${groups.slice(longest.index + longest[0].length).replace(/^:/, '')}`;
}

export function subnetText({ base, prefix }: Subnet): string {
  return `${addressText(base)}/${prefix}`;
}

/** The n-th address of the subnet. */
export function addressAt({ base }: Subnet, n: number): AddressBytes {
  const address = Buffer.from(base);
  const at = address.length - 4;
  address.writeUInt32BE((address.readUInt32BE(at) + n) >>> 0, at);
  return address;
}

/** How many addresses it has, as far as they are counted here: 2³¹ at most. */
export function sizeOf({ base, prefix }: Subnet): number {
  return 2 ** Math.min(31, base.length * 8 - prefix);
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  if (a.base.length !== b.base.length) return false;
  const bits = Math.min(a.prefix, b.prefix);
  const whole = bits >> 3;
  const rest = 0xff & ~(0xff >> (bits & 7));
  return a.base.subarray(0, whole).equals(b.base.subarray(0, whole)) && (rest === 0 || ((a.base[whole] ?? 0) & rest) === ((b.base[whole] ?? 0) & rest));
}

const SIZE = 20;

/**
 * The first /20 that nothing in use overlaps, of 172.16.0.0/12 and then of 10.0.0.0/8, from the top: others, Docker among them, begin at the bottom.
 * Undefined when none is free.
 */
export function freeSubnet4(inUse: readonly Subnet[]): Subnet | undefined {
  for (const [first, bits] of [
    [0xac10_0000, 12],
    [0x0a00_0000, 8],
  ] as const) {
    for (let n = 2 ** (SIZE - bits) - 1; n >= 0; n--) {
      const base = Buffer.alloc(4);
      base.writeUInt32BE(first + n * 2 ** (32 - SIZE));
      const subnet = { base, prefix: SIZE };
      if (!inUse.some((each) => overlaps(each, subnet))) return subnet;
    }
  }
  return undefined;
}

/** A unique local /64 (RFC 4193) that nothing in use overlaps; the same for the same seed, as far as it can be. */
export function freeSubnet6(inUse: readonly Subnet[], seed: string): Subnet {
  for (let attempt = 0; ; attempt++) {
    const hash = createHash('sha256').update(`${seed} ${attempt}`).digest();
    const subnet = { base: Buffer.concat([Buffer.from([0xfd]), hash.subarray(0, 7), Buffer.alloc(8)]), prefix: 64 };
    if (!inUse.some((each) => overlaps(each, subnet))) return subnet;
  }
}

function wordBytes(word: number): number[] {
  return [word >> 8, word & 0xff];
}
