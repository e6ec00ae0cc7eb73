import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DOCKER_IMAGE, DockerPeer } from '../peers/docker.ts';
import { MooringPeer } from '../peers/mooring.ts';
import { inNamespace, NetworkPlace } from '../peers/network-place.ts';
import { capture } from '../process.ts';
import { type Contender, interleave, type Table } from '../topic.ts';

const PROBE = fileURLToPath(new URL('../network-probe.py', import.meta.url));
const IPERF = 5201;
const ECHO = 5202;
/** What a port of a container is published at. */
const PUBLISHED = 10_000;

/** How much is measured; a smoke test takes less. */
export interface NetworkBenchSize {
  readonly rounds: number;
  readonly megabytes: number;
  readonly questions: number;
}

/** Two containers on one network of one engine, in a place of its own: one serves, and is published; the other asks. */
interface Bed extends AsyncDisposable {
  readonly name: string;
  readonly place: NetworkPlace;
  readonly client: number;
  readonly server: { readonly address: string; readonly pid: number };
  /** Who knows the names of the network's containers. */
  readonly resolver: string;
}

type Where = readonly [string, ...string[]];
const inProcess = (pid: number): Where => ['nsenter', '--target', String(pid), '--net', '--'];

export function mooringDocument(name: string, ports: readonly Record<string, unknown>[] = []): string {
  return JSON.stringify({
    apiVersion: 'mooring.dev/v1alpha1',
    kind: 'Container',
    metadata: { name },
    spec: { image: 'mooring.local/busybox:latest', command: ['sleep', '100000'], stopTimeoutSeconds: 0, network: { mode: 'Bridge' }, ports },
  });
}

async function mooringBed(): Promise<Bed> {
  await using made = new AsyncDisposableStack();
  const place = made.use(await NetworkPlace.make());
  const mooring = made.use(await MooringPeer.start(place));
  const file = join(mooring.folder, 'bed.json');
  for (const text of [mooringDocument('client'), mooringDocument('server', [IPERF, ECHO].map((port) => ({ containerPort: port, hostPort: PUBLISHED + port })))]) {
    await writeFile(file, text);
    await mooring.mooring('apply', '--wait', '-f', file);
  }
  const [client, server] = await Promise.all(['client', 'server'].map((name) => mooring.pids(name)));
  const serverPid = server?.init ?? 0;
  const route = await capture('nsenter', ['--target', String(serverPid), '--net', '--', 'ip', '-4', 'route', 'show', 'default']);
  const bed = { name: 'mooring', place, client: client?.init ?? 0, server: { pid: serverPid, address: await addressIn(serverPid) }, resolver: /via (\S+)/.exec(route)?.[1] ?? '' };
  const kept = made.move();
  return { ...bed, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function dockerBed(proxy: boolean): Promise<Bed> {
  await using made = new AsyncDisposableStack();
  const place = made.use(await NetworkPlace.make());
  const docker = made.use(await DockerPeer.start({ place, proxy }));
  await docker.docker('network', 'create', 'bed');
  await docker.docker('run', '-d', '--network', 'bed', '--name', 'client', DOCKER_IMAGE, 'sleep', '100000');
  await docker.docker('run', '-d', '--network', 'bed', '--name', 'server', ...[IPERF, ECHO].flatMap((port) => ['-p', `${PUBLISHED + port}:${port}`]), DOCKER_IMAGE, 'sleep', '100000');
  const [client, server] = await Promise.all(['client', 'server'].map(async (name) => Number(await docker.docker('inspect', '-f', '{{.State.Pid}}', name))));
  const bed = { name: proxy ? 'docker' : 'docker without its proxy', place, client: client ?? 0, server: { pid: server ?? 0, address: await addressIn(server ?? 0) }, resolver: '127.0.0.11' };
  const kept = made.move();
  return { ...bed, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function addressIn(pid: number): Promise<string> {
  const shown = await capture('nsenter', ['--target', String(pid), '--net', '--', 'ip', '-4', '-o', 'addr', 'show', 'eth0']);
  return /inet ([\d.]+)/.exec(shown)?.[1] ?? '';
}

/** Something that serves while it is measured. */
async function serving([command, ...words]: Where, ready: string): Promise<AsyncDisposable> {
  const server: ChildProcess = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  const heard = new Promise<void>((resolve) => {
    server.stdout?.on('data', (data) => {
      said += String(data);
      if (said.includes(ready)) resolve();
    });
  });
  const ended = once(server, 'exit');
  await Promise.race([heard, ended.then(() => Promise.reject(new Error(`${words.join(' ')} ended: ${said}`)))]);
  return {
    [Symbol.asyncDispose]: async () => {
      server.kill('SIGKILL');
      await ended;
    },
  };
}

async function probe([command, ...words]: Where, ...what: readonly string[]): Promise<number> {
  return Number(await capture(command, [...words, 'python3', PROBE, ...what]));
}

/** Seconds that a gigabyte takes. */
async function gigabyte([command, ...words]: Where, host: string, port: number, megabytes: number): Promise<number> {
  const { end } = JSON.parse(await capture(command, [...words, 'iperf3', '-c', host, '-p', String(port), '-n', `${megabytes}M`, '-J'])) as { readonly end: { readonly sum_received: { readonly bits_per_second: number } } };
  return 8e9 / end.sum_received.bits_per_second;
}

const FULL: NetworkBenchSize = { rounds: 7, megabytes: 1024, questions: 2_000 };

/** What the network of containers lets through, and how soon, beside docker's with its user-land proxy and without. */
export async function networkTopic({ rounds, megabytes, questions }: NetworkBenchSize = FULL): Promise<Table[]> {
  await using made = new AsyncDisposableStack();
  const beds: Bed[] = [];
  for (const open of [mooringBed, () => dockerBed(true), () => dockerBed(false)]) beds.push(made.use(await open()));
  for (const { server } of beds) {
    made.use(await serving([...inProcess(server.pid), 'iperf3', '-s', '-p', String(IPERF), '--forceflush'], 'listening'));
    made.use(await serving([...inProcess(server.pid), 'python3', PROBE, 'serve', String(ECHO)], 'ready'));
  }
  const paths: readonly { readonly of: string; readonly from: (bed: Bed) => Where; readonly host: (bed: Bed) => string; readonly offset: number }[] = [
    { of: 'container to container', from: ({ client }) => inProcess(client), host: ({ server }) => server.address, offset: 0 },
    { of: 'node to published port by loopback', from: ({ place }) => place.entering, host: () => '127.0.0.1', offset: PUBLISHED },
    { of: "node to published port by the node's address", from: ({ place }) => place.entering, host: ({ place }) => place.address, offset: PUBLISHED },
    { of: 'outside to published port', from: ({ place }) => inNamespace(place.outside), host: ({ place }) => place.address, offset: PUBLISHED },
  ];
  const count = String(questions);
  const table = async (title: string, figure: string, measure: (bed: Bed) => Promise<number>, notes: readonly string[] = []): Promise<Table> => {
    const contenders: Contender[] = beds.map((bed) => ({ name: bed.name, run: () => measure(bed) }));
    return { title, figure, reference: 'mooring', rows: await interleave(contenders, { rounds, warmup: 1 }), notes };
  };
  const tables: Table[] = [];
  for (const { of, from, host, offset } of paths) {
    tables.push(await table(`Throughput, ${of}`, 's for a gigabyte by iperf3, one stream', (bed) => gigabyte(from(bed), host(bed), IPERF + offset, megabytes)));
    tables.push(await table(`Latency, ${of}`, `µs for a byte there and back over TCP, mean of ${count}`, (bed) => probe(from(bed), 'latency', host(bed), String(ECHO + offset), count)));
    tables.push(await table(`Connections, ${of}`, `µs to connect, send a byte and have it back, mean of ${count}, one after the other`, (bed) => probe(from(bed), 'connect', host(bed), String(ECHO + offset), count)));
  }
  tables.push(
    await table("Names of neighbours", `µs for the answer to one question after the other, mean of ${count}, from a container`, (bed) => probe(inProcess(bed.client), 'names', bed.resolver, 'server', count), [
      "Each engine's own resolver: Mooring's at the network's gateway, docker's at 127.0.0.11.",
    ]),
  );
  return tables.map((each) => ({ ...each, notes: [...each.notes, 'Each engine in a network namespace of its own, with a wire to an outside; the same programs inside the containers.'] }));
}
