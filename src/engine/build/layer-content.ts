import { createHash } from 'node:crypto';

import { mapAtOnce } from '../../lib/map-at-once.ts';
import type { NewFile } from './copy-plan.ts';

/** How long ago a file must have changed for its status to vouch for its content: clocks of file systems are coarse. */
const SETTLED_MS = 2_000;
const MAX_REMEMBERED = 200_000;
/** As many as keep the threads busy that read them. */
const FILES_AT_ONCE = 8;

/** What files hold, remembered for as long as their status says that they are the same. */
export class ContentDigests {
  readonly #digests = new Map<string, string>();
  readonly #attributes = new Map<string, ReadonlyMap<string, Buffer>>();

  /** Hexadecimal SHA-256 of a regular file's content. */
  of(source: Source): Promise<string> {
    return remembered(this.#digests, source.file.version, async () => {
      const hash = createHash('sha256');
      for await (const piece of source.tree.read(source.path)) hash.update(piece);
      return hash.digest('hex');
    });
  }

  attributesOf({ tree, path, file }: Source): Promise<ReadonlyMap<string, Buffer>> {
    return remembered(this.#attributes, file.version, () => tree.attributes(path));
  }
}

type Source = NonNullable<NewFile['source']>;

async function remembered<T>(known: Map<string, T>, version: string | undefined, find: () => Promise<T>): Promise<T> {
  const there = version === undefined ? undefined : known.get(version);
  if (there !== undefined) return there;
  const found = await find();
  if (version !== undefined && isSettled(version)) {
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(version, found);
  }
  return found;
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
  const found = await mapAtOnce(files, FILES_AT_ONCE, async ({ kind, source }) => {
    if (!source) return { content: '', attributes: new Map<string, Buffer>() };
    const content = kind === 'file' ? await digests.of(source) : kind === 'link' ? await source.tree.readLink(source.path) : '';
    return { content, attributes: await digests.attributesOf(source) };
  });
  for (const [index, { path, kind, mode, uid, gid, device }] of files.entries()) {
    const { content = '', attributes = [] } = found[index] ?? {};
    if (kind === 'file') contents.set(path, content);
    hash.update(JSON.stringify([path, kind, mode, uid, gid, device ?? null, content, [...attributes].map(([name, value]) => [name, value.toString('base64')])]));
  }
  return { files, contents, digest: hash.digest('hex') };
}
