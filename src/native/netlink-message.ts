import { endianness } from 'node:os';

/** Netlink's wire format (netlink(7)): headers and attributes in the machine's byte order, everything padded to four bytes. */

const HEADER = 16;
const ATTRIBUTE_HEADER = 4;
const NESTED = 0x8000;

/** NLM_F_*: flags of a request. */
export const flags = { request: 0x1, acknowledge: 0x4, dump: 0x300, replace: 0x100, exclusive: 0x200, create: 0x400 } as const;

const little = endianness() === 'LE';

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  if (little) bytes.writeUInt16LE(value);
  else bytes.writeUInt16BE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  if (little) bytes.writeUInt32LE(value >>> 0);
  else bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function readU16(bytes: Buffer, at = 0): number {
  return little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
}

export function readU32(bytes: Buffer, at = 0): number {
  return little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
}

/** A text with the NUL at its end that the kernel wants. */
export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

export function attribute(type: number, payload: Buffer): Buffer {
  return Buffer.concat([u16(ATTRIBUTE_HEADER + payload.length), u16(type), padded(payload)]);
}

export function nested(type: number, ...inner: readonly Buffer[]): Buffer {
  return attribute(type | NESTED, Buffer.concat(inner));
}

/** A request of that type: the family's fixed header, then attributes. */
export function message(type: number, flagBits: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts.map(padded));
  return Buffer.concat([u32(HEADER + body.length), u16(type), u16(flagBits | flags.request), u32(0), u32(0), body]);
}

/** The messages that a buffer holds: type and what follows the netlink header. */
export function* messages(data: Buffer): Generator<{ readonly type: number; readonly body: Buffer }> {
  for (let at = 0; at + HEADER <= data.length; ) {
    const length = readU32(data, at);
    if (length < HEADER) return;
    yield { type: readU16(data, at + 4), body: data.subarray(at + HEADER, at + length) };
    at += align(length);
  }
}

/** Attributes by type, where each comes once. */
export function attributes(data: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at + ATTRIBUTE_HEADER <= data.length; ) {
    const length = readU16(data, at);
    if (length < ATTRIBUTE_HEADER) break;
    found.set(readU16(data, at + 2) & ~NESTED, data.subarray(at + ATTRIBUTE_HEADER, at + length));
    at += align(length);
  }
  return found;
}

function padded(bytes: Buffer): Buffer {
  return bytes.length % 4 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(4 - (bytes.length % 4))]);
}

function align(length: number): number {
  return (length + 3) & ~3;
}
