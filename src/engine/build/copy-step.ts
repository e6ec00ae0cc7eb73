import { chmod, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';

import { MooringError } from '../../lib/errors.ts';
import { parsePlatform } from '../images/platform.ts';
import { openArchive } from './archive.ts';
import { findStage } from './build-plan.ts';
import { layerFolders, topOf, treeOf, type BuildSession } from './build-session.ts';
import { type CopyRules, type CopySource, matchesOf, planCopy } from './copy-plan.ts';
import { download } from './download.ts';
import { expandText } from './expand.ts';
import { FolderTree } from './folder-tree.ts';
import { checkOut, parseGitSource } from './git.ts';
import type { Flag, Instruction } from './instruction.ts';
import { layerContent } from './layer-content.ts';
import { LayerTree } from './layer-tree.ts';
import { parseModeChange } from './mode-change.ts';
import { newLayer } from './new-layer.ts';
import { ownerOf } from './owner.ts';
import type { StageBuild, StepResult } from './stage-build.ts';
import { TextTree } from './text-tree.ts';
import { blankWords, jsonWords } from './words.ts';

const KNOWN: Readonly<Record<'COPY' | 'ADD', readonly string[]>> = {
  COPY: ['from', 'chown', 'chmod', 'link', 'parents', 'exclude'],
  ADD: ['chown', 'chmod', 'link', 'parents', 'exclude', 'checksum', 'keep-git-dir', 'unpack'],
};

/** The flags of a COPY or ADD, expanded. */
interface CopyFlags {
  readonly from: string | undefined;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly link: boolean;
  readonly parents: boolean;
  readonly excludes: readonly string[];
  readonly checksum: string | undefined;
  readonly keepGitFolder: boolean;
  /** Undefined: archives of the context are unpacked, those from elsewhere are not. */
  readonly unpack: boolean | undefined;
}

/** COPY and ADD: a layer of what is copied. */
export async function copyStep(stage: StageBuild, instruction: Instruction, id: number): Promise<StepResult> {
  const { session, config, layers } = stage;
  await stage.sourcesOf(instruction);
  const release = await session.slots.acquire();
  try {
    const flags = readFlags(instruction, stage.expand);
    const words = (jsonWords(instruction.text) ?? blankWords(instruction.text)).map((word) => (instruction.heredocs.some((each) => each.word === word) ? word : stage.expand(word)));
    const destination = words.at(-1);
    if (words.length < 2 || destination === undefined) throw new MooringError('Invalid', `${instruction.keyword} wants a source and a destination`);
    await using opened = new AsyncDisposableStack();
    const sources = await openSources(stage, instruction, words.slice(0, -1), destination, flags, opened, id);
    const folders = layerFolders(session.room, layers);
    const rules: CopyRules = {
      keyword: instruction.keyword,
      destination,
      workingDir: config.workingDir,
      ...(flags.chown !== undefined && { owner: await ownerOf(flags.chown, folders) }),
      ...(flags.chmod !== undefined && { mode: parseModeChange(flags.chmod) }),
      link: flags.link,
      parents: flags.parents,
      excludes: flags.excludes,
    };
    const below = flags.link ? new LayerTree([], session.native) : treeOf(session, layers);
    const content = await layerContent(await planCopy(below, sources, rules), session.digests);
    const text = `${instruction.keyword} ${words.join(' ')}`;
    const made = await stage.layer([instruction.keyword, content.digest], text, () => newLayer(session.room, content, topOf(layers), session.times, session.held, session.signal));
    return { text, made };
  } finally {
    release();
  }
}

function readFlags({ keyword, flags }: Instruction, expand: (word: string) => string): CopyFlags {
  const known = KNOWN[keyword === 'ADD' ? 'ADD' : 'COPY'];
  const strange = flags.find(({ name }) => !known.includes(name));
  if (strange) throw new MooringError('Invalid', `${keyword} has no flag --${strange.name}`, { fix: `it has ${known.map((name) => `--${name}`).join(', ')}` });
  const find = (name: string): Flag | undefined => flags.findLast((flag) => flag.name === name);
  const text = (name: string): string | undefined => {
    const flag = find(name);
    if (flag && flag.value === undefined) throw new MooringError('Invalid', `--${name} wants a value`);
    return flag?.value === undefined ? undefined : expand(flag.value);
  };
  const flag = (name: string): boolean | undefined => {
    const given = find(name);
    if (!given) return undefined;
    if (given.value !== undefined && given.value !== 'true' && given.value !== 'false') throw new MooringError('Invalid', `--${name} is true or false`);
    return given.value !== 'false';
  };
  return {
    // Which stages depend on which must be known before anything is expanded.
    from: find('from')?.value,
    chown: text('chown'),
    chmod: text('chmod'),
    link: flag('link') ?? false,
    parents: flag('parents') ?? false,
    excludes: flags.flatMap(({ name, value }) => (name === 'exclude' && value !== undefined ? [expand(value)] : [])),
    checksum: text('checksum'),
    keepGitFolder: flag('keep-git-dir') ?? false,
    unpack: flag('unpack'),
  };
}

async function openSources(stage: StageBuild, instruction: Instruction, words: readonly string[], destination: string, flags: CopyFlags, opened: AsyncDisposableStack, id: number): Promise<CopySource[]> {
  const { session } = stage;
  const sources: CopySource[] = [];
  const heredocs = new Map(instruction.heredocs.map(({ word, name, content, expands }) => [word, { name, content: expands ? expandText(content, { escape: stage.config.escape, lookup: stage.config.variables.lookup }) : content }]));
  const texts = new TextTree(new Map([...heredocs.values()].map(({ name, content }) => [name, content])));
  for (const word of words) {
    const heredoc = heredocs.get(word);
    const git = instruction.keyword === 'ADD' ? parseGitSource(word) : undefined;
    if (heredoc) sources.push({ tree: texts, path: heredoc.name, exact: true, ownedByRoot: true });
    else if (git) sources.push(await gitSource(session, git, flags, opened));
    else if (instruction.keyword === 'ADD' && /^https?:\/\//.test(word)) sources.push(...(await remoteSource(session, word, destination, flags, opened)));
    else if (flags.from !== undefined) sources.push({ tree: await treeFrom(stage, flags.from, id), path: word, ownedByRoot: false });
    else {
      const source: CopySource = { tree: opened.use(session.context.open()), path: word, ownedByRoot: true };
      sources.push(...(instruction.keyword === 'ADD' && flags.unpack !== false ? await unpacked(session, source, opened) : [source]));
    }
  }
  return sources;
}

/** The files of an earlier stage or of an image. */
export async function treeFrom({ session, stage, platform }: StageBuild, from: string, id: number): Promise<LayerTree> {
  const found = findStage(session.plan.stages, from, stage.index);
  if (!found && /^[0-9]+$/.test(from)) throw new MooringError('Invalid', `--from=${from}: there is no stage of that number before this one`);
  const built = found ? await session.stage(found.index) : await session.image(from, stage.platform === undefined ? platform : parsePlatform(stage.platform), id);
  return treeOf(session, built.layers);
}

async function temporaryFolder({ room }: BuildSession, opened: AsyncDisposableStack): Promise<string> {
  const folder = room.dataDir.temporaryPath();
  await mkdir(folder);
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  return folder;
}

async function gitSource(session: BuildSession, git: NonNullable<ReturnType<typeof parseGitSource>>, { keepGitFolder, checksum }: CopyFlags, opened: AsyncDisposableStack): Promise<CopySource> {
  const folder = await temporaryFolder(session, opened);
  const { commit } = await checkOut(git, path.join(folder, 'repository'), { keepGitFolder, signal: session.signal });
  if (checksum !== undefined && !commit.startsWith(checksum)) throw new MooringError('Invalid', `${git.url} has the commit ${commit}, and --checksum says ${checksum}`);
  return { tree: opened.use(new FolderTree(path.join(folder, 'repository'), session.native)), path: git.folder, exact: git.folder === '', ownedByRoot: true };
}

async function remoteSource(session: BuildSession, url: string, destination: string, { checksum, unpack }: CopyFlags, opened: AsyncDisposableStack): Promise<CopySource[]> {
  const folder = await temporaryFolder(session, opened);
  const otherwise = /(^|\/)\.{0,2}$/.test(destination) ? undefined : path.posix.basename(destination);
  const name = await download({ url, folder, otherwise, checksum, signal: session.signal });
  const source: CopySource = { tree: opened.use(new FolderTree(folder, session.native)), path: name, exact: true, ownedByRoot: true };
  return unpack === true ? unpacked(session, source, opened) : [source];
}

/** Archives among what a source names, as the folders that they hold. They are unpacked by a process that is shut in with the folder. */
async function unpacked(session: BuildSession, source: CopySource, opened: AsyncDisposableStack): Promise<CopySource[]> {
  const sources: CopySource[] = [];
  for (const { path: file, written, file: found } of await matchesOf(source)) {
    const archive = found.kind === 'file' ? await openArchive(source.tree, file, session.signal) : undefined;
    if (!archive) {
      sources.push({ ...source, path: written, exact: true });
      continue;
    }
    const folder = await temporaryFolder(session, opened);
    await session.room.layers.unpackInto(folder, archive, session.signal);
    sources.push({ tree: opened.use(new FolderTree(folder, session.native)), path: '', exact: true, ownedByRoot: false });
  }
  return sources;
}
