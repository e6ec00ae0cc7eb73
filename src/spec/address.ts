import { isIP, isIPv4 } from 'node:net';
import { quoted } from '../lib/text.ts';
import { invalid } from './invalid.ts';

/** The characters of an address; whether it is one is checked beyond that. */
export const IP_PATTERN = /^[0-9A-Fa-f:.]+$/;
/** The longest way of writing one, INET6_ADDRSTRLEN without its NUL. */
export const IP_MAX_LENGTH = 45;
export const CIDR_PATTERN = /^[0-9A-Fa-f:.]+\/[0-9]{1,3}$/;
export const CIDR_MAX_LENGTH = 49;
export const MAC_PATTERN = /^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$/;
export const MAC_LENGTH = 17;

/** Addresses that share their first `prefix` bits. */
export interface Subnet {
  /** The lowest address, in network order: 4 or 16 bytes. */
  readonly base: Buffer;
  readonly prefix: number;
}

/** Throws `Invalid` unless `text` is an IPv4 or IPv6 address; gives it back. */
export function checkAddress(text: string): string {
  if (isIP(text) === 0 || !IP_PATTERN.test(text)) throw invalid(`${quoted(text)} is not an IPv4 or IPv6 address`, 'write it like 127.0.0.1 or ::1');
  return text;
}

/** Throws `Invalid` unless `text` is a subnet such as `10.1.0.0/16` or `fd00:1::/64`, with nothing behind its prefix; gives it back. */
export function checkSubnet(text: string): string {
  const [address = '', prefixText = '', ...rest] = text.split('/');
  const bits = isIPv4(address) ? 32 : 128;
  if (rest.length > 0 || isIP(address) === 0 || !CIDR_PATTERN.test(text) || Number(prefixText) > bits) {
    throw invalid(`${quoted(text)} is not a subnet`, 'write an address and the length of its prefix, like 10.1.0.0/16 or fd00:1::/64');
  }
  const subnet = parseSubnet(text);
  const base = lowestOf(subnet);
  if (!base.equals(subnet.base)) throw invalid(`${quoted(text)} has bits set behind its prefix`, `write ${subnetText({ base, prefix: subnet.prefix })}`);
  return text;
}

/** Throws `Invalid` unless `text` is the MAC address of one interface; gives it back in lower case. */
export function checkMac(text: string): string {
  if (!MAC_PATTERN.test(text)) throw invalid(`${quoted(text)} is not a MAC address`, 'write it like 02:42:ac:11:00:02');
  if ((Number.parseInt(text.slice(0, 2), 16) & 1) === 1) throw invalid(`${quoted(text)} is a MAC address of a group`, 'let its first byte be even: 02:…');
  return text.toLowerCase();
}

/** `172.30.16.0/20` or `fd01:2:3:4::/64`, where it is known to be one. */
export function parseSubnet(text: string): Subnet {
  const [address = '', prefix] = text.split('/');
  return { base: parseAddress(address), prefix: Number(prefix) };
}

/** The bytes of an address that `node:net` accepts. */
export function parseAddress(text: string): Buffer {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  const [head = '', tail] = text.split('%')[0]?.split('::') ?? [];
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':')).flatMap((group) => (isIPv4(group) ? [...parseAddress(group)] : wordBytes(Number.parseInt(group, 16))));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  return Buffer.from([...left, ...Array<number>(16 - left.length - right.length).fill(0), ...right]);
}

/** RFC 5952: lower case, the longest run of zeros shortened. */
export function addressText(address: Buffer): string {
  if (address.length === 4) return address.join('.');
  const groups = Array.from({ length: 8 }, (_, group) => address.readUInt16BE(group * 2).toString(16)).join(':');
  const longest = [...groups.matchAll(/\b0(?::0)+\b/g)].sort((a, b) => b[0].length - a[0].length)[0];
  if (longest === undefined) return groups;
  return `${groups.slice(0, longest.index).replace(/:$/, '')}::${groups.slice(longest.index + longest[0].length).replace(/^:/, '')}`;
}

export function subnetText({ base, prefix }: Subnet): string {
  return `${addressText(base)}/${prefix}`;
}

/** The address or subnet as everything else writes it, so that two ways of writing one are no difference. */
export function canonicalAddress(text: string): string {
  return text.includes('/') ? subnetText(parseSubnet(text)) : addressText(parseAddress(text));
}

/** Whether two subnets have an address in common. */
export function overlaps(a: Subnet, b: Subnet): boolean {
  return a.base.length === b.base.length && samePrefix(a.base, b.base, Math.min(a.prefix, b.prefix));
}

export function contains(subnet: Subnet, address: Buffer): boolean {
  return subnet.base.length === address.length && samePrefix(subnet.base, address, subnet.prefix);
}

function samePrefix(a: Buffer, b: Buffer, bits: number): boolean {
  const whole = bits >> 3;
  const rest = 0xff & ~(0xff >> (bits & 7));
  return a.subarray(0, whole).equals(b.subarray(0, whole)) && (rest === 0 || ((a[whole] ?? 0) & rest) === ((b[whole] ?? 0) & rest));
}

function lowestOf({ base, prefix }: Subnet): Buffer {
  return Buffer.from(base.map((byte, index) => byte & (0xff00 >> Math.max(0, Math.min(8, prefix - index * 8)))));
}

function wordBytes(word: number): number[] {
  return [word >> 8, word & 0xff];
}
