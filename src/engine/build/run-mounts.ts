import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { exists } from '../../lib/exists.ts';
import { MooringError } from '../../lib/errors.ts';
import type { RuntimeMount } from '../containers/runtime-spec.ts';
import type { StoredLayer } from '../images/stored-image.ts';
import { treeOf } from './build-session.ts';
import { BuildCache } from './build-cache.ts';
import { planCopy } from './copy-plan.ts';
import { treeFrom } from './copy-step.ts';
import { cleanPath, resolveIn } from './file-tree.ts';
import type { Instruction } from './instruction.ts';
import { layerArchive } from './layer-archive.ts';
import { layerContent } from './layer-content.ts';
import { LayerTree } from './layer-tree.ts';
import { parseMount, type RunMount } from './mount-option.ts';
import { newLayer } from './new-layer.ts';
import type { StageBuild } from './stage-build.ts';

export interface Places {
  readonly private: string;
  readonly work: string;
}

/** The mounts of one RUN. Goes once the run has ended. */
export interface PreparedMounts extends AsyncDisposable {
  /** What of them the step depends on. Secrets and caches are none of it, as the reference has it. */
  readonly key: readonly unknown[];
  /** `KEY=value`, of secrets that are shown as variables and of the agent's socket. */
  readonly env: readonly string[];
  make(places: Places, scripts: Readonly<Record<string, string>>): Promise<readonly RuntimeMount[]>;
}

type Maker = (places: Places) => Promise<RuntimeMount>;
type Owner = { readonly uid: number; readonly gid: number; readonly mode: number };

const SSH_SOCKET = '/run/ssh/agent';

export async function prepareMounts(stage: StageBuild, instruction: Instruction, options: readonly string[], id: number): Promise<PreparedMounts> {
  const kept = new AsyncDisposableStack();
  const makers: Maker[] = [];
  const key: unknown[] = [];
  const env: string[] = [];
  try {
    for (const [index, text] of options.entries()) {
      const mount = parseMount(text, instruction.at);
      const target = mount.target === undefined ? undefined : `/${cleanPath(mount.target.startsWith('/') ? mount.target : `${stage.config.workingDir}/${mount.target}`)}`;
      switch (mount.type) {
        case 'bind': {
          const { tree, digest } = await boundTree(stage, mount, id);
          key.push([target, mount.writable, digest]);
          makers.push((places) => overlaid(tree, mount.source, target ?? '/', mount.writable ? path.join(places.work, `bind-${index}`) : undefined, places));
          break;
        }
        case 'cache': {
          const { folder } = kept.use(await stage.session.cacheFolders.open({ ...mount, ...(mount.from !== undefined && { fill: (place) => fillFrom(stage, mount, place, id) }) }));
          key.push([target, mount.id, mount.readOnly]);
          makers.push(() => Promise.resolve(bind(target ?? '/', folder, mount.readOnly)));
          break;
        }
        case 'tmpfs':
          key.push([target]);
          makers.push(() => Promise.resolve({ destination: target ?? '/', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=1777', ...(mount.size === undefined ? [] : [`size=${mount.size}`])] }));
          break;
        case 'secret': {
          const value = stage.session.secrets.get(mount.id);
          if (value === undefined) {
            if (mount.required) throw missing('secret', mount.id, `--secret id=${mount.id},src=FILE`);
            break;
          }
          if (mount.variable !== undefined) env.push(`${mount.variable}=${value.toString()}`);
          if (target !== undefined) makers.push(({ private: place }) => secretFile(path.join(place, `secret-${index}`), value, mount, target));
          break;
        }
        case 'ssh': {
          const socket = stage.session.ssh.get(mount.id);
          if (socket === undefined) {
            if (mount.required) throw missing('agent', mount.id, `--ssh ${mount.id}`);
            break;
          }
          if (!(await exists(socket))) throw new MooringError('NotFound', `--ssh ${mount.id}: there is no agent at ${socket}`, { fix: 'start one with ssh-agent' });
          env.push(`SSH_AUTH_SOCK=${target ?? SSH_SOCKET}`);
          makers.push(() => Promise.resolve(bind(target ?? SSH_SOCKET, socket, false)));
          break;
        }
      }
    }
  } catch (error) {
    await kept.disposeAsync();
    throw error;
  }
  const make = async (places: Places, scripts: Readonly<Record<string, string>>): Promise<RuntimeMount[]> => {
    const mounts: RuntimeMount[] = [];
    for (const maker of makers) mounts.push(await maker(places));
    for (const [place, content] of Object.entries(scripts)) mounts.push(await secretFile(path.join(places.private, `script-${path.basename(place)}`), Buffer.from(content), { uid: 0, gid: 0, mode: 0o755 }, place));
    // A mount point's parents come first.
    return mounts.sort((a, b) => a.destination.split('/').length - b.destination.split('/').length);
  };
  return { key, env, make, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** The tree that a bind mount shows, and what stands for its content: the top layer of a stage, or for the context a layer made of just what is shown. */
async function boundTree(stage: StageBuild, mount: RunMount & { readonly type: 'bind' }, id: number): Promise<{ readonly tree: LayerTree; readonly digest: unknown }> {
  if (mount.from !== undefined) {
    const tree = await treeFrom(stage, mount.from, id);
    return { tree, digest: [tree.layers[0] ?? null, mount.source] };
  }
  const { session } = stage;
  await using context = session.context.open();
  const place = cleanPath(mount.source);
  const shown = await context.look(await resolveIn(context, place));
  if (!shown) throw new MooringError('NotFound', `"${mount.source}" does not exist`, { fix: 'look for it in .dockerignore, too' });
  const empty = new LayerTree([], session.native);
  const rules = { keyword: 'RUN --mount', destination: `/${place}`, workingDir: '/', link: true, parents: false, excludes: [] };
  const content = await layerContent(await planCopy(empty, [{ tree: context, path: place, exact: true, ownedByRoot: true }], rules), session.digests);
  const key = BuildCache.key(['bind', content.digest]);
  const found = await session.cache.take(key, session.held);
  const layer: StoredLayer = found?.layer ?? (await newLayer(session.room, content, undefined, session.times, session.held, session.signal));
  if (!found) session.cache.put(key, layer, `RUN --mount=type=bind,source=${mount.source}`, Date.now());
  return { tree: treeOf(session, [layer]), digest: content.digest };
}

/** What layers hold at a path, merged as overlayfs does it; read-only, or with a writable folder whose changes nobody keeps. */
async function overlaid(tree: LayerTree, source: string, target: string, scratch: string | undefined, { work }: Places): Promise<RuntimeMount> {
  const resolved = await resolveIn(tree, source);
  const found = await tree.look(resolved);
  const hosts = await tree.hosts(resolved);
  if (!found || hosts[0] === undefined) throw new MooringError('NotFound', `"${source}" does not exist there`);
  if (found.kind !== 'folder') return bind(target, hosts[0], true);
  // Of a single folder overlayfs wants another one below; it also hides the marks of deletions, which a plain bind would show.
  const nothing = path.join(work, 'nothing');
  await mkdir(nothing, { recursive: true });
  const lower = [...hosts, nothing].map((folder) => `lowerdir+=${folder}`);
  if (scratch === undefined) return { destination: target, type: 'overlay', source: 'overlay', options: ['ro', ...lower] };
  const [upper, inWork] = [path.join(scratch, 'upper'), path.join(scratch, 'work')];
  await Promise.all([mkdir(upper, { recursive: true }), mkdir(inWork, { recursive: true })]);
  await chmod(upper, found.mode);
  return { destination: target, type: 'overlay', source: 'overlay', options: [...lower, `upperdir=${upper}`, `workdir=${inWork}`] };
}

async function fillFrom(stage: StageBuild, mount: RunMount & { readonly type: 'cache' }, folder: string, id: number): Promise<void> {
  const tree = await treeFrom(stage, mount.from ?? '', id);
  const { session } = stage;
  const rules = { keyword: 'RUN --mount', destination: '/', workingDir: '/', link: true, parents: false, excludes: [] };
  const content = await layerContent(await planCopy(new LayerTree([], session.native), [{ tree, path: mount.source, exact: true, ownedByRoot: false }], rules), session.digests);
  await session.room.layers.unpackInto(folder, layerArchive(content, session.times), session.signal);
}

/** A file on a file system that a reboot empties, shown read-only. */
async function secretFile(file: string, content: Buffer, { uid, gid, mode }: Owner, target: string): Promise<RuntimeMount> {
  await writeFile(file, content, { flag: 'wx', mode: 0o600 });
  await chown(file, uid, gid);
  await chmod(file, mode);
  return bind(target, file, true);
}

function bind(destination: string, source: string, readOnly: boolean): RuntimeMount {
  return { destination, type: 'bind', source, options: ['bind', readOnly ? 'ro' : 'rw', 'private'] };
}

function missing(what: string, id: string, flag: string): MooringError {
  return new MooringError('Invalid', `it requires the ${what} "${id}", which was not given`, { fix: `give it with ${flag}` });
}
