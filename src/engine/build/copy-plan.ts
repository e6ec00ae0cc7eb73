import { MooringError } from '../../lib/errors.ts';
import { mapAtOnce } from '../../lib/map-at-once.ts';
import { byBytes, cleanPath, type FileKind, type FileTree, joined, parentOf, partsOf, resolveIn, type TreeFile } from './file-tree.ts';
import type { ModeChange } from './mode-change.ts';
import { isPathPattern, pathPattern } from './path-pattern.ts';

/** One thing to be in a layer. */
export interface NewFile {
  /** Relative to the root. */
  readonly path: string;
  readonly kind: FileKind;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since the epoch; undefined is the time of the build. */
  readonly mtime: number | undefined;
  readonly device?: { readonly major: number; readonly minor: number };
  /** Where content, link and attributes come from; a folder that is only on the way has none. */
  readonly source?: { readonly tree: FileTree; readonly path: string; readonly file: TreeFile };
}

export interface CopySource {
  readonly tree: FileTree;
  /** As it was written; `*`, `?` and `[` in it make it a pattern unless it is `exact`. */
  readonly path: string;
  readonly exact?: boolean;
  /** Everything belongs to root, whoever owns it there: what comes from outside. */
  readonly ownedByRoot: boolean;
}

export interface CopyRules {
  /** `COPY` or `ADD`, for messages. */
  readonly keyword: string;
  readonly destination: string;
  readonly workingDir: string;
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly mode?: ModeChange;
  /** Nothing of what is below is looked at. */
  readonly link: boolean;
  readonly parents: boolean;
  /** Patterns relative to what is copied. */
  readonly excludes: readonly string[];
}

interface Match {
  readonly source: CopySource;
  /** With all links followed. */
  readonly path: string;
  /** As it was found, for its name and its parents. */
  readonly written: string;
  readonly file: TreeFile;
}

/** As many as keep the threads busy that look at them. */
const FILES_AT_ONCE = 8;

/** Everything that a COPY or ADD puts into a layer over `below`, parents first. Throws `Invalid` and `NotFound`. */
export async function planCopy(below: FileTree, sources: readonly CopySource[], rules: CopyRules): Promise<NewFile[]> {
  const plan = new CopyPlan(below, rules);
  const matches: Match[] = [];
  for (const source of sources) matches.push(...(await matchesOf(source)));
  if (matches.length === 0) throw new MooringError('NotFound', `${rules.keyword} finds nothing to copy: no file matches ${sources.map(({ path }) => path).join(' ')}`);
  await plan.prepare(sources.length > 1 || matches.length > 1);
  for (const match of matches) await plan.add(match);
  return plan.files();
}

/** What a source names, links followed. Throws `NotFound` where it names nothing and is no pattern. */
export async function matchesOf(source: CopySource): Promise<Match[]> {
  const { tree, path, exact = false } = source;
  const written = exact || !isPathPattern(path) ? [cleanPath(path)] : await expandPattern(tree, cleanPath(path));
  const found: Match[] = [];
  for (const each of written) {
    const resolved = await resolveIn(tree, each);
    const file = await tree.look(resolved);
    if (file) found.push({ source, path: resolved, written: each, file });
  }
  if (found.length === 0 && !isPathPattern(path)) throw new MooringError('NotFound', `"${path}" does not exist`, { fix: 'look for it in .dockerignore, too' });
  return found;
}

/** The paths that a pattern names, each component matched against a folder's names. */
async function expandPattern(tree: FileTree, pattern: string): Promise<string[]> {
  let found = [''];
  for (const part of partsOf(pattern)) {
    if (!isPathPattern(part)) {
      found = found.map((folder) => joined(folder, part.replace(/\\(.)/g, '$1')));
      continue;
    }
    const matcher = pathPattern(part);
    const next: string[] = [];
    for (const folder of found) for (const name of await tree.names(await resolveIn(tree, folder))) if (matcher.test(name)) next.push(joined(folder, name));
    found = next;
  }
  return found;
}

/** A folder that is to be there, with those above it. */
export async function foldersTo(below: FileTree, path: string, owner: { readonly uid: number; readonly gid: number }): Promise<NewFile[]> {
  const plan = new CopyPlan(below, { keyword: 'WORKDIR', destination: path, workingDir: '/', owner, link: false, parents: false, excludes: [] });
  await plan.folderFor(path);
  return plan.files();
}

class CopyPlan {
  readonly #below: FileTree;
  readonly #rules: CopyRules;
  readonly #excludes: readonly RegExp[];
  readonly #files = new Map<string, NewFile>();
  #destination = '';
  #intoFolder = false;

  constructor(below: FileTree, rules: CopyRules) {
    this.#below = below;
    this.#rules = rules;
    this.#excludes = rules.excludes.map((pattern) => pathPattern(cleanPath(pattern), { deep: true }));
  }

  async prepare(several: boolean): Promise<void> {
    const { destination, workingDir, link, keyword } = this.#rules;
    const place = destination.startsWith('/') ? destination : `${workingDir}/${destination}`;
    this.#destination = link ? cleanPath(place) : await resolveIn(this.#below, place);
    const isFolder = !link && (await this.#below.look(this.#destination))?.kind === 'folder';
    this.#intoFolder = isFolder || /(^|\/)\.{0,2}$/.test(destination) || this.#rules.parents;
    if (several && !this.#intoFolder) throw new MooringError('Invalid', `${keyword} of several files needs a folder to put them in`, { fix: `end its destination with a slash: ${destination}/` });
  }

  async add({ source, path, written, file }: Match): Promise<void> {
    const { parents } = this.#rules;
    const kept = parents ? await this.#keepParents(source, written) : '';
    if (file.kind === 'folder') {
      const target = parents ? joined(this.#destination, kept) : this.#destination;
      await this.folderFor(target);
      await this.#addContents(source, path, target, parents ? kept : '');
      return;
    }
    const name = parents ? kept : written.slice(written.lastIndexOf('/') + 1);
    if (this.#isExcluded(name)) return;
    await this.#addFile(source, path, file, this.#intoFolder ? joined(this.#destination, name) : this.#destination);
  }

  files(): NewFile[] {
    return [...this.#files.values()].sort((a, b) => byBytes(a.path, b.path));
  }

  /** With `--parents`, what of a source's path is kept: what stands behind `/./`, or all of it. Its folders come along as they are. */
  async #keepParents({ tree, path, ownedByRoot }: CopySource, written: string): Promise<string> {
    const pivot = path.startsWith('./') ? -1 : path.indexOf('/./');
    const above = pivot < 0 ? 0 : partsOf(path.slice(0, pivot)).length;
    const all = partsOf(written);
    const kept = all.slice(above);
    await this.folderFor(this.#destination);
    for (let depth = 1; depth < kept.length; depth++) {
      const from = all.slice(0, above + depth).join('/');
      const file = await tree.look(await resolveIn(tree, from));
      if (file) this.#put(joined(this.#destination, kept.slice(0, depth).join('/')), file, ownedByRoot, { tree, path: from, file });
    }
    return kept.join('/');
  }

  async #addContents(source: CopySource, folder: string, target: string, relative: string): Promise<void> {
    const names = (await source.tree.names(folder)).filter((name) => !this.#isExcluded(joined(relative, name)));
    const files = await mapAtOnce(names, FILES_AT_ONCE, (name) => source.tree.look(joined(folder, name)));
    for (const [index, name] of names.entries()) {
      const path = joined(folder, name);
      const file = files[index];
      if (!file) continue;
      await this.#addFile(source, path, file, joined(target, name));
      if (file.kind === 'folder') await this.#addContents(source, path, joined(target, name), joined(relative, name));
    }
  }

  async #addFile({ tree, ownedByRoot }: CopySource, path: string, file: TreeFile, target: string): Promise<void> {
    if (file.kind === 'socket') return; // it is nothing without the process that listens on it
    await this.folderFor(parentOf(target));
    const found = this.#rules.link ? undefined : await this.#below.look(target);
    if (found && file.kind === 'folder' && found.kind !== 'folder') throw new MooringError('Conflict', `${this.#rules.keyword} can't put a folder in the place of /${target}, which is a ${found.kind}`);
    if (found?.kind === 'folder' && file.kind !== 'folder') throw new MooringError('Conflict', `${this.#rules.keyword} can't put a ${file.kind} in the place of the folder /${target}`);
    this.#put(target, file, ownedByRoot, { tree, path, file });
  }

  #put(path: string, file: TreeFile, ownedByRoot: boolean, source: NonNullable<NewFile['source']>): void {
    const { owner, mode } = this.#rules;
    const { uid, gid } = owner ?? (ownedByRoot ? { uid: 0, gid: 0 } : file);
    const changed = file.kind === 'link' || !mode ? file.mode : mode(file.mode, file.kind === 'folder');
    this.#files.set(path, { path, kind: file.kind, mode: changed, uid, gid, mtime: file.mtime, ...(file.device && { device: file.device }), source });
  }

  /** A folder that something is put into, with those above it: as it is below, or made anew. */
  async folderFor(path: string): Promise<void> {
    if (path === '' || this.#files.has(path)) return;
    await this.folderFor(parentOf(path));
    const found = this.#rules.link ? undefined : await this.#below.look(path);
    if (found && found.kind !== 'folder') throw new MooringError('Conflict', `${this.#rules.keyword} can't put anything into /${path}, which is a ${found.kind}`);
    const { uid, gid } = this.#rules.owner ?? { uid: 0, gid: 0 };
    if (found) this.#files.set(path, { path, kind: 'folder', mode: found.mode, uid: found.uid, gid: found.gid, mtime: found.mtime, source: { tree: this.#below, path, file: found } });
    else this.#files.set(path, { path, kind: 'folder', mode: 0o755, uid, gid, mtime: undefined });
  }

  /** Whether a path, or a folder that it is in, is to be left out. */
  #isExcluded(path: string): boolean {
    const parts = partsOf(path);
    return parts.some((_, index) => this.#excludes.some((pattern) => pattern.test(parts.slice(0, index + 1).join('/'))));
  }
}
