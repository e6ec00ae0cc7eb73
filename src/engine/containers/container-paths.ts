import path from 'node:path';

import type { ContainerId } from '../engine.ts';

/** Everything of one container that has a path. */
export interface ContainerPaths {
  /** The OCI bundle; holds all of the following down to `exit`. */
  readonly bundle: string;
  readonly config: string;
  readonly rootfs: string;
  readonly upper: string;
  readonly work: string;
  readonly log: string;
  readonly exit: string;
  /** The monitor's folder, on a file system that a reboot empties. */
  readonly stateDir: string;
  readonly state: string;
  /** Where the monitor serves clients of the standard streams. */
  readonly attach: string;
  /** A folder in it for each process that was added to the container. */
  readonly execs: string;
  /** There while the container is paused. */
  readonly paused: string;
  /** What the log has not taken, where that is anything; native/monitor/log_loss_file.h. */
  readonly logLoss: string;
  /** Where the monitor leaves the exit record when the bundle has vanished. */
  readonly fallbackExit: string;
  /** Below every hierarchy's mount point. */
  readonly cgroup: string;
  /** Its /dev/shm where that is shared: on the node's own, which a reboot empties. */
  readonly shm: string;
}

/** Where folders lie that containers share as their /dev/shm: `mooring-<instance>-<id>`. */
export const SHARED_MEMORY = '/dev/shm';

export interface EngineFolders {
  /** `<data-dir>/containers`. */
  readonly containers: string;
  /** `<run-dir>/containers`. */
  readonly states: string;
  /** `<run-dir>/seccomp`. */
  readonly seccompCache: string;
  /** `<run-dir>/netns`. */
  readonly networkNamespaces: string;
  /** `/mooring-<instance>`: parent of our cgroups in every hierarchy. */
  readonly cgroupParent: string;
}

export function engineFolders({ dataDir, runDir, instance }: { readonly dataDir: { readonly containers: string }; readonly runDir: string; readonly instance: string }): EngineFolders {
  const run = path.resolve(runDir);
  return {
    containers: dataDir.containers,
    states: path.join(run, 'containers'),
    seccompCache: path.join(run, 'seccomp'),
    networkNamespaces: path.join(run, 'netns'),
    cgroupParent: `/mooring-${instance}`,
  };
}

export function containerPaths(folders: EngineFolders, id: ContainerId): ContainerPaths {
  const bundle = path.join(folders.containers, id);
  const stateDir = path.join(folders.states, id);
  return {
    bundle,
    config: path.join(bundle, 'config.json'),
    rootfs: path.join(bundle, 'rootfs'),
    upper: path.join(bundle, 'upper'),
    work: path.join(bundle, 'work'),
    log: path.join(bundle, 'log'),
    exit: path.join(bundle, 'exit.json'),
    stateDir,
    state: path.join(stateDir, 'state.json'),
    attach: path.join(stateDir, 'attach.sock'),
    execs: path.join(stateDir, 'exec'),
    paused: path.join(stateDir, 'paused'),
    logLoss: path.join(stateDir, 'log-loss.json'),
    fallbackExit: path.join(stateDir, 'exit.json'),
    cgroup: path.join(folders.cgroupParent, id),
    shm: path.join(SHARED_MEMORY, `${path.basename(folders.cgroupParent)}-${id}`),
  };
}
