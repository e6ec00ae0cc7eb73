import { setTimeout as sleep } from 'node:timers/promises';
import { capture, timeCommand } from '../process.ts';
import { availableKiB, processMemory } from '../memory.ts';
import { DOCKER_IMAGE, DockerPeer } from '../peers/docker.ts';
import { MooringPeer } from '../peers/mooring.ts';
import { SIGNALLING_COMMAND, SignalPipe } from '../signal-pipe.ts';
import { rowOf, type Table } from '../topic.ts';

const CONTAINERS = 200;
const ROUNDS = 3;
const SCRAPES = 10;

export interface Round {
  readonly upSeconds: number;
  readonly downSeconds: number;
  readonly daemonMiB: number;
  readonly perContainerKiB: number;
  readonly minderPssKiB: number;
  readonly scrapesMs: readonly number[];
}

const namesOf = (count: number): string[] => Array.from({ length: count }, (_, index) => `c${index}`);

async function totalMiB(pids: readonly number[]): Promise<number> {
  const all = await Promise.all(pids.map(processMemory));
  return all.reduce((sum, { rssKiB }) => sum + rssKiB, 0) / 1024;
}

async function meanPss(pids: readonly number[]): Promise<number> {
  const all = await Promise.all(pids.map(processMemory));
  return all.reduce((sum, { pssKiB }) => sum + pssKiB, 0) / all.length;
}

export async function mooringRound(count: number): Promise<Round> {
  const names = namesOf(count);
  await using mooring = await MooringPeer.start();
  await using signal = await SignalPipe.create();
  const documents = new Map(names.map((name) => [name, MooringPeer.document(name, { command: SIGNALLING_COMMAND, signal: signal.folder, memory: '64Mi' })]));
  const freeBefore = await availableKiB();
  const start = performance.now();
  await mooring.drop(documents);
  await signal.reach(count, 120_000);
  const upSeconds = (performance.now() - start) / 1000;
  const used = freeBefore - (await availableKiB());
  const monitors = await Promise.all(names.slice(0, 50).map(async (name) => (await mooring.pids(name)).monitor));
  const minderPssKiB = await meanPss(monitors);
  const scrapesMs: number[] = [];
  for (let scrape = -2; scrape < SCRAPES; scrape++) {
    const elapsed = await scrapeMs(mooring.metricsUrl);
    if (scrape >= 0) scrapesMs.push(elapsed);
    await sleep(200);
  }
  const daemonMiB = await totalMiB([mooring.daemonPid]);
  const down = performance.now();
  await mooring.mooring('down');
  return { upSeconds, downSeconds: (performance.now() - down) / 1000, daemonMiB, perContainerKiB: used / count, minderPssKiB, scrapesMs };
}

/** By curl's own clock: what reading the page costs a client written in JavaScript is not the daemon's. */
async function scrapeMs(url: string): Promise<number> {
  return Number(await capture('curl', ['--silent', '--fail', '--output', '/dev/null', '--write-out', '%{time_total}', url])) * 1000;
}

export async function dockerRound(count: number): Promise<Round> {
  const names = namesOf(count);
  await using docker = await DockerPeer.start();
  await using signal = await SignalPipe.create();
  const run = ['run', '-d', '--network', 'none', '-m', '64m', '-v', `${signal.folder}:/signal`];
  const freeBefore = await availableKiB();
  const start = performance.now();
  // Four clients at a time: more are no faster on this machine.
  const queue = [...names];
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let name = queue.pop(); name !== undefined; name = queue.pop()) await docker.docker(...run, '--name', name, DOCKER_IMAGE, ...SIGNALLING_COMMAND);
    }),
  );
  await signal.reach(count, 600_000);
  const upSeconds = (performance.now() - start) / 1000;
  const used = freeBefore - (await availableKiB());
  const daemons = await docker.daemonPids();
  const daemonMiB = await totalMiB(daemons);
  const shims = (await capture('pgrep', ['-f', `containerd-shim.*${docker.folder}`])).trim().split('\n').map(Number);
  const minderPssKiB = await meanPss(shims);
  const downSeconds = (await docker.time('rm', '-f', ...names)) / 1000;
  return { upSeconds, downSeconds, daemonMiB, perContainerKiB: used / count, minderPssKiB, scrapesMs: [] };
}

/** Two hundred containers at once: how long, and what they cost. */
export async function scaleTopic(): Promise<Table[]> {
  await timeCommand('sync', []);
  const mooring: Round[] = [];
  const docker: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    mooring.push(await mooringRound(CONTAINERS));
    docker.push(await dockerRound(CONTAINERS));
  }
  const table = (title: string, figure: string, pick: (round: Round) => number, minder: readonly [string, string], notes: readonly string[] = []): Table => ({
    title,
    figure,
    reference: minder[0],
    rows: [rowOf(minder[0], mooring.map(pick)), rowOf(minder[1], docker.map(pick))],
    notes,
  });
  const engines = ['mooring', 'docker'] as const;
  return [
    table(`${CONTAINERS} containers up`, `s from ${CONTAINERS} specs dropped into the directory (docker: the first of ${CONTAINERS} \`docker run -d\`, four at a time) to the last one's first write`, (round) => round.upSeconds, engines, [
      'No network and a memory limit of 64 MiB on both sides. Aim: at least 10 × sooner than docker.',
    ]),
    table(`${CONTAINERS} containers down`, 's for `mooring down`, `docker rm -f`', (round) => round.downSeconds, engines),
    table('Memory of the daemon', `MiB resident with ${CONTAINERS} containers running`, (round) => round.daemonMiB, ['mooring daemon', 'dockerd + containerd'], ['Aim: below dockerd and containerd.']),
    table('Memory a container', 'KiB of MemAvailable, kernel memory included', (round) => round.perContainerKiB, engines),
    table('Memory of the process beside it', 'KiB proportional set size', (round) => round.minderPssKiB, ["mooring's monitor", 'containerd-shim'], ['Aim: under 150 KiB.']),
    {
      title: 'A scrape',
      figure: `ms for GET /metrics with ${CONTAINERS} containers running`,
      reference: 'mooring',
      rows: [rowOf('mooring', mooring.flatMap((round) => round.scrapesMs))],
      notes: ['Aim: under 50 ms.'],
    },
  ];
}
