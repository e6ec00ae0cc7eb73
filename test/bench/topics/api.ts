import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { messageOf } from '../../../src/lib/errors.ts';
import { EngineApi, EventFollower } from '../engine-api.ts';
import { DOCKER_IMAGE, DockerPeer } from '../peers/docker.ts';
import { MooringPeer } from '../peers/mooring.ts';
import { NetworkPlace } from '../peers/network-place.ts';
import { capture, timeCommand } from '../process.ts';
import { interleave, type Contender, rowOf, type Row, type Table } from '../topic.ts';

const RUNS = 20;
const CYCLES = 20;
const CROWD = 500;
const LOG_MEGABYTES = Number(process.env['BENCH_LOG_MB'] ?? 1000);
const FOLLOWERS = 50;
const EVENTS = 20;
const AT_ONCE = 64;
const LINE_BYTES = 100;
/** For the slowest of three readings of such a log. */
const LOGS_PATIENCE_MS = 300_000;

/** Whose socket the same docker command speaks to. */
interface Engine {
  readonly name: string;
  readonly socket: string;
  readonly image: string;
}

const docker = ({ socket }: Engine, ...args: readonly string[]): Promise<string> => capture('docker', args, { env: { ...process.env, DOCKER_HOST: `unix://${socket}` } });
const time = ({ socket }: Engine, ...args: readonly string[]): Promise<number> => timeCommand('docker', args, { env: { ...process.env, DOCKER_HOST: `unix://${socket}` } });

const STEPS = ['create', 'start', 'stop', 'rm'] as const;

/** Milliseconds of each step in the life of one container, by the bare API. */
async function life(api: EngineApi, { image }: Engine): Promise<Record<(typeof STEPS)[number], number>> {
  let id = '';
  const timed = async (step: () => Promise<unknown>): Promise<number> => {
    const begin = performance.now();
    await step();
    return performance.now() - begin;
  };
  return {
    create: await timed(async () => {
      ({ Id: id } = JSON.parse(await api.call('POST', '/containers/create', { Image: image, Cmd: ['sleep', '1000'], HostConfig: { Memory: 64 * 2 ** 20 } })) as { Id: string });
    }),
    start: await timed(() => api.call('POST', `/containers/${id}/start`)),
    stop: await timed(() => api.call('POST', `/containers/${id}/stop?t=0`)),
    rm: await timed(() => api.call('DELETE', `/containers/${id}`)),
  };
}

/** Each step's rows; the lives of the engines take turns. */
async function lives(engines: readonly Engine[]): Promise<Map<(typeof STEPS)[number], Row[]>> {
  const series = new Map(engines.map(({ name }) => [name, [] as Record<(typeof STEPS)[number], number>[]]));
  const contenders = engines.map(
    (engine): Contender => ({
      name: engine.name,
      run: async (round) => {
        using api = new EngineApi(engine.socket);
        const took = await life(api, engine);
        if (round >= 0) series.get(engine.name)?.push(took);
        return took.create;
      },
    }),
  );
  const whole = await interleave(contenders, { rounds: CYCLES, warmup: 2 });
  return new Map(STEPS.map((step) => [step, whole.map((row) => ('void' in row ? row : rowOf(row.contender, (series.get(row.contender) ?? []).map((one) => one[step]))))]));
}

/** Milliseconds of `docker ps -a` over so many containers. */
async function listing(engine: Engine): Promise<Row> {
  using api = new EngineApi(engine.socket);
  const ids: string[] = [];
  for (let n = 0; n < CROWD; n++) ids.push((JSON.parse(await api.call('POST', '/containers/create', { Image: engine.image, Cmd: ['sleep', '1000'] })) as { Id: string }).Id);
  const series: number[] = [];
  for (let round = -2; round < 10; round++) {
    const took = await time(engine, 'ps', '-a');
    if (round >= 0) series.push(took);
  }
  for (const id of ids) await api.call('DELETE', `/containers/${id}`);
  return rowOf(engine.name, series);
}

/** Seconds of `docker logs` of so much, thrown away as it comes. */
async function logs(engine: Engine): Promise<Row> {
  const line = 'x'.repeat(LINE_BYTES - 1);
  const lines = (LOG_MEGABYTES * 1e6) / LINE_BYTES;
  const name = 'talker';
  await docker(engine, 'run', '-d', '--network', 'none', '--name', name, '--log-opt', 'max-size=4g', engine.image, 'sh', '-c', `yes ${line} | head -n ${lines}`);
  await docker(engine, 'wait', name);
  const series: number[] = [];
  for (let round = 0; round < 3; round++) {
    const begin = performance.now();
    const bytes = await readThrough(engine, ['logs', name]);
    if (bytes !== lines * LINE_BYTES) throw new Error(`${engine.name} gave ${bytes} bytes of ${lines * LINE_BYTES}`);
    series.push((performance.now() - begin) / 1000);
  }
  await docker(engine, 'rm', name);
  return rowOf(engine.name, series);
}

/** The size of what a command writes. */
function readThrough({ socket }: Engine, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('docker', args, { env: { ...process.env, DOCKER_HOST: `unix://${socket}` }, stdio: ['ignore', 'pipe', 'inherit'], timeout: LOGS_PATIENCE_MS, killSignal: 'SIGKILL' });
    let bytes = 0;
    child.stdout.on('data', (chunk: Buffer) => (bytes += chunk.length));
    child.once('error', reject);
    child.once('close', (code, signal) => (code === 0 ? resolve(bytes) : reject(new Error(`docker ${args.join(' ')}: exit ${code ?? signal}`))));
  });
}

/** Milliseconds from the order to create a container until each of the followers has heard of it. */
async function fanOut(engine: Engine): Promise<Row> {
  await using opened = new AsyncDisposableStack();
  const followers = await Promise.all(Array.from({ length: FOLLOWERS }, async () => opened.use(await EventFollower.open(engine.socket, 'create'))));
  using api = new EngineApi(engine.socket);
  const series: number[] = [];
  for (let round = 0; round < EVENTS; round++) {
    const heard = followers.map((follower) => follower.next(1));
    const begin = performance.now();
    const { Id } = JSON.parse(await api.call('POST', '/containers/create', { Image: engine.image, Cmd: ['true'] })) as { Id: string };
    await Promise.all(heard);
    series.push(performance.now() - begin);
    await api.call('DELETE', `/containers/${Id}`);
  }
  return rowOf(engine.name, series);
}

/** What clients of the Docker Engine API meet: the same docker command, and the same requests, on Mooring's socket and on dockerd's. */
export async function apiTopic(): Promise<Table[]> {
  await using made = new AsyncDisposableStack();
  const mooring = made.use(await MooringPeer.start(made.use(await NetworkPlace.make())));
  const dockerd = made.use(await DockerPeer.start({ place: made.use(await NetworkPlace.make()), proxy: true }));
  const engines: readonly Engine[] = [
    { name: 'mooring', socket: join(mooring.folder, 'run/docker.sock'), image: 'mooring.local/busybox:latest' },
    { name: 'docker', socket: join(dockerd.folder, 'docker.sock'), image: DOCKER_IMAGE },
  ];
  const contenders = (run: (engine: Engine) => Promise<number>): Contender[] => engines.map((engine) => ({ name: engine.name, run: () => run(engine) }));
  const inTurn = async (measure: (engine: Engine) => Promise<Row>): Promise<Row[]> => {
    const rows: Row[] = [];
    for (const engine of engines) rows.push(await measure(engine).catch((thrown: unknown) => ({ contender: engine.name, void: messageOf(thrown) })));
    return rows;
  };
  const table = (title: string, figure: string, rows: readonly Row[], notes: readonly string[] = []): Table => ({ title, figure, reference: 'mooring', rows, notes });
  const tables = [
    table('`docker run --rm busybox true`', 'ms from spawn to exit of the docker command, on the default network', await interleave(contenders((engine) => time(engine, 'run', '--rm', engine.image, 'true')), { rounds: RUNS, warmup: 3 }), [
      'Aim: at least 5 × sooner than docker.',
    ]),
    table('The same without a network', 'ms, with `--network none`', await interleave(contenders((engine) => time(engine, 'run', '--rm', '--network', 'none', engine.image, 'true')), { rounds: RUNS, warmup: 3 })),
    table('The docker command itself', 'ms of `docker version` on each socket: what no engine can be quicker than', await interleave(contenders((engine) => time(engine, 'version')), { rounds: RUNS, warmup: 3 })),
  ];
  const steps = await lives(engines);
  for (const [step, rows] of steps) tables.push(table(`\`${step}\` by the bare API`, 'ms from the request to the answer, on the default network, with a memory limit', rows));
  tables.push(table(`\`docker ps -a\` with ${CROWD} containers`, 'ms from spawn to exit; the containers were made, and none was started', await inTurn(listing)));
  tables.push(table(`\`docker logs\` of ${LOG_MEGABYTES} MB`, `s from spawn to exit, of lines of ${LINE_BYTES} bytes, thrown away as they come`, await inTurn(logs)));
  tables.push(table(`An event to ${FOLLOWERS} followers`, 'ms from the order to create a container until the last follower has heard of it', await inTurn(fanOut)));
  const crowd = contenders(async (engine) => {
    const begin = performance.now();
    await Promise.all(Array.from({ length: AT_ONCE }, () => docker(engine, 'run', '--rm', '--network', 'none', engine.image, 'true')));
    return (performance.now() - begin) / 1000;
  });
  tables.push(table(`${AT_ONCE} \`docker run --rm\` at once`, 's until the last has ended', await interleave(crowd, { rounds: 3, warmup: 1 })));
  return tables;
}
