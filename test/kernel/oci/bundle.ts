import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { glob, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { mountsMentioning, processesMentioning } from '../../support/kernel.ts';
import { RUNTIME } from '../../support/runtime.ts';
import { until } from '../../support/until.ts';
import { perform, succeed, type Outcome, type Surroundings } from './command.ts';
import { makeRootfs } from './rootfs.ts';

export interface Config {
  process: Record<string, unknown>;
  mounts: Record<string, unknown>[];
  hooks?: Record<string, unknown>;
  linux: { namespaces: { type: string; path?: string }[]; resources: Record<string, unknown>; cgroupsPath: string } & Record<string, unknown>;
  [key: string]: unknown;
}

export interface State {
  readonly id: string;
  readonly pid: number;
  readonly status: string;
  readonly bundle: string;
}

/** A bundle of busybox, and the runtime's command line with a state folder of its own. */
export class Bundle {
  /** Holds all of it. */
  readonly folder: string;
  /** The name of its containers' cgroup, below every hierarchy. */
  readonly cgroup: string;
  readonly config: Config;

  private constructor(folder: string) {
    const mark = randomBytes(6).toString('hex');
    this.folder = folder;
    this.cgroup = `mooring-oci-${mark}`;
    this.config = {
      ociVersion: '1.2.0',
      process: { terminal: false, user: { uid: 0, gid: 0 }, args: ['sh', '-c', 'trap "exit 7" TERM; while true; do sleep 0.05; done'], env: ['PATH=/bin'], cwd: '/' },
      root: { path: 'rootfs' },
      hostname: 'oci',
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['mode=755', 'size=64k'] },
        { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666', 'mode=0620'] },
      ],
      linux: { cgroupsPath: `/${this.cgroup}/c`, namespaces: ['pid', 'mount', 'ipc', 'uts', 'network', 'cgroup'].map((type) => ({ type })), resources: {} },
    };
  }

  /** After the test all that is left is removed; what should not have been left fails it. */
  static async create(t: TestContext): Promise<Bundle> {
    const bundle = new Bundle(await mkdtemp(join(tmpdir(), 'mooring-oci-')));
    t.after(() => bundle.#remove());
    await makeRootfs(join(bundle.folder, 'rootfs'));
    await mkdir(join(bundle.folder, 'states'));
    await bundle.write();
    return bundle;
  }

  async write(): Promise<void> {
    await writeFile(join(this.folder, 'config.json'), JSON.stringify(this.config));
  }

  runtime(words: readonly string[], surroundings: Surroundings = {}): Promise<Outcome> {
    return perform(RUNTIME, ['--root', join(this.folder, 'states'), ...words], { cwd: this.folder, ...surroundings });
  }

  /** As runtime(), but fails where that does. */
  ask(...words: readonly string[]): Promise<string> {
    return succeed(RUNTIME, ['--root', join(this.folder, 'states'), ...words], { cwd: this.folder });
  }

  async state(id: string): Promise<State> {
    return JSON.parse(await this.ask('state', id)) as State;
  }

  async untilStatus(id: string, status: string): Promise<void> {
    await until(`container ${id} is ${status}`, async () => (await this.state(id)).status === status);
  }

  /** Everything there is of it in the kernel and in the state folder. */
  async traces(): Promise<string[]> {
    const cgroups = await Array.fromAsync(glob([`/sys/fs/cgroup/${this.cgroup}/*/`, `/sys/fs/cgroup/*/${this.cgroup}/*/`]));
    const folders = await readdir(join(this.folder, 'states'));
    const mounts = await mountsMentioning(this.folder);
    return [...cgroups, ...folders, ...mounts, ...(await processesMentioning(this.folder))];
  }

  async #remove(): Promise<void> {
    const left = await this.traces();
    for (const id of await readdir(join(this.folder, 'states'))) await this.runtime(['delete', '--force', id]);
    for await (const file of glob([`/sys/fs/cgroup/{,*/}${this.cgroup}/**/cgroup.procs`])) {
      for (const pid of (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')) process.kill(Number(pid), 'SIGKILL');
    }
    await until('its cgroups are removed', async () => {
      const folders = await Array.fromAsync(glob([`/sys/fs/cgroup/{,*/}${this.cgroup}`]));
      await perform('find', [...folders, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';']);
      return folders.length === 0;
    });
    await rm(this.folder, { recursive: true, force: true });
    assert.deepEqual(left, []);
  }
}
