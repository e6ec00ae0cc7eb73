import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';

import type { Logger } from '../../lib/logger.ts';
import type { Native } from '../../native/native.ts';
import type { ContainerId } from '../engine.ts';
import type { DataDir } from '../store/data-dir.ts';
import { cgroupChildren, removeCgroup } from './cgroup-folders.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import type { ConfigFolders } from './config-folders.ts';
import { type EngineFolders, SHARED_MEMORY } from './container-paths.ts';
import { parseState } from './monitor-files.ts';
import { endStrays, killAndWait } from './process-end.ts';

const ID = /^[0-9a-f]{64}$/;

interface CollectOptions {
  readonly native: Native;
  readonly dataDir: DataDir;
  readonly logger: Logger;
  readonly layout: CgroupLayout;
  readonly folders: EngineFolders;
  readonly configs: ConfigFolders;
  readonly isKnown: (id: string) => boolean;
}

/**
 * Removes what lies in our folders and cgroups under a name without a record. Whatever instant a daemon was killed at, this is all
 * that it can have left: the record comes first and goes last, and everything else bears the record's id or lies in `tmp`.
 */
export async function collectLitter({ native, dataDir, logger, layout, folders, configs, isKnown }: CollectOptions): Promise<void> {
  const unknown = (names: readonly string[]) => names.filter((name) => !isKnown(name));
  const prefix = `${path.basename(folders.cgroupParent)}-`;
  const [states, cgroups, bundles, shared] = await Promise.all([
    readdir(folders.states).then(unknown),
    cgroupChildren(layout, folders.cgroupParent).then(unknown),
    readdir(folders.containers).then(unknown),
    readdir(SHARED_MEMORY).then((names) => names.filter((name) => name.startsWith(prefix) && ID.test(name.slice(prefix.length)) && !isKnown(name.slice(prefix.length)))),
  ]);
  if (states.length + cgroups.length + bundles.length > 0) logger.info({ states, cgroups, bundles }, 'removing what has no record');

  // Processes first, monitors before what they keep: a monitor left alone would write into a folder that goes.
  await Promise.all(states.map((id) => endMonitor(native, path.join(folders.states, id))));
  await Promise.all(cgroups.map((id) => endStrays(native, layout, path.join(folders.cgroupParent, id), id as ContainerId)));
  await Promise.all(cgroups.map((id) => removeCgroup(native, layout, path.join(folders.cgroupParent, id))));
  await Promise.all(states.map((id) => rm(path.join(folders.states, id), { recursive: true, force: true })));
  await Promise.all(bundles.map((id) => rm(path.join(folders.containers, id), { recursive: true, force: true })));
  await Promise.all(shared.map((name) => rm(path.join(SHARED_MEMORY, name), { recursive: true, force: true })));
  await configs.collect(isKnown);
  await dataDir.collectTemporary();
}

async function endMonitor(native: Native, stateDir: string): Promise<void> {
  const [content] = await native.readFiles([path.join(stateDir, 'state.json')]);
  const state = content && 'text' in content ? parseState(content.text) : undefined;
  if (state) await killAndWait(native, state.monitor);
}
