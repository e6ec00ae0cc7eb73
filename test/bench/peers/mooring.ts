import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../../src/lib/errors.ts';
import { capture, timeCommand } from '../process.ts';
import { watchdog } from '../watchdog.ts';
import type { NetworkPlace } from './network-place.ts';

const command = fileURLToPath(new URL('../../../bin/mooring', import.meta.url));

/** What takes it down when the bench itself has gone: the arguments are its pid, its folder and the command. */
const LEFT_ALONE = 'timeout 120 "$3" down || kill -KILL "$1"; rm -rf "$2"';

export interface ContainerOptions {
  readonly command: readonly string[];
  /** Host folder bound at `/signal`. */
  readonly signal: string;
  readonly memory?: string;
}

/** A Mooring daemon of the bench's own, with the defaults that a user has but for its folders and its instance. */
export class MooringPeer implements AsyncDisposable {
  readonly folder: string;
  readonly instance: string;
  readonly metricsUrl: string;
  readonly #daemon: ChildProcess;
  readonly #env: NodeJS.ProcessEnv;
  readonly #watchdog: ReturnType<typeof watchdog>;

  private constructor(folder: string, instance: string, port: number, daemon: ChildProcess) {
    this.folder = folder;
    this.instance = instance;
    this.metricsUrl = `http://127.0.0.1:${port}/metrics`;
    this.#daemon = daemon;
    this.#env = { ...process.env, MOORING_HOST: `unix://${folder}/run/mooring.sock` };
    this.#watchdog = watchdog(LEFT_ALONE, [String(daemon.pid), folder, command], this.#env);
  }

  static async start(place?: NetworkPlace): Promise<MooringPeer> {
    const folder = await mkdtemp(join(tmpdir(), 'bench-mooring-'));
    await mkdir(join(folder, 'specs'));
    const instance = `bench-${process.pid}`;
    const port = 20_000 + (process.pid % 10_000);
    const args = ['daemon', '--specs', `${folder}/specs`, '--data-dir', `${folder}/data`, '--run-dir', `${folder}/run`, '--instance', instance];
    const [program, ...words] = [...(place?.entering ?? []), command];
    const daemon = spawn(program ?? command, [...words, ...args, '--metrics-addr', `127.0.0.1:${port}`, '--log-level', 'warn'], { stdio: ['ignore', 'ignore', 'inherit'] });
    const peer = new MooringPeer(folder, instance, port, daemon);
    const deadline = Date.now() + 15_000;
    while ((await peer.mooring('get', '-o', 'json').catch(() => undefined)) === undefined) {
      if (daemon.exitCode !== null || Date.now() > deadline) {
        await peer[Symbol.asyncDispose]();
        throw new Error('the mooring daemon did not start');
      }
      await sleep(50);
    }
    return peer;
  }

  get daemonPid(): number {
    return Number(this.#daemon.pid);
  }

  mooring(...args: readonly string[]): Promise<string> {
    return capture(command, args, { env: this.#env });
  }

  time(...args: readonly string[]): Promise<number> {
    return timeCommand(command, args, { env: this.#env });
  }

  /** The same docker command that its peer runs, on Mooring's socket. */
  docker(...args: readonly string[]): Promise<string> {
    return capture('docker', args, { env: this.#dockerEnv });
  }

  timeDocker(...args: readonly string[]): Promise<number> {
    return timeCommand('docker', args, { env: this.#dockerEnv });
  }

  get #dockerEnv(): NodeJS.ProcessEnv {
    return { ...process.env, DOCKER_HOST: `unix://${this.folder}/run/docker.sock` };
  }

  /** One Container document. */
  static document(name: string, options: ContainerOptions): string {
    return JSON.stringify({
      apiVersion: 'mooring.dev/v1alpha1',
      kind: 'Container',
      metadata: { name },
      spec: {
        image: 'mooring.local/busybox:latest',
        command: options.command,
        mounts: [{ mountPath: '/signal', bind: { source: options.signal } }],
        ...(options.memory === undefined ? {} : { resources: { memory: options.memory } }),
        stopTimeoutSeconds: 0,
      },
    });
  }

  /** Drops all documents into the directory at once, as a `git checkout` would. */
  async drop(documents: ReadonlyMap<string, string>): Promise<void> {
    const staging = join(this.folder, 'staging');
    await mkdir(staging);
    for (const [name, text] of documents) await writeFile(join(staging, `${name}.json`), text);
    await rename(staging, join(this.folder, 'specs', 'bench'));
  }

  /** Pids of a container's monitor and first process. */
  async pids(name: string): Promise<{ monitor: number; init: number }> {
    const { status } = JSON.parse(await this.mooring('get', name, '-o', 'json')) as { status: { pid: number } };
    const parent = /^PPid:\s+(\d+)/m.exec(await readFile(`/proc/${status.pid}/status`, 'utf8'))?.[1];
    return { init: status.pid, monitor: Number(parent) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#daemon.exitCode === null && this.#daemon.signalCode === null) {
      const gone = new Promise((resolve) => this.#daemon.once('close', resolve));
      await this.mooring('down').catch((thrown: unknown) => {
        this.#daemon.kill('SIGKILL');
        console.error(`mooring down: ${messageOf(thrown)}`);
      });
      await gone;
    }
    this.#watchdog.dismiss();
    await rm(this.folder, { recursive: true, force: true });
  }
}
