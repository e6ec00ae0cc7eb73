import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DockerPeer } from '../peers/docker.ts';
import { MooringPeer } from '../peers/mooring.ts';
import { PodmanPeer } from '../peers/podman.ts';
import { capture, fromRest } from '../process.ts';
import { type Contender, interleave, type Table } from '../topic.ts';

const ROUNDS = 7;
const CHANGED_FILES = 1000;
const COPIED_BYTES = 100 * 10 ** 6;
const LARGE_BYTES = 10 ** 9;
const LARGE_ROUNDS = 3;
const IMAGE_BYTES = 2 ** 30;
/** The image that all three make their containers from. */
const SMALL = 'localhost/bench/small:1';
const LARGE = 'localhost/bench/large:1';

interface Peers {
  readonly mooring: MooringPeer;
  readonly docker: DockerPeer;
  readonly podman: PodmanPeer;
}

/** What a container changed: kept as an image, copied in and out; and what a container of a large image costs. */
export async function changesTopic(): Promise<Table[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-changes-'));
  try {
    await using mooring = await MooringPeer.start();
    await using docker = await DockerPeer.start();
    await using podman = await PodmanPeer.start();
    const peers = { mooring, docker, podman };
    await importImages(peers, folder);
    await makeContainers(peers);
    const source = await writeSources(folder);
    await Promise.all([mooring.mooring('cp', source.tree, 'web:/tree'), docker.docker('cp', source.tree, 'web:/tree'), podman.podman('cp', source.tree, 'web:/tree')]);
    const rounds = { rounds: ROUNDS, warmup: 1 };
    const idle = "Podman's container is made and does not run.";
    const commit = await interleave(commitContenders(peers), rounds);
    const into = await interleave(copyContenders(peers, COPIED_BYTES, () => [source.file, 'web:/file']), rounds);
    const out = await interleave(copyContenders(peers, COPIED_BYTES, (name) => ['web:/file', join(folder, `out-${name}`)]), rounds);
    const few = { rounds: LARGE_ROUNDS, warmup: 1 };
    const largeInto = await interleave(copyContenders(peers, LARGE_BYTES, () => [source.large, 'web:/file']), few);
    const largeOut = await interleave(copyContenders(peers, LARGE_BYTES, (name) => ['web:/file', join(folder, `out-${name}`)]), few);
    const largeCommit = await interleave(commitContenders(peers), few);
    const create = await interleave(createContenders(peers), rounds);
    return [
      { title: `Commit of ${CHANGED_FILES} changed files`, figure: 'ms of the commit', reference: 'mooring', rows: commit, notes: [idle, 'Mooring has the layer packed and unpacked when the command ends, and freezes the container meanwhile, as docker does. Nobody waits for the disk.'] },
      { title: '100 MB into a container', figure: 'ms of the cp', reference: 'mooring', rows: into, notes: [idle] },
      { title: '100 MB out of a container', figure: 'ms of the cp', reference: 'mooring', rows: out, notes: [idle] },
      { title: '1 GB into a container', figure: 'ms of the cp', reference: 'mooring', rows: largeInto, notes: [idle] },
      { title: '1 GB out of a container', figure: 'ms of the cp', reference: 'mooring', rows: largeOut, notes: [idle] },
      { title: 'Commit of 1 GB', figure: 'ms of the commit', reference: 'mooring', rows: largeCommit, notes: [idle, 'Mooring keeps the archive, too, so that a push or save packs nothing.'] },
      { title: 'A container of a 1 GiB image', figure: 'ms until it is made', reference: 'mooring', rows: create, notes: ["`docker create` on Mooring's socket and on dockerd's, `podman create`."] },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function importImages({ mooring, docker, podman }: Peers, folder: string): Promise<void> {
  const rootfs = join(folder, 'rootfs');
  await mkdir(join(rootfs, 'bin'), { recursive: true });
  await capture('cp', ['/bin/busybox', join(rootfs, 'bin/sleep')]);
  for (const [name, size] of [[SMALL, 0], [LARGE, IMAGE_BYTES]] as const) {
    const tar = join(folder, 'rootfs.tar');
    // Bytes that no file system stores as a hole.
    if (size > 0) await capture('dd', ['if=/dev/urandom', `of=${join(rootfs, 'ballast')}`, 'bs=1M', `count=${size / 2 ** 20}`, 'status=none']);
    await capture('tar', ['-C', rootfs, '-cf', tar, '.']);
    await mooring.mooring('import', tar, name);
    await docker.docker('import', tar, name);
    await podman.podman('import', '--quiet', tar, name);
    await rm(tar);
  }
  await rm(rootfs, { recursive: true });
}

async function makeContainers({ mooring, docker, podman }: Peers): Promise<void> {
  await mooring.drop(new Map([['web', document('web', SMALL)]]));
  await running(mooring, 'web');
  await docker.docker('run', '-d', '--name', 'web', '--network', 'none', SMALL, '/bin/sleep', '100000');
  await podman.podman('create', '--name', 'web', SMALL, '/bin/sleep', '100000');
}

async function writeSources(folder: string): Promise<{ readonly tree: string; readonly file: string; readonly large: string }> {
  const [tree, file, large] = [join(folder, 'tree'), join(folder, 'file'), join(folder, 'large')];
  await mkdir(tree);
  for (let index = 0; index < CHANGED_FILES; index++) await writeFile(join(tree, `file-${index}`), randomBytes(4000));
  await writeFile(file, randomBytes(COPIED_BYTES));
  await writeFile(large, randomBytes(LARGE_BYTES));
  return { tree, file, large };
}

function document(name: string, image: string): string {
  return JSON.stringify({ apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata: { name }, spec: { image, command: ['/bin/sleep', '100000'], stopSignal: 'SIGKILL', imagePullPolicy: 'Never' } });
}

async function running(mooring: MooringPeer, name: string): Promise<void> {
  while (!(await mooring.mooring('get', name, '-o', 'json').catch(() => '')).includes('"pid"')) await sleep(5);
}

function commitContenders({ mooring, docker, podman }: Peers): Contender[] {
  const target = 'localhost/bench/committed:1';
  return [
    {
      name: 'mooring',
      run: async () => {
        const elapsed = await fromRest(() => mooring.time('commit', 'web', target));
        await mooring.mooring('image', 'rm', target);
        await mooring.mooring('image', 'prune');
        return elapsed;
      },
    },
    {
      name: 'docker',
      run: async () => {
        const elapsed = await fromRest(() => docker.time('commit', 'web', target));
        await docker.docker('rmi', target);
        return elapsed;
      },
    },
    {
      name: 'podman',
      run: async () => {
        const elapsed = await fromRest(() => podman.time('commit', '--quiet', 'web', target));
        await podman.podman('rmi', target);
        return elapsed;
      },
    },
  ];
}

function copyContenders({ mooring, docker, podman }: Peers, bytes: number, words: (name: string) => readonly [string, string]): Contender[] {
  return [
    { name: 'mooring', run: () => checked(words('mooring'), bytes, () => mooring.time('cp', ...words('mooring'))) },
    { name: 'docker', run: () => checked(words('docker'), bytes, () => docker.time('cp', ...words('docker'))) },
    { name: 'podman', run: () => checked(words('podman'), bytes, () => podman.time('cp', ...words('podman'))) },
  ];
}

/** What was copied out has come whole, and makes room for the next. */
async function checked([, destination]: readonly [string, string], bytes: number, copy: () => Promise<number>): Promise<number> {
  const elapsed = await fromRest(copy);
  if (!destination.startsWith('/')) return elapsed;
  const { size } = await stat(destination);
  if (size !== bytes) throw new Error(`${destination} has ${size} bytes`);
  await rm(destination);
  return elapsed;
}

function createContenders({ mooring, docker, podman }: Peers): Contender[] {
  const made = (name: string, time: (...args: string[]) => Promise<number>, call: (...args: string[]) => Promise<string>, flags: readonly string[]): Contender => ({
    name,
    run: async (round) => {
      const container = `large-${round + 1}`;
      const elapsed = await fromRest(() => time('create', '--name', container, ...flags, LARGE, '/bin/sleep', '1'));
      await call('rm', container);
      return elapsed;
    },
  });
  const alone = ['--network', 'none'];
  return [
    made('mooring', (...args) => mooring.timeDocker(...args), (...args) => mooring.docker(...args), alone),
    made('docker', (...args) => docker.time(...args), (...args) => docker.docker(...args), alone),
    made('podman', (...args) => podman.time(...args), (...args) => podman.podman(...args), []),
  ];
}
