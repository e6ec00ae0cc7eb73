import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

import { errnoOf, MooringError } from '../../lib/errors.ts';
import type { DataDir } from '../store/data-dir.ts';
import { BlobFile } from './blob-file.ts';
import { type Digest, digestOf, hexOf, parseDigest } from './digest.ts';
import type { Hold } from './pins.ts';

const READ_BYTES = 1024 * 1024;
const WRITTEN_BYTES = 1024 * 1024;
/** Whoever follows a blob that comes in hears of so much at a time: each word wakes a process. */
const TOLD_BYTES = 1024 * 1024;

/** A file that somebody writes, and the word that more of it is there. */
export interface GrowingFile {
  /** With a position of its own, wherever the file has gone meanwhile. */
  readonly open: () => Promise<FileHandle>;
  readonly growth: AsyncIterable<Buffer>;
}

/** Content under the name of its digest. What is there is whole and right: it came in verified and through one rename. */
export class BlobStore {
  readonly #dataDir: DataDir;

  constructor(dataDir: DataDir) {
    this.#dataDir = dataDir;
  }

  /** Keeps each of these. What is there already costs its reading, and is written again only where that finds it damaged. */
  async put(contents: readonly (string | Uint8Array)[], held: Hold): Promise<void> {
    const missing = new Map(contents.map((content) => [digestOf(content), content]));
    await held.add([...missing.keys()]);
    for (const digest of [...missing.keys()]) if (await this.find(digest)) missing.delete(digest);
    if (missing.size > 0) await held.expect({ blobs: [...missing.keys()] });
    for (const [digest, content] of missing) {
      const half = this.#dataDir.temporaryPath();
      await writeFile(half, content, { flag: 'wx', mode: 0o600 });
      await this.#dataDir.place(half, this.file(digest));
    }
  }

  /** Keeps `content`, and settles once it is on disk. */
  async putDurably(content: string | Uint8Array): Promise<Digest> {
    const digest = digestOf(content);
    await this.#dataDir.writeDurably(this.file(digest), content);
    return digest;
  }

  /** The whole blob, verified again: disks rot, people edit. For configs and manifests, not for layers. */
  async read(digest: Digest): Promise<Buffer> {
    let content: Buffer;
    try {
      content = await readFile(this.file(digest));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') throw new MooringError('NotFound', `blob ${digest} is not in the store`, { cause: error });
      throw error;
    }
    if (digestOf(content) !== digest) throw new MooringError('Internal', `blob ${digest} is damaged on disk: its content is ${digestOf(content)}`);
    return content;
  }

  /** The same; undefined where it is not in the store, or damaged. */
  async find(digest: Digest): Promise<Buffer | undefined> {
    try {
      return await this.read(digest);
    } catch (error) {
      if (error instanceof MooringError) return undefined;
      throw error;
    }
  }

  /** What the blob's content hashes to now. */
  async actualDigest(digest: Digest): Promise<Digest> {
    const hash = createHash('sha256');
    await pipeline(createReadStream(this.file(digest), { highWaterMark: READ_BYTES }), hash);
    return `sha256:${hash.digest('hex')}` as Digest;
  }

  /** Takes a blob in piece by piece. Without `expected`, whatever digest comes out is its name. */
  async writer(expected?: { readonly digest: Digest; readonly size: number }): Promise<BlobWriter> {
    const half = this.#dataDir.temporaryPath();
    const handle = await open(half, 'wx+', 0o600);
    return new BlobWriter(handle, half, expected, (digest) => this.#dataDir.place(half, this.file(digest)));
  }

  /** Has a process write a blob that is not known yet. */
  newFile(): Promise<BlobFile> {
    const half = this.#dataDir.temporaryPath();
    return BlobFile.make(half, (digest) => this.#dataDir.place(half, this.file(digest)));
  }

  /** Bytes of the blob; undefined when it isn't there. */
  async sizeOf(digest: Digest): Promise<number | undefined> {
    try {
      return (await stat(this.file(digest))).size;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async list(): Promise<Digest[]> {
    return (await readdir(this.#dataDir.blobs)).map((hex) => parseDigest(`sha256:${hex}`));
  }

  async remove(digest: Digest): Promise<void> {
    await (await this.#dataDir.discard(this.file(digest))).discarded;
  }

  /** Where the blob is, or would be. */
  file(digest: Digest): string {
    return path.join(this.#dataDir.blobs, hexOf(digest));
  }
}

/** A blob on its way in: a file of its own until its digest has proven right. Left without `commit`, nothing of it stays. */
export class BlobWriter implements AsyncDisposable {
  readonly #handle: FileHandle;
  readonly #half: string;
  readonly #expected: { readonly digest: Digest; readonly size: number } | undefined;
  readonly #place: (digest: Digest) => Promise<void>;
  #hash: Hash = createHash('sha256');
  #size = 0;
  /** What came last and is not being written yet: the fewer writes, the fewer times that a thread is waited for. */
  readonly #gathered: Uint8Array[] = [];
  #writing: Promise<void> = Promise.resolve();
  /** Bytes of which the writing has begun, and ended. */
  #begun = 0;
  #written = 0;
  #digest: Digest | undefined;
  #committed = false;
  #restarts = 0;
  #closed = false;
  /** Wakes whoever follows. */
  #more = Promise.withResolvers<void>();

  constructor(handle: FileHandle, half: string, expected: { readonly digest: Digest; readonly size: number } | undefined, place: (digest: Digest) => Promise<void>) {
    this.#handle = handle;
    this.#half = half;
    this.#expected = expected;
    this.#place = place;
  }

  /** Bytes taken in so far. */
  get size(): number {
    return this.#size;
  }

  /** Throws `Invalid` once more comes than was expected. The piece is the writer's from then on. */
  async write(piece: Uint8Array): Promise<void> {
    const expected = this.#expected;
    if (expected && this.#size + piece.length > expected.size) throw new MooringError('Invalid', `blob ${expected.digest} is longer than the ${expected.size} bytes that it should have`);
    this.#hash.update(piece);
    this.#size += piece.length;
    this.#gathered.push(piece);
    if (this.#size - this.#begun >= WRITTEN_BYTES) await this.#writeOut();
  }

  /** Begins to write what has gathered, once what went before is written. */
  async #writeOut(): Promise<void> {
    await this.#writing;
    const content = Buffer.concat(this.#gathered.splice(0));
    const offset = this.#begun;
    this.#begun += content.length;
    this.#writing = this.#writeAt(content, offset);
    this.#writing.catch(() => {}); // whoever writes or finishes next is told
  }

  async #writeAt(content: Buffer, offset: number): Promise<void> {
    for (let done = 0; done < content.length; ) {
      const { bytesWritten } = await this.#handle.write(content, done, content.length - done, offset + done);
      done += bytesWritten;
    }
    this.#written = offset + content.length;
    this.#wake();
  }

  /**
   * The file that it is being written to, for who reads it at the same time, up to `finish`. It has not proven right before that. `growth` has a byte for each time
   * that more is there; it ends with the file, and throws `Unavailable` once that begins anew or is given up.
   */
  follow(): GrowingFile {
    const restarts = this.#restarts;
    const reopen = async (): Promise<FileHandle> => {
      this.#requireSame(restarts);
      return await open(`/proc/self/fd/${this.#handle.fd}`);
    };
    return { open: reopen, growth: this.#growth(restarts) };
  }

  async *#growth(restarts: number): AsyncGenerator<Buffer, void, void> {
    for (let told = 0; ; ) {
      const more = this.#more.promise;
      this.#requireSame(restarts);
      if (this.#digest !== undefined) return;
      if (this.#written - told >= TOLD_BYTES) {
        told = this.#written;
        yield Buffer.of(0);
      } else await more;
    }
  }

  /** Forgets what came so far. */
  async restart(): Promise<void> {
    this.#restarts++;
    this.#wake();
    await this.#writing;
    await this.#handle.truncate(0);
    this.#gathered.length = 0;
    this.#begun = 0;
    this.#written = 0;
    this.#hash = createHash('sha256');
    this.#size = 0;
  }

  /** Nothing more comes. Throws `Invalid` when what came is not what was expected. */
  async finish(): Promise<{ readonly digest: Digest; readonly size: number }> {
    await this.#writeOut();
    await this.#writing;
    const digest = (this.#digest ??= `sha256:${this.#hash.digest('hex')}` as Digest);
    this.#wake();
    const expected = this.#expected;
    if (expected && (this.#size !== expected.size || digest !== expected.digest)) {
      throw new MooringError('Invalid', `blob ${expected.digest} of ${expected.size} bytes came as ${digest} of ${this.#size} bytes`);
    }
    return { digest, size: this.#size };
  }

  /** Puts the blob in its place, and says what it is. */
  async commit(held: Hold): Promise<{ readonly digest: Digest; readonly size: number }> {
    const finished = await this.finish();
    await held.expect({ blobs: [finished.digest] });
    await this.#place(finished.digest);
    this.#committed = true;
    return finished;
  }

  #requireSame(restarts: number): void {
    if (this.#restarts !== restarts || this.#closed) throw new MooringError('Unavailable', 'the transfer of a blob began anew, or ended before its time');
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#wake();
    await this.#writing.catch(() => {}); // of what is thrown away
    await this.#handle.close();
    if (!this.#committed) await rm(this.#half, { force: true });
  }
}
