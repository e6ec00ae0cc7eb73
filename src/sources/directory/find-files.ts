import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, messageOf } from '../../lib/errors.ts';
import type { SpecProblem } from '../../spec/problem.ts';
import { isHidden, isSpecFile } from './names.ts';
import { resolvePath } from './resolve-path.ts';
import { treeProblem } from './tree-problem.ts';

/** A folder whose events matter: all of them, or those of one name. */
export interface WatchPoint {
  readonly folder: string;
  readonly name?: string;
}

export interface FoundFile {
  /** Below the source's folder, as users know it. */
  readonly path: string;
  /** Where it is read: absolute, without links; undefined for a link that leads nowhere. */
  readonly real: string | undefined;
}

interface Folder {
  readonly path: string;
  readonly real: string;
}

export interface FoundFiles {
  /** In path order. */
  readonly files: readonly FoundFile[];
  readonly problems: readonly SpecProblem[];
  /** False when part of the tree could not be read. */
  readonly complete: boolean;
  /** Something vanished while the tree was read: it should be read again. */
  readonly raced: boolean;
  /** What the links lead through and to, which a watch on the tree itself doesn't see. */
  readonly linked: readonly WatchPoint[];
}

/** A folder given by mistake, such as `/`, must not be walked for minutes. */
const MAX_ENTRIES = 100_000;

/**
 * Finds the spec files below `root`, a folder without links in its path. A link to a file is followed wherever it leads (ConfigMap volumes,
 * shared specs); a link to a folder is followed only inside the tree, and no folder is read twice, so that loops end.
 */
export async function findFiles(root: string): Promise<FoundFiles> {
  const files: FoundFile[] = [];
  const problems: SpecProblem[] = [];
  const linked: WatchPoint[] = [];
  const folderLinks: Folder[] = [];
  const walked = new Set<string>();
  let entries = 0;
  let complete = true;
  let raced = false;

  function fail(path: string, error: unknown): void {
    complete = false;
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') raced = true;
    else problems.push(treeProblem(path || '.', `cannot read ${path || 'the specs folder'}: ${messageOf(error)}`, 'make it readable; until then nothing is removed'));
  }

  async function walk(real: string, path: string): Promise<void> {
    const { dev, ino } = await stat(real, { bigint: true });
    const identity = `${dev}:${ino}`;
    if (walked.has(identity)) return;
    walked.add(identity);
    for (const entry of await readdir(real, { withFileTypes: true })) {
      if (isHidden(entry.name)) continue;
      entries += 1;
      if (entries > MAX_ENTRIES) return;
      if (entry.name.includes('\uFFFD')) {
        problems.push(treeProblem(path || '.', `the name ${entry.name} in ${path || 'the specs folder'} is not UTF-8`, 'rename it'));
        continue;
      }
      const child = { path: path === '' ? entry.name : `${path}/${entry.name}`, real: join(real, entry.name) };
      if (entry.isDirectory()) await attempt(child, () => walk(child.real, child.path));
      else if (entry.isSymbolicLink()) await attempt(child, () => followLink(child, real, entry.name));
      else if (isSpecFile(entry.name)) files.push(child);
    }
  }

  async function followLink(link: Folder, folder: string, name: string): Promise<void> {
    const { real, hops } = await resolvePath(folder, name);
    const target = real === undefined ? undefined : await stat(real);
    if (!isSpecFile(name) && target?.isDirectory() !== true) return;
    linked.push(...hops);
    if (real !== undefined && target?.isDirectory() === true) folderLinks.push({ path: link.path, real });
    else files.push({ path: link.path, real });
  }

  async function walkLinkedFolder({ path, real }: Folder): Promise<void> {
    if (real === root || real.startsWith(`${root}/`)) {
      linked.push({ folder: real });
      return walk(real, path);
    }
    problems.push(treeProblem(path, `${path} is a link to a folder outside of the specs folder, which is not followed`, 'link to the single files, or move the folder here'));
  }

  async function attempt({ path }: { readonly path: string }, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      fail(path, error);
    }
  }

  await attempt({ path: '' }, () => walk(root, ''));
  // After all real folders, so that a file is known by its own path rather than by a link's. Links in linked folders lengthen the list.
  for (const link of folderLinks) await attempt(link, () => walkLinkedFolder(link));
  if (entries > MAX_ENTRIES) {
    complete = false;
    problems.push(treeProblem('.', `the specs folder holds more than ${MAX_ENTRIES} entries; only part of it was read`, 'point --specs at a folder of its own'));
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, problems, complete, raced, linked };
}
