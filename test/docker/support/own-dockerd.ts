import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { removeCgroupsOf } from '../../support/kernel.ts';
import { until } from '../../support/until.ts';
import { type CommandResult, runDocker } from './run-docker.ts';

const run = promisify(execFile);

/** A dockerd of the test's own, with no bridge and no firewall rules: the host's networking is left alone. */
export class OwnDockerd implements AsyncDisposable {
  readonly folder: string;
  readonly #daemon: ChildProcess;

  private constructor(folder: string, daemon: ChildProcess) {
    this.folder = folder;
    this.#daemon = daemon;
  }

  get host(): string {
    return `unix://${this.folder}/docker.sock`;
  }

  static async start(): Promise<OwnDockerd> {
    const folder = await mkdtemp(join(tmpdir(), 'mooring-dockerd-'));
    const log = await open(join(folder, 'log'), 'w');
    const daemon = spawn(
      'dockerd',
      [
        ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid'), '--host', `unix://${folder}/docker.sock`],
        ...['--storage-driver', 'overlay2', '--cgroup-parent', `/${basename(folder)}`, '--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false'],
      ],
      { stdio: ['ignore', log.fd, log.fd] },
    );
    await log.close();
    const own = new OwnDockerd(folder, daemon);
    try {
      await until('dockerd answers', async () => {
        if (daemon.exitCode !== null) throw new Error(`dockerd ended: ${await own.log()}`);
        return (await own.docker('version')).code === 0;
      }, 30);
    } catch (error) {
      await own[Symbol.asyncDispose]();
      throw error;
    }
    return own;
  }

  docker(...args: readonly string[]): Promise<CommandResult> {
    return runDocker(this.host, args);
  }

  async log(): Promise<string> {
    return (await readFile(join(this.folder, 'log'), 'utf8')).split('\n').slice(-8).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#daemon.exitCode === null) {
      const ids = (await this.docker('ps', '-aq')).stdout.split('\n').filter(Boolean);
      if (ids.length > 0) await this.docker('rm', '-f', ...ids);
      const ended = once(this.#daemon, 'exit');
      this.#daemon.kill('SIGTERM');
      await ended;
    }
    // It keeps the node's network mounted there for containers that are on it, and leaves it so.
    const namespaces = join(this.folder, 'exec/netns');
    for (const name of await readdir(namespaces).catch(() => [])) await run('umount', [join(namespaces, name)]).catch(() => {}); // one that is not mounted is a file, which goes with the folder
    await rm(this.folder, { recursive: true, force: true });
    await removeCgroupsOf(basename(this.folder).slice('mooring-'.length));
  }
}
