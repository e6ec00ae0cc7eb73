import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ContainerObject, MooringEvent } from '../../src/api/v1/types.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { cgroupsOf, mountsMentioning, netnsOf, pids, processesMentioning, processesWithEnv, readIfThere, removeCgroupsOf, stateOf } from './kernel.ts';
import { until } from './until.ts';

export const MOORING = fileURLToPath(new URL('../../bin/mooring', import.meta.url));

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A test's body on a place of its own for a real daemon. When the body has passed, everything is taken down, and the test fails
 * if a process, mount, cgroup, network namespace or container's file is left.
 */
export function onNode(body: (node: TestNode) => Promise<void>): () => Promise<void> {
  return async () => {
    const node = await TestNode.create();
    try {
      await body(node);
      await node.down();
    } catch (error) {
      throw new Error(`${messageOf(error)}\nthe last commands that failed:\n${node.failures.join('\n')}\nthe daemon's log:\n${node.log}`, { cause: error });
    } finally {
      await node.destroy();
    }
  };
}

/** One real daemon's place: its own folders, instance and metrics port. */
export class TestNode {
  readonly root: string;
  readonly instance: string;
  readonly metricsPort: number;
  /** The last few commands that failed, and what they said: for the report of a test that did not expect it. */
  readonly failures: string[] = [];
  /** Words in front of the daemon's command, such as those that give it a mount namespace of its own. They end in an exec. */
  through: readonly string[] = [];
  #daemon: ChildProcess | undefined;
  #log = '';
  readonly #netns = new Set<string>();
  /** Whether everything was taken down, and nothing of it found afterwards. */
  #isDown = false;

  private constructor(root: string, instance: string, metricsPort: number) {
    this.root = root;
    this.instance = instance;
    this.metricsPort = metricsPort;
  }

  static async create(): Promise<TestNode> {
    const node = new TestNode(await mkdtemp(join(tmpdir(), 'mooring-e2e-')), `e2e-${randomBytes(4).toString('hex')}`, await freePort());
    await mkdir(node.specs);
    return node;
  }

  get specs(): string {
    return join(this.root, 'specs');
  }

  get dataDir(): string {
    return join(this.root, 'data');
  }

  get runDir(): string {
    return join(this.root, 'run');
  }

  get places(): string[] {
    return ['--data-dir', this.dataDir, '--run-dir', this.runDir, '--instance', this.instance];
  }

  /** Where what containers are given of ConfigMaps and Secrets lies, on a machine whose temporary files are on a disk. */
  get content(): string {
    return `/dev/shm/mooring-${this.instance}-config`;
  }

  /** What the daemons of this node logged so far. */
  get log(): string {
    return this.#log;
  }

  get pid(): number {
    assert.ok(this.#daemon?.pid !== undefined, 'no daemon runs');
    return this.#daemon.pid;
  }

  /** Starts the daemon; settles once its API answers. */
  async start(...flags: readonly string[]): Promise<void> {
    assert.equal(this.#daemon, undefined, 'a daemon runs already');
    const [program, ...words] = [...this.through, MOORING];
    const daemon = spawn(program ?? MOORING, [...words, 'daemon', '--specs', this.specs, ...this.places, '--metrics-addr', `127.0.0.1:${this.metricsPort}`, '--log-level', 'info', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that a test's Ctrl-C reaches just it.
      detached: true,
    });
    this.#daemon = daemon;
    for (const stream of [daemon.stdout, daemon.stderr]) stream.on('data', (data: Buffer) => (this.#log += data.toString()));
    await until('the daemon answers', async () => {
      assert.equal(daemon.exitCode, null, `the daemon ended: ${this.#log}`);
      return (await this.mooring('get', '-A')).code === 0;
    });
  }

  /** Ends the daemon by a signal (SIGTERM: it stops; SIGKILL: it dies) and gives back its exit status. */
  async end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    const daemon = this.#daemon;
    assert.ok(daemon, 'no daemon runs');
    if (daemon.exitCode === null && daemon.signalCode === null) {
      daemon.kill(signal);
      await once(daemon, 'exit');
    }
    this.#daemon = undefined;
    return daemon.exitCode;
  }

  /** Settles once the daemon has ended by itself. */
  async ended(): Promise<number | null> {
    const daemon = this.#daemon;
    assert.ok(daemon, 'no daemon runs');
    await until('the daemon ends', () => daemon.exitCode !== null || daemon.signalCode !== null);
    this.#daemon = undefined;
    return daemon.exitCode;
  }

  /** Runs the command against this node's socket. Never throws for an exit status. */
  async mooring(...args: readonly string[]): Promise<CommandResult> {
    const result = await runMooring(args, { MOORING_HOST: `unix://${this.runDir}/mooring.sock` });
    if (result.code !== 0) this.failures.push(`mooring ${args.join(' ')}: exit status ${result.code}: ${result.stderr.trim()}`);
    if (this.failures.length > 5) this.failures.shift();
    return result;
  }

  /** Writes a spec file as editors do: whole, under another name, then renamed into place. */
  async write(file: string, text: string): Promise<void> {
    const path = join(this.specs, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.tmp`, text);
    await rename(`${path}.tmp`, path);
  }

  remove(file: string): Promise<void> {
    return rm(join(this.specs, file));
  }

  /** What marks the processes of a container in the kernel, and of no other container anywhere. */
  mark(name: string): string {
    return `MOORING_TEST=${this.instance}/${name}`;
  }

  /** The container's live processes, found in /proc. */
  processes(name: string): Promise<number[]> {
    return processesWithEnv(this.mark(name));
  }

  /** Settles with the pid once exactly one process of the container runs; not one of `but`. */
  async running(name: string, but: readonly number[] = []): Promise<number> {
    return until(`${name} runs`, async () => {
      const [pid, ...more] = await this.processes(name);
      return pid !== undefined && more.length === 0 && !but.includes(pid) && pid;
    });
  }

  gone(name: string): Promise<boolean> {
    return until(`${name} is gone`, async () => (await this.processes(name)).length === 0);
  }

  async get(name: string): Promise<ContainerObject> {
    const { code, stdout, stderr } = await this.mooring('get', name, '-o', 'json');
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as ContainerObject;
  }

  async events(...args: readonly string[]): Promise<MooringEvent[]> {
    const { stdout } = await this.mooring('events', ...args, '-o', 'json');
    return stdout === '' ? [] : (JSON.parse(stdout) as MooringEvent[]);
  }

  /** One YAML document: a container that sleeps, with more of the spec (indented by two) below. */
  sleeper(name: string, more = ''): string {
    return this.container(name, 'exec sleep 100000', more);
  }

  /** One YAML document: a container that runs a script in busybox. */
  container(name: string, script: string, more = ''): string {
    const [variable, value] = this.mark(name).split('=');
    return [
      'apiVersion: mooring.dev/v1alpha1',
      'kind: Container',
      'metadata:',
      `  name: ${name}`,
      'spec:',
      '  image: mooring.local/busybox:latest',
      `  command: [sh, -c, ${JSON.stringify(script)}]`,
      `  env: [{name: ${variable}, value: ${value}}]`,
      // A shell without a handler does not heed SIGTERM as first process: tests do not wait for its grace.
      '  stopSignal: SIGKILL',
      ...(more === '' ? [] : [more.replace(/^/gm, '  ')]),
      '',
    ].join('\n');
  }

  /** Takes everything down, with the daemon or without, and fails if anything is left. */
  async down(): Promise<CommandResult> {
    await this.#rememberNamespaces();
    const result = await runMooring(['down', ...this.places], {});
    assert.equal(result.code, 0, `down: ${result.stdout}${result.stderr}`);
    if (this.#daemon !== undefined) assert.equal(await this.ended(), 0, 'the exit status of the daemon');
    await this.assertNothingLeft();
    this.#isDown = true;
    return result;
  }

  /** Looks for what bears this node's name, in the kernel and on disk. What the kernel ends lazily is given a moment. */
  async assertNothingLeft(): Promise<void> {
    let left: Record<string, readonly string[]> = {};
    await until('nothing is left', async () => {
      left = await this.#leftovers();
      return Object.values(left).every((found) => found.length === 0);
    }, 10).catch((error: unknown) => {
      throw new Error(`left: ${JSON.stringify(left, null, 2)}`, { cause: error });
    });
  }

  /** Ends and removes by force whatever there is, so that one red test does not litter the machine. */
  async destroy(): Promise<void> {
    if (this.#daemon !== undefined) await this.end('SIGKILL');
    // Whatever it says: what it can't take down is looked for below.
    if (!this.#isDown) await runMooring(['down', ...this.places], {}).catch(() => undefined);
    const processes = [...(await this.#marked()), ...(await processesMentioning(this.root)).map((found) => found.split(' ')[0] ?? '')];
    for (const pid of new Set(processes)) if ((await stateOf(Number(pid))) !== undefined) process.kill(Number(pid), 'SIGKILL');
    await removeCgroupsOf(this.instance);
    await rm(this.content, { recursive: true, force: true });
    await rm(this.root, { recursive: true, force: true });
  }

  async #leftovers(): Promise<Record<string, readonly string[]>> {
    const inFolder = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
    return {
      processes: [...(await processesMentioning(this.root)), ...(await this.#marked())],
      mounts: await mountsMentioning(this.root),
      cgroups: await cgroupsOf(this.instance),
      namespaces: await this.#livingNamespaces(),
      containers: await inFolder(join(this.dataDir, 'containers')),
      temporary: await inFolder(join(this.dataDir, 'tmp')),
      states: await inFolder(join(this.runDir, 'containers')),
      socket: (await inFolder(this.runDir)).filter((name) => name.endsWith('.sock')),
      content: [...(await inFolder(this.content)), ...(await inFolder(join(this.runDir, 'config')))],
    };
  }

  async #marked(): Promise<string[]> {
    const found: string[] = [];
    for (const pid of await pids()) {
      const environ = await readIfThere(`/proc/${pid}/environ`);
      if (environ?.includes(`MOORING_TEST=${this.instance}/`)) found.push(String(pid));
    }
    return found;
  }

  async #rememberNamespaces(): Promise<void> {
    const own = await netnsOf(process.pid);
    for (const pid of (await this.#marked()).map(Number)) {
      const netns = await netnsOf(pid);
      if (netns !== undefined && netns !== own) this.#netns.add(netns);
    }
  }

  async #livingNamespaces(): Promise<string[]> {
    if (this.#netns.size === 0) return [];
    const held = await Promise.all((await pids()).map(netnsOf));
    return [...new Set(held)].filter((netns): netns is string => netns !== undefined && this.#netns.has(netns));
  }
}

export function runMooring(args: readonly string[], env: Readonly<Record<string, string>>): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    execFile(MOORING, args, { env: { PATH: process.env['PATH'], ...env }, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

/** A port that nothing listens on at this moment. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}
