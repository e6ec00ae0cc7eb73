import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { MooringError } from '../../lib/errors.ts';
import { parseMountTable } from './mount-table.ts';

export type LimitController = 'memory' | 'cpu' | 'pids' | 'cpuset' | 'blkio';

/** A controller's hierarchy: where it is mounted, and which of the two interfaces its files have. */
export interface Hierarchy {
  readonly version: 1 | 2;
  readonly mountPoint: string;
}

/** Where this host has its cgroup hierarchies: all v1, all v2, or a mixture of both ("hybrid"). */
export class CgroupLayout {
  /** Mount points of all hierarchies, in every one of which a container has a folder. */
  readonly mountPoints: readonly string[];
  readonly #byController: ReadonlyMap<string, Hierarchy>;
  readonly #unified: Hierarchy | undefined;

  /** `mountinfo` as in proc_pid_mountinfo(5). */
  constructor(mountinfo: string) {
    const byController = new Map<string, Hierarchy>();
    const mountPoints: string[] = [];
    let unified: Hierarchy | undefined;
    for (const mount of parseMountTable(mountinfo)) {
      // A mount of a subtree shows only a part of the hierarchy, where our absolute paths don't hold.
      if (mount.root !== '/') continue;
      if (mount.type === 'cgroup2' && !unified) {
        unified = { version: 2, mountPoint: mount.mountPoint };
        mountPoints.push(mount.mountPoint);
      } else if (mount.type === 'cgroup') {
        const controllers = mount.superOptions.filter((option) => option !== 'rw' && option !== 'ro');
        if (controllers.some((controller) => byController.has(controller))) continue;
        for (const controller of controllers) byController.set(controller, { version: 1, mountPoint: mount.mountPoint });
        mountPoints.push(mount.mountPoint);
      }
    }
    if (mountPoints.length === 0) throw new MooringError('Unsupported', 'no cgroup hierarchy is mounted', { fix: 'mount -t cgroup2 none /sys/fs/cgroup' });
    this.mountPoints = mountPoints;
    this.#byController = byController;
    this.#unified = unified;
  }

  static async detect(): Promise<CgroupLayout> {
    return new CgroupLayout(await readFile('/proc/self/mountinfo', 'utf8'));
  }

  /** The hierarchy that holds `controller`: its own on v1, else the unified one. Undefined where this kernel has neither. */
  hierarchyOf(controller: LimitController | 'cpuacct' | 'freezer'): Hierarchy | undefined {
    return this.#byController.get(controller) ?? this.#unified;
  }

  /**
   * Where the hierarchy of these controllers, as a line of /proc/<pid>/cgroup has them, is mounted: none is the unified one. Undefined where it is not mounted, and for a unified one that
   * holds nothing by which containers are limited, beside others: the runtime puts no process into that.
   */
  mountPointOf([controller = '']: readonly string[]): string | undefined {
    if (controller !== '') return this.#byController.get(controller)?.mountPoint;
    return this.#unified !== undefined && this.hierarchyOf('pids') === this.#unified ? this.#unified.mountPoint : undefined;
  }

  /** The folders of a cgroup in all hierarchies. */
  foldersOf(cgroupPath: string): string[] {
    return this.mountPoints.map((mountPoint) => path.join(mountPoint, cgroupPath));
  }
}
