import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DOCKER_IMAGE, DockerPeer } from '../peers/docker.ts';
import { MooringPeer } from '../peers/mooring.ts';
import { SignalPipe } from '../signal-pipe.ts';
import { rowOf, type Table } from '../topic.ts';

const GIGABYTES = Number(process.env['BENCH_LOG_GB'] ?? 5);
const ROUNDS = 3;
/** The lines that are written again and again are numbered, so that one that is lost or torn shows. */
const LINES = 200_000;
const LINE_BYTES = 100;
const TURNS = Math.max(1, Math.round((GIGABYTES * 1e9) / (LINES * LINE_BYTES)));
/** Both keep 3 files of 10 MB at most. */
const FILES = 3;
const FILE_BYTES = 10_000_000;
const LIMIT_MS = 1_200_000;
const TICKS_PER_SECOND = 100; // USER_HZ, of every architecture that Mooring runs on

const COMMAND = ['sh', '-c', `echo >/signal/pipe; i=0; while [ $i -lt ${TURNS} ]; do cat /signal/lines; i=$((i+1)); done; echo >/signal/pipe`];

interface Round {
  readonly seconds: number;
  readonly daemonCpuSeconds: number;
  readonly peakMiB: number;
}

/** One of those that are compared: how it starts the writer, where its log is, and what is written of it in the end. */
interface Writer {
  start(name: string): Promise<void>;
  daemonPids(): Promise<readonly number[]>;
  isLog(file: string): boolean;
  readonly containers: string;
  lines(name: string): Promise<string>;
  remove(name: string): Promise<void>;
}

/** CPU time of processes so far, in user and system mode, in seconds (proc_pid_stat(5)). */
async function cpuSeconds(pids: readonly number[]): Promise<number> {
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8')));
  return stats.reduce((sum, text) => {
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }, 0);
}

/** MiB of all log files below a folder of containers. */
async function logMiB({ containers, isLog }: Writer): Promise<number> {
  const files = (await readdir(containers, { recursive: true })).filter((file) => isLog(file));
  const sizes = await Promise.all(files.map((file) => stat(join(containers, file)).then(({ size }) => size, () => 0))); // rotated away meanwhile
  return sizes.reduce((sum, size) => sum + size, 0) / 2 ** 20;
}

/** Throws where a line that was kept is not the one that follows the line before it, or the last one is missing. */
function checkLines(text: string): void {
  const lines = text.split('\n').slice(0, -1);
  const numbers = lines.map((line) => Number(line.slice(0, 9)));
  const wrong = numbers.findIndex((number, index) => lines[index]?.length !== LINE_BYTES - 1 || (index > 0 && number !== ((numbers[index - 1] ?? 0) + 1) % LINES));
  if (wrong >= 0) throw new Error(`line ${wrong} of those kept is lost or torn: ${lines[wrong] ?? ''}`);
  if (numbers.at(-1) !== LINES - 1) throw new Error(`the last line is missing: ${lines.at(-1) ?? ''}`);
}

/** The log, once its last line is there: what is in the pipes when the writer ends is still to be logged. */
async function untilComplete(read: () => Promise<string>): Promise<string> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const text = await read();
    if (Number(text.slice(-LINE_BYTES).slice(0, 9)) === LINES - 1 || performance.now() > deadline) return text;
    await sleep(200);
  }
}

async function write(writer: Writer, signal: SignalPipe, name: string): Promise<Round> {
  const before = signal.lines;
  await writer.start(name);
  await signal.reach(before + 1, 60_000);
  const pids = await writer.daemonPids();
  const cpu = await cpuSeconds(pids);
  const start = performance.now();
  let peakMiB = 0;
  const written = signal.reach(before + 2, LIMIT_MS).then(() => performance.now() - start);
  const watching = new AbortController();
  const watched = (async () => {
    while (!watching.signal.aborted) {
      peakMiB = Math.max(peakMiB, await logMiB(writer));
      await sleep(200);
    }
  })();
  try {
    const seconds = (await written) / 1000;
    const daemonCpuSeconds = (await cpuSeconds(pids)) - cpu;
    checkLines(await untilComplete(() => writer.lines(name)));
    return { seconds, daemonCpuSeconds, peakMiB };
  } finally {
    watching.abort();
    await watched;
    await writer.remove(name);
  }
}

function mooringWriter(mooring: MooringPeer, signal: SignalPipe): Writer {
  const spec = (name: string): string => join(mooring.folder, 'specs', `${name}.json`);
  return {
    start: async (name) => {
      const document = JSON.parse(MooringPeer.document(name, { command: COMMAND, signal: signal.folder })) as { readonly spec: object };
      const logging = { maxSize: String(FILE_BYTES), maxFiles: FILES };
      await writeFile(spec(name), JSON.stringify({ ...document, spec: { ...document.spec, restartPolicy: 'Never', logging } }));
    },
    daemonPids: () => Promise.resolve([mooring.daemonPid]),
    containers: join(mooring.folder, 'data/containers'),
    isLog: (file) => /^[0-9a-f]{64}\/log(\.\d+)?$/.test(file),
    lines: (name) => mooring.mooring('logs', name),
    remove: (name) => rm(spec(name)),
  };
}

function dockerWriter(docker: DockerPeer, signal: SignalPipe): Writer {
  const logging = ['--log-driver', 'json-file', '--log-opt', `max-size=${FILE_BYTES}`, '--log-opt', `max-file=${FILES}`];
  return {
    start: async (name) => void (await docker.docker('run', '-d', '--name', name, '--network', 'none', ...logging, '-v', `${signal.folder}:/signal`, DOCKER_IMAGE, ...COMMAND)),
    daemonPids: () => docker.daemonPids(),
    containers: join(docker.folder, 'data/containers'),
    isLog: (file) => /-json\.log(\.\d+)?$/.test(file),
    lines: (name) => docker.docker('logs', name),
    remove: async (name) => void (await docker.docker('rm', '-f', name)),
  };
}

/** A container that writes log lines as fast as it is let. */
export async function logsTopic(): Promise<Table[]> {
  await using docker = await DockerPeer.start();
  await using mooring = await MooringPeer.start();
  await using dockerSignal = await SignalPipe.create();
  await using mooringSignal = await SignalPipe.create();
  const text = Array.from({ length: LINES }, (_, number) => `${String(number).padStart(9, '0')} ${'x'.repeat(LINE_BYTES - 11)}\n`).join('');
  for (const { folder } of [dockerSignal, mooringSignal]) await writeFile(join(folder, 'lines'), text);

  const mine: Round[] = [];
  const theirs: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    mine.push(await write(mooringWriter(mooring, mooringSignal), mooringSignal, `writer-${round}`));
    theirs.push(await write(dockerWriter(docker, dockerSignal), dockerSignal, `writer-${round}`));
  }
  const megabytes = (TURNS * LINES * LINE_BYTES) / 1e6;
  const rows = (pick: (round: Round) => number) => [rowOf('mooring', mine.map(pick)), rowOf('docker, json-file', theirs.map(pick))];
  const rate = (rounds: readonly Round[]): string => (megabytes / (rounds.map(({ seconds }) => seconds).toSorted((a, b) => a - b)[rounds.length >> 1] ?? 0)).toFixed(0);
  const kept = `Both keep ${FILES} files of ${FILE_BYTES / 1e6} MB at most, and neither drops lines: the container waits for its log.`;
  return [
    {
      title: 'A flood of log lines',
      figure: `s for ${megabytes} MB of lines of ${LINE_BYTES} bytes, from the container's first to its last`,
      reference: 'mooring',
      rows: rows(({ seconds }) => seconds),
      notes: [`That is ${rate(mine)} MB/s with Mooring, ${rate(theirs)} MB/s with docker.`, `${kept} Of every round the lines that were kept are checked by their numbers: none is missing, none torn, and the last one is there.`],
    },
    {
      title: 'The daemon during the flood',
      figure: 's of CPU time (docker: of dockerd and containerd)',
      reference: 'docker, json-file',
      rows: rows(({ daemonCpuSeconds }) => daemonCpuSeconds),
      notes: ["Mooring's daemon has no part in it: the container's monitor writes the log."],
    },
    { title: 'Disk during the flood', figure: 'MiB of log files at most, looked at five times a second', reference: 'mooring', rows: rows(({ peakMiB }) => peakMiB), notes: [] },
  ];
}
