import { createHash } from 'node:crypto';
import type { AddressBytes } from '../../native/rtnetlink.ts';
import { overlaps, type Subnet } from '../../spec/address.ts';

/** The n-th address of the subnet. */
export function addressAt({ base }: Subnet, n: bigint): AddressBytes {
  return bytesOf(valueOf(base) + n, base.length);
}

/** Which of the subnet's addresses it is; the opposite of `addressAt`. */
export function numberIn({ base }: Subnet, address: AddressBytes): bigint {
  return valueOf(address) - valueOf(base);
}

/** How many addresses it has. */
export function sizeOf({ base, prefix }: Subnet): bigint {
  return 1n << BigInt(base.length * 8 - prefix);
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

function valueOf(address: AddressBytes): bigint {
  return BigInt(`0x${address.toString('hex')}`);
}

function bytesOf(value: bigint, length: number): AddressBytes {
  return Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex');
}
