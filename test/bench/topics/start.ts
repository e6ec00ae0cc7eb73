import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createContainerEngine } from '../../../src/engine/containers/container-engine.ts';
import type { OwnedContainerEngine } from '../../../src/engine/containers/owned-container-engine.ts';
import { BUSYBOX_IMAGE, ensureBusyboxImage } from '../../../src/engine/images/busybox-image.ts';
import { ImageStore } from '../../../src/engine/images/image-store.ts';
import { DataDir } from '../../../src/engine/store/data-dir.ts';
import { Database } from '../../../src/engine/store/database.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import { loadNative } from '../../../src/native/addon.ts';
import { containerSchema, type Container } from '../../../src/spec/container.ts';
import { containerName } from '../../../src/spec/name.ts';
import { specHash } from '../../../src/spec/hash.ts';
import { DOCKER_IMAGE, DockerPeer } from '../peers/docker.ts';
import { capture, timeCommand } from '../process.ts';
import { interleave, type Contender, type Table } from '../topic.ts';
import { runtimeTables } from './runtimes.ts';

const ROUNDS = 40;
const WARMUP = 5;
const PAUSE_MS = 300;
const native = fileURLToPath(new URL('../../../native/build/', import.meta.url));
const floorSource = fileURLToPath(new URL('../floor/floor.c', import.meta.url));

const container: Container = containerSchema.parse({
  apiVersion: 'mooring.dev/v1alpha1',
  kind: 'Container',
  metadata: { name: 'true' },
  spec: {
    image: BUSYBOX_IMAGE,
    command: ['true'],
    restartPolicy: 'Never',
    resources: { cpu: '500m', memory: '64Mi', pids: 100 },
  },
});

/** Mooring's engine in this process, as the daemon composes it. */
class EngineUnderTest implements AsyncDisposable {
  readonly engine: OwnedContainerEngine;
  readonly #folder: string;
  readonly #database: Database;

  private constructor(folder: string, database: Database, engine: OwnedContainerEngine) {
    this.#folder = folder;
    this.#database = database;
    this.engine = engine;
  }

  static async start(folder: string, sandboxes: number): Promise<EngineUnderTest> {
    await mkdir(join(folder, 'run'), { recursive: true });
    const database = await Database.open(join(folder, 'data'));
    const dataDir = await DataDir.open(join(folder, 'data'));
    const images = new ImageStore(dataDir, database);
    await ensureBusyboxImage(images);
    const engine = await createContainerEngine({
      dataDir,
      runDir: join(folder, 'run'),
      instance: `bench-start-${process.pid}-${sandboxes}`,
      native: loadNative(join(native, 'mooring.node')),
      database,
      images,
      logger: createLogger('warn'),
      runtimePath: join(native, 'mooring-runtime'),
      sandboxes,
    });
    await engine.collect(); // from here on sandboxes are made
    return new EngineUnderTest(folder, database, engine);
  }

  /** Milliseconds from `create`, or from the start that follows it, until the process has passed its execve. */
  async createAndStart(from: 'create' | 'start' = 'create'): Promise<number> {
    let begin = performance.now();
    const id = await this.engine.create(container, specHash(container));
    if (from === 'start') begin = performance.now();
    await this.engine.start(id);
    const elapsed = performance.now() - begin;
    while ((await this.engine.observe(containerName(container.metadata)))?.process.state !== 'Exited') await sleep(2);
    await this.engine.remove(id);
    return elapsed;
  }

  /** The config.json that the engine writes, and the layer that holds the root file system, for runtimes that are handed a bundle. */
  async exportBundle(bundle: string): Promise<void> {
    const id = await this.engine.create(container, specHash(container));
    const config = JSON.parse(await readFile(join(this.#folder, 'data/containers', id, 'config.json'), 'utf8')) as { linux: { cgroupsPath: string } };
    await this.engine.remove(id);
    const [layer = ''] = await readdir(join(this.#folder, 'data/layers'));
    await mkdir(bundle);
    await cp(join(this.#folder, 'data/layers', layer), join(bundle, 'rootfs'), { recursive: true, verbatimSymlinks: true });
    // crun 1.8 knows no later version of the specification, and nothing in here needs one.
    await writeFile(join(bundle, 'config.json'), JSON.stringify({ ...config, ociVersion: '1.0.2', annotations: {}, linux: { ...config.linux, cgroupsPath: '/bench-bundle' } }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine.close();
    this.#database.close();
  }
}

/** The command of a contender that is handed the bundle; `crun` sees no cgroup v2, since it refuses hosts that have both. */
function bundleContenders(folder: string): Contender[] {
  const bundle = join(folder, 'bundle');
  const monitor = (round: number): string[] => [
    ...['monitor', '--id', `bench-${round}`, '--bundle', bundle, '--state-dir', join(folder, 'state')],
    ...['--log', join(folder, 'log'), '--log-max-bytes', '1000000', '--log-max-files', '2', '--status-fd', '3'],
  ];
  const hidden = 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"';
  return [
    { name: 'mooring-runtime', run: (round) => timeCommand(join(native, 'mooring-runtime'), monitor(round)) },
    { name: 'crun', run: (round) => timeCommand('unshare', ['-m', 'sh', '-c', hidden, 'crun', 'crun', 'run', '--bundle', bundle, `bench-${round + WARMUP}`]) },
    { name: 'runc', run: (round) => timeCommand('runc', ['run', '--bundle', bundle, `bench-${round + WARMUP}`]) },
    {
      name: 'bubblewrap (no cgroups, no limits, no seccomp)',
      run: () => timeCommand('bwrap', ['--unshare-all', '--bind', join(bundle, 'rootfs'), '/', '--proc', '/proc', '--dev', '/dev', 'true']),
    },
  ];
}

/** What one start costs: inside the daemon beside the kernel's floor, and as a whole command beside other runtimes. */
export async function startTopic(): Promise<Table[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-start-'));
  try {
    const floor = join(folder, 'floor');
    let floors = 0;
    await capture('gcc', ['-O2', '-static', '-o', floor, floorSource]);
    await using plain = await EngineUnderTest.start(join(folder, 'plain'), 0);
    await using ahead = await EngineUnderTest.start(join(folder, 'ahead'), ROUNDS + WARMUP);
    await plain.exportBundle(join(folder, 'bundle'));
    await mkdir(join(folder, 'state'));
    const yardstick = async (): Promise<number> => Number(await capture(floor, [join(folder, 'bundle/rootfs'), join(folder, `floor-${++floors}`), `bench-floor-${process.pid}`]));
    const inTurn = (from: 'create' | 'start', pause: number) => {
      const after = (run: () => Promise<number>) => async (): Promise<number> => {
        await sleep(pause);
        return run();
      };
      return interleave(
        [
          { name: 'mooring engine, sandboxes made ahead', run: after(() => ahead.createAndStart(from)) },
          { name: 'mooring engine', run: after(() => plain.createAndStart(from)) },
          { name: 'plain C start', run: after(yardstick) },
        ],
        { rounds: ROUNDS, warmup: WARMUP },
      );
    };
    await sleep((ROUNDS + WARMUP) * 50); // until all are made
    const whole = await inTurn('create', 0);
    await sleep((ROUNDS + WARMUP) * 50);
    const hot = await inTurn('start', 0);
    const rested = await inTurn('start', PAUSE_MS);

    await using docker = await DockerPeer.start();
    const commands = await interleave(
      [
        ...bundleContenders(folder),
        { name: 'docker run --rm --network none', run: () => docker.time('run', '--rm', '--network', 'none', '-m', '64m', '--cpus', '0.5', '--pids-limit', '100', DOCKER_IMAGE, 'true') },
      ],
      { rounds: 15, warmup: WARMUP },
    );
    const runtimes = await runtimeTables(folder);
    await capture('find', ['/sys/fs/cgroup', '-depth', '-type', 'd', '-path', '*/bench-bundle*', '-exec', 'rmdir', '{}', '+']);
    return [
      {
        title: 'From create to exec',
        figure: 'ms from the first system call for a container to its `execve`, with limits, seccomp, masks, capabilities and an overlay',
        reference: 'plain C start',
        rows: whole,
        notes: [
          '`test/bench/floor/floor.c` does the kernel’s part and nothing else: no records, no JSON, no log, no monitor. Aim: within 2 × of it.',
          'On cgroup v1 an attach waits for the kernel’s RCU when the machine was idle before; all rows but the first have such rounds, and their p99 shows it.',
        ],
      },
      {
        title: 'From start to exec',
        figure: 'ms from the order to the monitor, the container being created, to its `execve`; one after the other',
        reference: 'plain C start',
        rows: hot,
        notes: ['Aim: 2 ms with sandboxes made ahead.'],
      },
      {
        title: 'From start to exec, after a pause',
        figure: `the same, each after ${PAUSE_MS} ms of nothing`,
        reference: 'plain C start',
        rows: rested,
        notes: ['Aim: 2.5 ms with sandboxes made ahead.'],
      },
      {
        title: 'A whole `true`, from command to exit',
        figure: 'ms from spawn to exit; the OCI runtimes are handed the same bundle, without an overlay',
        reference: 'mooring-runtime',
        rows: commands,
        notes: ['`mooring-runtime` includes the log file and the durable exit record that the others do not write.'],
      },
      ...runtimes,
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
