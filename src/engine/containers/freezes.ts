import { access, rm, writeFile } from 'node:fs/promises';

import type { CgroupLayout } from './cgroup-layout.ts';
import type { ContainerPaths } from './container-paths.ts';
import { freeze, isFrozen, thaw } from './freezer.ts';

type Paths = Pick<ContainerPaths, 'cgroup' | 'paused'>;

interface Hold {
  /** Works under way that need it to stand still. */
  holders: number;
  /** Whether it is to stand still after them. */
  paused: boolean;
}

/** Who has containers stand still: whoever pauses them, and work on their files, which holds them for its while. */
export class Freezes {
  readonly #layout: CgroupLayout;
  readonly #holds = new Map<string, Hold>();

  constructor(layout: CgroupLayout) {
    this.#layout = layout;
  }

  /** Whether its processes stand still, and that not for a while only. */
  async isPaused(cgroup: string): Promise<boolean> {
    return this.#holds.get(cgroup)?.paused ?? isFrozen(this.#layout, cgroup);
  }

  async pause({ cgroup, paused }: Paths): Promise<void> {
    // First, so that the next daemon knows a pause from what one that was killed had held.
    await writeFile(paused, '');
    const hold = this.#holds.get(cgroup);
    if (hold) hold.paused = true;
    else await freeze(this.#layout, cgroup);
  }

  async resume({ cgroup, paused }: Paths): Promise<void> {
    const hold = this.#holds.get(cgroup);
    if (hold) hold.paused = false;
    else await thaw(this.#layout, cgroup);
    await rm(paused, { force: true });
  }

  /** Does `work` while every process of the cgroup stands still. They run on afterwards, however it ends, unless they are paused. */
  async hold<T>(cgroup: string, work: () => Promise<T>): Promise<T> {
    const wasPaused = await this.isPaused(cgroup);
    const hold = this.#holds.get(cgroup) ?? { holders: 0, paused: wasPaused };
    this.#holds.set(cgroup, hold);
    hold.holders += 1;
    try {
      await freeze(this.#layout, cgroup);
      return await work();
    } finally {
      hold.holders -= 1;
      if (hold.holders === 0) {
        if (!hold.paused) await thaw(this.#layout, cgroup);
        this.#holds.delete(cgroup);
      }
    }
  }

  /** Lets a container run on that a daemon held, and was killed before it could let go. Says whether it was one. */
  async release({ cgroup, paused }: Paths): Promise<boolean> {
    const isPaused = await access(paused).then(() => true, () => false);
    return !isPaused && thaw(this.#layout, cgroup);
  }
}
