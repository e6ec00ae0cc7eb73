/** Writes tar archives byte by byte, so that a test can say what no honest tool would. */

export interface TarEntry {
  readonly name: string;
  /** '0' file, '1' hard link, '2' symbolic link, '3' character device, '4' block device, '5' folder, '6' pipe; 'x' and 'L' as the formats say. */
  readonly type?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly link?: string;
  readonly content?: string | Buffer;
  /** What the header says, where that is not the content's length. */
  readonly size?: number;
  readonly device?: readonly [major: number, minor: number];
  /** PAX records to precede it. */
  readonly pax?: Readonly<Record<string, string | Buffer>>;
  /** Written as they are over the header's bytes, before its checksum. */
  readonly raw?: readonly { readonly at: number; readonly bytes: Buffer }[];
  readonly checksum?: number;
}

const BLOCK = 512;

export function tarArchive(entries: readonly TarEntry[], end = Buffer.alloc(2 * BLOCK)): Buffer {
  return Buffer.concat([...entries.map(tarEntry), end]);
}

export function tarEntry(entry: TarEntry): Buffer {
  const content = Buffer.from(entry.content ?? '');
  const blocks = [header(entry, entry.size ?? content.length), padded(content)];
  if (entry.pax) blocks.unshift(tarEntry({ name: 'PaxHeaders/x', type: 'x', content: paxRecords(entry.pax) }));
  return Buffer.concat(blocks);
}

export function paxRecords(records: Readonly<Record<string, string | Buffer>>): Buffer {
  return Buffer.concat(
    Object.entries(records).map(([key, value]) => {
      const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
      let length = rest.length + 1;
      while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
      return Buffer.concat([Buffer.from(String(length)), rest]);
    }),
  );
}

function header({ name, type = '0', mode = 0o644, uid = 0, gid = 0, mtime = 0, link = '', device, raw = [], checksum }: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, 100, 'latin1');
  octal(block, 100, 8, mode);
  octal(block, 108, 8, uid);
  octal(block, 116, 8, gid);
  octal(block, 124, 12, size);
  octal(block, 136, 12, mtime);
  block.write(type, 156, 1, 'latin1');
  block.write(link, 157, 100, 'latin1');
  block.write('ustar\x0000', 257, 8, 'latin1');
  octal(block, 329, 8, device?.[0] ?? 0);
  octal(block, 337, 8, device?.[1] ?? 0);
  for (const { at, bytes } of raw) bytes.copy(block, at);
  block.fill(' ', 148, 156);
  octal(block, 148, 7, checksum ?? block.reduce((sum, byte) => sum + byte, 0));
  return block;
}

/** Octal digits, or GNU's base-256 form where they don't fit. */
function octal(block: Buffer, at: number, length: number, value: number): void {
  const digits = value.toString(8).padStart(length - 1, '0');
  if (value >= 0 && digits.length < length) {
    block.write(`${digits}\0`, at, length, 'latin1');
    return;
  }
  let rest = BigInt(value);
  for (let index = length - 1; index > 0; index--, rest >>= 8n) block[at + index] = Number(rest & 0xffn);
  block[at] = value < 0 ? 0xff : 0x80;
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);
}
