import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFile, glob, mkdir, mkdtemp, readFile, rm, rmdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { MonitorOptions, Native, StartedContainer } from '../../../src/native/native.ts';
import { RUNTIME } from '../../support/runtime.ts';
import { eventually, processStat, untilDead } from './support.ts';

interface LogEntry {
  readonly time: string;
  readonly stream: string;
  readonly tag: string;
  readonly text: string;
}

export interface Settings {
  readonly args: readonly string[];
  readonly terminal?: boolean;
  /** Bytes of memory. */
  readonly memory?: number;
  /** Shares the host's pid namespace. */
  readonly hostPid?: boolean;
  /** Bounding, permitted and effective; none by default. */
  readonly capabilities?: readonly string[];
  readonly stdin?: MonitorOptions['stdin'];
  readonly clients?: number;
  readonly maxBytes?: number;
  readonly maxFiles?: number;
  readonly maxAgeSeconds?: number;
  readonly mode?: 'block' | 'drop';
}

/** A bundle with a rootfs of busybox, its state folder and its log, in a temporary folder; its cgroups are its own. */
export class TestBundle {
  readonly folder: string;
  readonly options: MonitorOptions;
  readonly #cgroup: string;
  readonly #started: StartedContainer[] = [];

  private constructor(folder: string, settings: Settings) {
    this.folder = folder;
    const id = `mooring-${randomBytes(6).toString('hex')}`;
    this.#cgroup = `/${id}`;
    this.options = {
      runtime: RUNTIME,
      id,
      bundle: join(folder, 'bundle'),
      stateDir: join(folder, 'state'),
      log: { path: join(folder, 'log'), maxBytes: settings.maxBytes ?? 1 << 20, maxFiles: settings.maxFiles ?? 3, ...(settings.maxAgeSeconds && { maxAgeSeconds: settings.maxAgeSeconds }), ...(settings.mode && { mode: settings.mode }) },
      ...(settings.stdin && { stdin: settings.stdin }),
      ...(settings.clients !== undefined && { clients: settings.clients }),
    };
  }

  /** After the test everything is gone: the processes, which are killed, the cgroups, the files; it fails where something stays. */
  static async create(t: TestContext, settings: Settings): Promise<TestBundle> {
    const bundle = new TestBundle(await mkdtemp(join(tmpdir(), 'mooring-monitor-')), settings);
    t.after(() => bundle.#remove());
    const rootfs = join(bundle.options.bundle, 'rootfs');
    for (const folder of ['bin', 'proc', 'dev', 'tmp']) await mkdir(join(rootfs, folder), { recursive: true });
    await mkdir(bundle.options.stateDir);
    await copyFile('/bin/busybox', join(rootfs, 'bin', 'busybox'));
    await symlink('busybox', join(rootfs, 'bin', 'sh'));
    await bundle.configure(settings);
    return bundle;
  }

  async configure(settings: Settings): Promise<void> {
    const namespaces = ['mount', 'ipc', 'uts', 'network', ...(settings.hostPid === true ? [] : ['pid'])].map((type) => ({ type }));
    const capabilities = settings.capabilities ?? [];
    const config = {
      ociVersion: '1.2.0',
      process: {
        terminal: settings.terminal ?? false,
        user: { uid: 0, gid: 0 },
        args: settings.args,
        env: ['PATH=/bin'],
        cwd: '/',
        capabilities: { bounding: capabilities, permitted: capabilities, effective: capabilities },
      },
      root: { path: 'rootfs' },
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['mode=755', 'size=64k'] },
        { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666', 'mode=0620'] },
      ],
      linux: { cgroupsPath: this.#cgroup, namespaces, resources: settings.memory === undefined ? {} : { memory: { limit: settings.memory } } },
    };
    await writeFile(join(this.options.bundle, 'config.json'), JSON.stringify(config));
  }

  async start(native: Native): Promise<StartedContainer> {
    return this.adopt(await native.startMonitor(this.options));
  }

  /** Takes over the cleaning up of what somebody else has started. */
  adopt(started: StartedContainer): StartedContainer {
    this.#started.push(started);
    return started;
  }

  /** Starts it, and gives its exit record when its monitor is gone. */
  async run(native: Native): Promise<Record<string, unknown>> {
    const { monitor } = await this.start(native);
    await untilDead(monitor.pid);
    return this.exitRecord();
  }

  async exitRecord(folder: string = this.options.bundle): Promise<Record<string, unknown>> {
    return JSON.parse(await readFile(join(folder, 'exit.json'), 'utf8')) as Record<string, unknown>;
  }

  async state(): Promise<Record<string, unknown>> {
    return JSON.parse(await readFile(join(this.options.stateDir, 'state.json'), 'utf8')) as Record<string, unknown>;
  }

  /** The entries of the log, or of a rotated one; fails on a line that is not one. */
  async log(suffix = ''): Promise<LogEntry[]> {
    const text = await readFile(this.options.log.path + suffix, 'utf8');
    assert.ok(text === '' || text.endsWith('\n'));
    return text.split('\n').slice(0, -1).map((line) => {
      const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) (stdout|stderr) ([FP]) (.*)$/s.exec(line);
      assert.ok(found, `not an entry of a CRI log: ${line}`);
      const [, time = '', stream = '', tag = '', content = ''] = found;
      return { time, stream, tag, text: content };
    });
  }

  async #remove(): Promise<void> {
    for (const { init, monitor } of this.#started) {
      if ((await processStat(init.pid))?.startTime === init.startTime) process.kill(init.pid, 'SIGKILL');
      await untilDead(monitor.pid); // writes its record and goes by itself
      await untilDead(init.pid);
    }
    for await (const folder of glob(`/sys/fs/cgroup/{,*}${this.#cgroup}`)) {
      await eventually(`${folder} is removed`, () => rmdir(folder).then(() => true, () => undefined));
    }
    await rm(this.folder, { recursive: true });
    const mounts = await readFile('/proc/self/mountinfo', 'utf8');
    assert.ok(!mounts.includes(this.folder), 'a mount of the container is left on the host');
    const busy = await Array.fromAsync(glob('/proc/[0-9]*/cmdline'), (file) => readFile(file, 'utf8').catch(() => ''));
    assert.ok(!busy.some((command) => command.includes(this.options.id)), 'a monitor is left');
  }
}
