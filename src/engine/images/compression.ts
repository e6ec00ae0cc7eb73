export type Compression = 'none' | 'gzip' | 'zstd';

/** By what the bytes are, not by what a manifest calls them: media types lie in the wild, and Docker looks at the bytes, too. */
export async function peek(source: AsyncIterable<Buffer>): Promise<{ readonly compression: Compression; readonly content: AsyncIterable<Buffer> }> {
  const pieces = source[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 4) {
    const next = await pieces.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  return { compression: compressionOf(head), content: rejoined(head, pieces) };
}

async function* rejoined(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, void> {
  try {
    if (head.length > 0) yield head;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

function compressionOf(head: Buffer): Compression {
  const magic = head.toString('hex', 0, 4);
  if (magic.startsWith('1f8b')) return 'gzip';
  return magic === '28b52ffd' || /^5.2a4d18$/.test(magic) ? 'zstd' : 'none';
}
