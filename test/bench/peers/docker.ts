import { spawn, type ChildProcess } from 'node:child_process';
import { cp, mkdir, mkdtemp, open, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { capture, timeCommand } from '../process.ts';
import { watchdog } from '../watchdog.ts';
import type { NetworkPlace } from './network-place.ts';

/** The image that every docker container of the benches runs: the same static busybox as Mooring's. */
export const DOCKER_IMAGE = 'bench/busybox';

/** How long it may take to end. */
const END_MS = 60_000;
/** What takes it down when the bench itself has gone: the arguments are its pid, its folder and its cgroup. */
const LEFT_ALONE = `ids=$(timeout 20 docker ps -aq) && [ -n "$ids" ] && timeout 120 docker rm -f $ids
kill -TERM "$1"; for n in $(seq 600); do kill -0 "$1" 2>/dev/null || break; sleep 0.1; done; kill -KILL "$1"
rm -rf "$2"; find /sys/fs/cgroup -depth -type d -path "*/$3*" -exec rmdir {} +`;

/** A dockerd of the bench's own: its data, its socket, no bridge and no firewall rules, so that the host's networking is left alone. */
export class DockerPeer implements AsyncDisposable {
  readonly folder: string;
  readonly #daemon: ChildProcess;
  readonly #env: NodeJS.ProcessEnv;
  readonly #watchdog: ReturnType<typeof watchdog>;

  private constructor(folder: string, daemon: ChildProcess) {
    this.folder = folder;
    this.#daemon = daemon;
    this.#env = { ...process.env, DOCKER_HOST: `unix://${folder}/docker.sock` };
    this.#watchdog = watchdog(LEFT_ALONE, [String(daemon.pid), folder, basename(folder)], this.#env);
  }

  /** In a place of its own it has its bridge and its rules, too, with its user-land proxy or without. */
  static async start(network?: { readonly place: NetworkPlace; readonly proxy: boolean }): Promise<DockerPeer> {
    const folder = await mkdtemp(join(tmpdir(), 'bench-docker-'));
    const log = await open(join(folder, 'log'), 'w');
    const [command, ...words] = [...(network?.place.entering ?? []), 'dockerd'];
    const daemon = spawn(
      command ?? 'dockerd',
      [
        ...words,
        ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid')],
        ...['--host', `unix://${folder}/docker.sock`, '--storage-driver', 'overlay2', '--cgroup-parent', `/${basename(folder)}`],
        ...(network ? [`--userland-proxy=${network.proxy}`] : ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false']),
      ],
      { stdio: ['ignore', log.fd, log.fd] },
    );
    await log.close();
    const peer = new DockerPeer(folder, daemon);
    const deadline = Date.now() + 30_000;
    while ((await peer.docker('version').catch(() => undefined)) === undefined) {
      if (daemon.exitCode !== null || Date.now() > deadline) {
        const said = (await readFile(join(folder, 'log'), 'utf8')).split('\n').slice(-4).join(' ');
        await peer[Symbol.asyncDispose]();
        throw new Error(`dockerd did not start: ${said}`);
      }
      await sleep(100);
    }
    await peer.#importBusybox();
    return peer;
  }

  async #importBusybox(): Promise<void> {
    const rootfs = join(this.folder, 'rootfs');
    await mkdir(join(rootfs, 'bin'), { recursive: true });
    await cp('/bin/busybox', join(rootfs, 'bin/busybox'));
    for (const applet of ['sh', 'true', 'sleep', 'echo', 'cat', 'yes', 'head']) await symlink('busybox', join(rootfs, 'bin', applet));
    const tar = spawn('tar', ['-C', rootfs, '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
    await capture('docker', ['import', '-', DOCKER_IMAGE], { env: this.#env, input: tar.stdout });
  }

  docker(...args: readonly string[]): Promise<string> {
    return capture('docker', args, { env: this.#env });
  }

  time(...args: readonly string[]): Promise<number> {
    return timeCommand('docker', args, { env: this.#env });
  }

  /** dockerd's pid and its containerd's. */
  async daemonPids(): Promise<number[]> {
    const containerd = Number(await readFile(join(this.folder, 'exec/containerd/containerd.pid'), 'utf8'));
    return [Number(this.#daemon.pid), containerd];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#daemon.exitCode === null && this.#daemon.signalCode === null) {
      const ids = (await this.docker('ps', '-aq').catch(() => '')).split('\n').filter((id) => id !== '');
      if (ids.length > 0) await this.docker('rm', '-f', ...ids);
      const gone = new Promise((resolve) => this.#daemon.once('close', resolve));
      this.#daemon.kill('SIGTERM');
      const force = setTimeout(() => this.#daemon.kill('SIGKILL'), END_MS);
      await gone;
      clearTimeout(force);
    }
    this.#watchdog.dismiss();
    await rm(this.folder, { recursive: true, force: true });
    await capture('find', ['/sys/fs/cgroup', '-depth', '-type', 'd', '-path', `*/${basename(this.folder)}*`, '-exec', 'rmdir', '{}', '+']);
  }
}
