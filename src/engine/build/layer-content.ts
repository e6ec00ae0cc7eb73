import { createHash } from 'node:crypto';

import { MooringError } from '../../lib/errors.ts';
import type { NewFile } from './copy-plan.ts';

/** How long ago a file must have changed for its status to vouch for its content: clocks of file systems are coarse. */
const SETTLED_MS = 2_000;
const MAX_REMEMBERED = 200_000;

/** Digests of files' contents, remembered for as long as the status of the file says that it is the same. */
export class ContentDigests {
  readonly #known = new Map<string, string>();

  /** Hexadecimal SHA-256. */
  async of({ path, source }: NewFile): Promise<string> {
    if (!source) throw new MooringError('Internal', `${path} has no content`);
    const { version } = source.file;
    const known = version === undefined ? undefined : this.#known.get(version);
    if (known !== undefined) return known;
    const hash = createHash('sha256');
    for await (const piece of source.tree.read(source.path)) hash.update(piece);
    const digest = hash.digest('hex');
    if (version !== undefined && isSettled(version)) {
      if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
      this.#known.set(version, digest);
    }
    return digest;
  }
}

/** The change time, which nobody can set, is the last part of a version (nanoseconds). */
function isSettled(version: string): boolean {
  return Date.now() - Number(BigInt(version.slice(version.lastIndexOf(':') + 1)) / 1_000_000n) > SETTLED_MS;
}

/** Contents of regular files by their path in the layer, and one digest over all that is to be in it but the times. */
export interface LayerContent {
  readonly files: readonly NewFile[];
  readonly contents: ReadonlyMap<string, string>;
  readonly digest: string;
}

export async function layerContent(files: readonly NewFile[], digests: ContentDigests): Promise<LayerContent> {
  const contents = new Map<string, string>();
  const hash = createHash('sha256');
  for (const file of files) {
    const { path, kind, mode, uid, gid, device, source } = file;
    const content = kind === 'file' ? await digests.of(file) : kind === 'link' && source ? await source.tree.readLink(source.path) : '';
    if (kind === 'file') contents.set(path, content);
    const attributes = source ? await source.tree.attributes(source.path) : new Map<string, Buffer>();
    hash.update(JSON.stringify([path, kind, mode, uid, gid, device ?? null, content, [...attributes].map(([name, value]) => [name, value.toString('base64')])]));
  }
  return { files, contents, digest: hash.digest('hex') };
}
