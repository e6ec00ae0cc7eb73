import { constants } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import path from 'node:path';

import { errnoOf, MooringError } from '../../lib/errors.ts';
import type { Native } from '../../native/native.ts';
import { byBytes, type FileTree, joined, parentOf, partsOf, type TreeFile } from './file-tree.ts';
import { layerAttributes } from './folder-tree.ts';
import { readPieces } from './read-pieces.ts';
import { treeFile } from './tree-file.ts';

const OPAQUE = 'trusted.overlay.opaque';

/** What layers hold at a path of their merged view, top first; below a deletion or an opaque folder nothing is seen. */
interface Place {
  readonly hosts: readonly string[];
  readonly top: TreeFile | undefined;
}

const NOTHING: Place = { hosts: [], top: undefined };

/** The merged view of unpacked layers, as overlayfs would show it (kernel, filesystems/overlayfs). Layers never change and only root can write to them. */
export class LayerTree implements FileTree {
  /** Folders of unpacked layers, top first. */
  readonly layers: readonly string[];
  readonly #native: Pick<Native, 'readAttributes'>;
  readonly #places = new Map<string, Promise<Place>>();

  constructor(layers: readonly string[], native: Pick<Native, 'readAttributes'>) {
    this.layers = layers;
    this.#native = native;
  }

  async look(file: string): Promise<TreeFile | undefined> {
    return (await this.#place(file)).top;
  }

  async names(folder: string): Promise<string[]> {
    const { hosts, top } = await this.#place(folder);
    if (top?.kind !== 'folder') return [];
    const names = new Set((await Promise.all(hosts.map((host) => readdir(host)))).flat());
    const seen = await Promise.all([...names].map(async (name) => ((await this.look(joined(folder, name))) ? [name] : [])));
    return seen.flat().sort(byBytes);
  }

  async readLink(file: string): Promise<string> {
    const { hosts } = await this.#place(file);
    return readlink(hosts[0] ?? '');
  }

  async *read(file: string): AsyncIterable<Buffer> {
    const { hosts, top } = await this.#place(file);
    if (hosts[0] === undefined || top?.kind !== 'file') throw new MooringError('Internal', `${file} of an image is not a regular file`);
    await using handle = await open(hosts[0], constants.O_RDONLY | constants.O_NOFOLLOW);
    yield* readPieces(handle, top.size);
  }

  async attributes(file: string): Promise<ReadonlyMap<string, Buffer>> {
    const { hosts } = await this.#place(file);
    const [found] = hosts[0] === undefined ? [] : await this.#native.readAttributes([hosts[0]]);
    return found && 'attributes' in found ? layerAttributes(found.attributes) : new Map();
  }

  /** The folders, or the one file, of the layers that make up what is seen at a path; top first. */
  async hosts(file: string): Promise<readonly string[]> {
    return (await this.#place(file)).hosts;
  }

  #place(file: string): Promise<Place> {
    const clean = partsOf(file).join('/');
    const known = this.#places.get(clean);
    if (known) return known;
    const place = clean === '' ? this.#root() : this.#below(parentOf(clean), path.posix.basename(clean));
    this.#places.set(clean, place);
    return place;
  }

  async #root(): Promise<Place> {
    const [top] = this.layers;
    // An image without a layer has an empty root.
    if (top === undefined) return { hosts: [], top: { kind: 'folder', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 } };
    return { hosts: this.layers, top: treeFile(await lstat(top, { bigint: true })) };
  }

  async #below(folder: string, name: string): Promise<Place> {
    const above = await this.#place(folder);
    if (above.top?.kind !== 'folder') return NOTHING;
    const candidates = await Promise.all(above.hosts.map((host) => lookAt(path.join(host, name))));
    const there = candidates.flatMap((candidate) => candidate ?? []);
    const end = there.findIndex(({ file }) => isWhiteout(file));
    const visible = end < 0 ? there : there.slice(0, end);
    const [top] = visible;
    if (!top) return NOTHING;
    if (top.file.kind !== 'folder') return { hosts: [top.host], top: top.file };
    const hidden = visible.findIndex(({ file }) => file.kind !== 'folder');
    const folders = hidden < 0 ? visible : visible.slice(0, hidden);
    const hosts = folders.map(({ host }) => host);
    const opaque = (await this.#native.readAttributes(hosts)).findIndex((found) => 'attributes' in found && found.attributes.has(OPAQUE));
    return { hosts: opaque < 0 ? hosts : hosts.slice(0, opaque + 1), top: top.file };
  }
}

function isWhiteout({ kind, device }: TreeFile): boolean {
  return kind === 'character' && device?.major === 0 && device.minor === 0;
}

async function lookAt(host: string): Promise<{ readonly host: string; readonly file: TreeFile } | undefined> {
  try {
    return { host, file: treeFile(await lstat(host, { bigint: true })) };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
