import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { errnoOf, MooringError } from '../../lib/errors.ts';
import type { DataDir } from '../store/data-dir.ts';
import { type Digest, digestOf, hexOf } from './digest.ts';

/** Content under the name of its digest. What is there is whole and right: it came in verified and through one rename. */
export class BlobStore {
  readonly #dataDir: DataDir;

  constructor(dataDir: DataDir) {
    this.#dataDir = dataDir;
  }

  /** Keeps `content` durably. With `expected`, only content of that digest: anything else is `Invalid`. */
  async put(content: string | Uint8Array, expected?: Digest): Promise<Digest> {
    const digest = digestOf(content);
    if (expected !== undefined && digest !== expected) throw new MooringError('Invalid', `blob ${expected} came with content of ${digest}`);
    // Written even where it is there already: whoever puts it may do so because what is there is damaged.
    await this.#dataDir.writeDurably(this.#file(digest), content);
    return digest;
  }

  /** The whole blob, verified again: disks rot, people edit. For configs and manifests, not for layers. */
  async read(digest: Digest): Promise<Buffer> {
    let content: Buffer;
    try {
      content = await readFile(this.#file(digest));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') throw new MooringError('NotFound', `blob ${digest} is not in the store`, { cause: error });
      throw error;
    }
    if (digestOf(content) !== digest) throw new MooringError('Internal', `blob ${digest} is damaged on disk: its content is ${digestOf(content)}`);
    return content;
  }

  #file(digest: Digest): string {
    return path.join(this.#dataDir.blobs, hexOf(digest));
  }
}
