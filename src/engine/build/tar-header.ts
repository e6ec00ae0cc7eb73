/** One entry of an archive, as its header tells it. */
export interface TarHeader {
  readonly name: string;
  /** `0` file, `1` hard link, `2` symbolic link, `3` character device, `4` block device, `5` folder, `6` pipe. */
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  readonly target: string;
  readonly device: { readonly major: number; readonly minor: number } | undefined;
  readonly attributes: ReadonlyMap<string, Buffer>;
}

export const TAR_BLOCK = 512;

/** What fields hold (pax(1), "ustar Interchange Format"). */
const NAME_BYTES = 100;
const MAX_ID = 0o7777777;
const MAX_SIZE = 0o77777777777;

/**
 * The blocks before an entry's content: a ustar header, and before it a PAX one for what doesn't fit there. `tar-stream` is not used for this: it can't
 * write the mode 0, nor attributes that are not text.
 */
export function tarHeader(entry: TarHeader): Buffer {
  const { name, type, target, attributes } = entry;
  const records = new Map<string, string | Buffer>();
  if (Buffer.byteLength(name) > NAME_BYTES) records.set('path', name);
  if (Buffer.byteLength(target) > NAME_BYTES) records.set('linkpath', target);
  for (const id of ['uid', 'gid'] as const) if (entry[id] > MAX_ID) records.set(id, String(entry[id]));
  if (entry.size > MAX_SIZE) records.set('size', String(entry.size));
  if (entry.mtime < 0) records.set('mtime', String(entry.mtime));
  for (const [attribute, value] of attributes) records.set(`SCHILY.xattr.${attribute}`, value);
  const own = ustarHeader({ ...entry, type });
  if (records.size === 0) return own;
  const content = paxRecords(records);
  const announcing = ustarHeader({ ...entry, name: 'PaxHeaders/entry', type: 'x', mode: 0o644, uid: 0, gid: 0, size: content.length, mtime: 0, target: '', device: undefined });
  return Buffer.concat([announcing, content, padding(content.length), own]);
}

/** Fills the last block of a content. */
export function padding(size: number): Buffer {
  return Buffer.alloc((TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK);
}

function ustarHeader({ name, type, mode, uid, gid, size, mtime, target, device }: TarHeader): Buffer {
  const block = Buffer.alloc(TAR_BLOCK);
  const octal = (value: number, at: number, digits: number): void => void block.write(value.toString(8).padStart(digits, '0'), at);
  cut(name).copy(block, 0);
  octal(mode, 100, 7);
  octal(Math.min(uid, MAX_ID), 108, 7);
  octal(Math.min(gid, MAX_ID), 116, 7);
  octal(size > MAX_SIZE ? 0 : size, 124, 11);
  octal(Math.max(0, mtime), 136, 11);
  block.fill(' ', 148, 156); // the checksum counts itself as blanks
  block.write(type, 156);
  cut(target).copy(block, 157);
  block.write('ustar\u000000', 257);
  octal(device?.major ?? 0, 329, 7);
  octal(device?.minor ?? 0, 337, 7);
  octal(block.reduce((sum, byte) => sum + byte, 0), 148, 6);
  block[154] = 0;
  return block;
}

function cut(text: string): Buffer {
  return Buffer.from(text).subarray(0, NAME_BYTES);
}

/** `<length> <key>=<value>\n` each, the length counting itself (pax(1), "pax Extended Header"). */
function paxRecords(records: ReadonlyMap<string, string | Buffer>): Buffer {
  return Buffer.concat(
    [...records].map(([key, value]) => {
      const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
      let length = rest.length + 1;
      while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
      return Buffer.concat([Buffer.from(String(length)), rest]);
    }),
  );
}
