import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { stateOf } from '../../support/kernel.ts';
import { RUNTIME } from '../../support/runtime.ts';
import { until } from '../../support/until.ts';
import { succeed } from './command.ts';
import { ask, assertNothingLeft, call, IMAGE, type Engine, type Place } from './engine.ts';
import { makeRootfs } from './rootfs.ts';

/** podman on a storage of the test's own, with mooring-runtime, and with crun beside it. */
export class Podman implements AsyncDisposable {
  readonly ours: Engine;
  readonly peer: Engine;
  readonly place: Place;
  readonly #holder: ChildProcess;

  private constructor(folder: string, holder: ChildProcess) {
    const global = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--tmpdir', join(folder, 'tmp'), '--storage-driver', 'overlay', '--cgroup-manager', 'cgroupfs', '--events-backend', 'file'];
    const engine = (runtime: string): Engine => ({
      command: ['nsenter', '--target', String(holder.pid), '--mount', 'podman', ...global, '--runtime', runtime],
      env: process.env,
      // podman's own limits are above what a host without CAP_SYS_RESOURCE can set.
      runFlags: ['--network', 'none', '--cgroup-parent', `/${basename(folder)}`, '--ulimit', 'nofile=1000:1000', '--ulimit', 'nproc=1000:1000'],
    });
    this.ours = engine(RUNTIME);
    this.peer = engine('crun');
    this.place = { folder, cgroupParent: basename(folder), stateFolder: '/run/mooring-runtime' };
    this.#holder = holder;
  }

  static async start(): Promise<Podman> {
    const folder = await mkdtemp(join(tmpdir(), 'mooring-podman-'));
    // crun refuses a hybrid host whose version 2 holds a controller; in a mount namespace of ours that hierarchy is out of its sight. It also keeps podman's mounts from the host.
    const hide = existsSync('/sys/fs/cgroup/unified') ? 'umount /sys/fs/cgroup/unified; ' : '';
    const holder = spawn('unshare', ['--mount', 'sh', '-c', `${hide}exec sleep infinity`], { stdio: 'ignore' });
    await until('the mount namespace is there', async () => (await succeed('ps', ['-o', 'comm=', '-p', String(holder.pid)])) === 'sleep');
    holder.unref();
    const podman = new Podman(folder, holder);
    const rootfs = join(folder, 'rootfs');
    await makeRootfs(rootfs);
    await succeed('tar', ['-C', rootfs, '-cf', join(folder, 'rootfs.tar'), '.']);
    await ask(podman.ours, 'import', join(folder, 'rootfs.tar'), IMAGE);
    return podman;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      const { stdout } = await call(this.ours, 'ps', '-aq');
      for (const id of stdout.split('\n').filter((line) => line !== '')) await call(this.ours, 'rm', '-f', '-t', '0', id);
      await assertNothingLeft(this.place);
    } finally {
      this.#holder.kill('SIGKILL');
      await until('its mount namespace is gone', async () => ((await stateOf(Number(this.#holder.pid))) ?? 'Z') === 'Z');
      await rm(this.place.folder, { recursive: true, force: true });
    }
  }
}
