import { type FileHandle, open, rm } from 'node:fs/promises';

import type { Digest } from './digest.ts';
import type { Hold } from './pins.ts';

/** A blob that a process of ours writes, which says in the end what it is. Left without `place`, nothing of it stays. */
export class BlobFile implements AsyncDisposable {
  readonly #handle: FileHandle;
  readonly #half: string;
  readonly #place: (digest: Digest) => Promise<void>;
  #placed = false;

  /** Makes the file `half`; `place` renames it to where the blob belongs. */
  static async make(half: string, place: (digest: Digest) => Promise<void>): Promise<BlobFile> {
    return new BlobFile(await open(half, 'wx+', 0o600), half, place);
  }

  private constructor(handle: FileHandle, half: string, place: (digest: Digest) => Promise<void>) {
    this.#handle = handle;
    this.#half = half;
    this.#place = place;
  }

  /** For the process that writes. */
  get fd(): number {
    return this.#handle.fd;
  }

  /** For who reads, with a position of its own. */
  open(): Promise<FileHandle> {
    return open(`/proc/self/fd/${this.#handle.fd}`);
  }

  /** Puts the blob in its place, and gives its size. */
  async place(digest: Digest, held: Hold): Promise<number> {
    const { size } = await this.#handle.stat();
    await held.expect({ blobs: [digest] });
    await this.#place(digest);
    this.#placed = true;
    return size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
    if (!this.#placed) await rm(this.#half, { force: true });
  }
}
