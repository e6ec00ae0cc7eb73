import type { FileHandle } from 'node:fs/promises';

const PIECE_BYTES = 256 * 1024;

/** The content of an open regular file of `size` bytes, from its beginning to wherever it ends now. A small file takes one read. */
export async function* readPieces(handle: FileHandle, size: number): AsyncGenerator<Buffer, void, void> {
  // Room for one byte more: a read that does not fill it, at the size that is known, has met the end.
  const room = Math.min(size + 1, PIECE_BYTES);
  for (let taken = 0; ; ) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(room), 0, room);
    taken += bytesRead;
    if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
    if (bytesRead === 0 || (bytesRead < room && taken === size)) return;
  }
}
