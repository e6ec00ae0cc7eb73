import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { RUNTIME } from '../../support/runtime.ts';
import { until } from '../../support/until.ts';
import { succeed } from './command.ts';
import { ask, assertNothingLeft, call, IMAGE, type Engine, type Place } from './engine.ts';
import { makeRootfs } from './rootfs.ts';

/** A dockerd of the test's own, with its own containerd, without bridge and firewall rules; it has runc, and mooring-runtime beside it. */
export class Dockerd implements AsyncDisposable {
  readonly ours: Engine;
  readonly peer: Engine;
  readonly place: Place;
  readonly #daemon: ChildProcess;

  private constructor(folder: string, daemon: ChildProcess) {
    const env = { ...process.env, DOCKER_HOST: `unix://${folder}/docker.sock`, DOCKER_CLI_HINTS: 'false' };
    const engine = (runtime: string): Engine => ({ command: ['docker'], env, runFlags: ['--network', 'none', '--runtime', runtime] });
    this.ours = engine('mooring');
    this.peer = engine('runc');
    this.place = { folder, cgroupParent: basename(folder), stateFolder: join(folder, 'exec/runtime-mooring/moby') };
    this.#daemon = daemon;
  }

  static async start(): Promise<Dockerd> {
    const folder = await mkdtemp(join(tmpdir(), 'mooring-dockerd-'));
    const log = await open(join(folder, 'log'), 'w');
    const flags = [
      ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid'), '--host', `unix://${folder}/docker.sock`],
      ...['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false'],
      ...['--cgroup-parent', `/${basename(folder)}`, '--exec-opt', 'native.cgroupdriver=cgroupfs', '--add-runtime', `mooring=${RUNTIME}`],
    ];
    const dockerd = new Dockerd(folder, spawn('dockerd', flags, { stdio: ['ignore', log.fd, log.fd] }));
    await log.close();
    try {
      await until('dockerd answers', () => {
        if (dockerd.#ended) throw new Error('dockerd has ended');
        return ask(dockerd.ours, 'version');
      });
      const rootfs = join(folder, 'rootfs');
      await makeRootfs(rootfs);
      await succeed('tar', ['-C', rootfs, '-cf', join(folder, 'rootfs.tar'), '.']);
      await ask(dockerd.ours, 'import', join(folder, 'rootfs.tar'), IMAGE);
    } catch (cause) {
      const said = await readFile(join(folder, 'log'), 'utf8');
      await dockerd[Symbol.asyncDispose]();
      throw new Error(`dockerd did not start: ${said}`, { cause });
    }
    return dockerd;
  }

  get #ended(): boolean {
    return this.#daemon.exitCode !== null || this.#daemon.signalCode !== null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) {
      const { stdout } = await call(this.ours, 'ps', '-aq');
      for (const id of stdout.split('\n').filter((line) => line !== '')) await call(this.ours, 'rm', '-f', id);
      const gone = new Promise((resolve) => this.#daemon.once('close', resolve));
      this.#daemon.kill('SIGTERM');
      await gone;
    }
    await assertNothingLeft(this.place);
    await rm(this.place.folder, { recursive: true, force: true });
  }
}
