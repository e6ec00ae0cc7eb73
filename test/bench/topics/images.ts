import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRegistry } from '../../support/registry.ts';
import { DockerPeer } from '../peers/docker.ts';
import { MooringPeer } from '../peers/mooring.ts';
import { PodmanPeer } from '../peers/podman.ts';
import { capture, fromRest } from '../process.ts';
import { type Contender, interleave, type Table } from '../topic.ts';

const ROUNDS = 5;
/** Of this machine's Debian, few large files and many small ones: as much as an application's image has, and there without a network. */
const FOLDERS = ['usr/sbin', 'usr/include'];

interface Peers {
  readonly mooring: MooringPeer;
  readonly docker: DockerPeer;
  readonly podman: PodmanPeer;
}

/** Pull and push of an image of Debian's size, from and to a registry on this machine, by all three through the same commands. */
export async function imagesTopic(): Promise<Table[]> {
  await using registry = await startRegistry();
  await using mooring = await MooringPeer.start();
  await using docker = await DockerPeer.start();
  await using podman = await PodmanPeer.start();
  const peers = { mooring, docker, podman };
  const name = `${registry.address}/bench/debian:1`;
  const megabytes = await makeImage(peers, name);
  const rounds = { rounds: ROUNDS, warmup: 1 };
  const notes = [`${megabytes} MB of Debian unpacked, gzip as docker pushes it, from Debian's docker-registry over loopback.`];
  const pull = await interleave(pullContenders(peers, name, true), rounds);
  const again = await interleave(pullContenders(peers, name, false), rounds);
  const push = await interleave(pushContenders(peers, name), rounds);
  return [
    { title: 'Pull and unpack', figure: 'ms of the pull, nothing of the image being there', reference: 'mooring', rows: pull, notes: [...notes, 'Nobody waits for the disk: each run begins after a sync, and its own data is written later. Mooring notes what is not on disk yet, and verifies that after a power failure.'] },
    { title: 'Pull with all layers present', figure: 'ms of the pull', reference: 'mooring', rows: again, notes },
    { title: 'Push', figure: 'ms of the push into an empty registry', reference: 'mooring', rows: push, notes: ['Mooring sends the blobs that it keeps; the others pack and compress the layers again.'] },
  ];
}

/** Has docker push files of Debian, so that nobody's own packing is at an advantage; gives its size unpacked. */
async function makeImage({ docker }: Peers, name: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-image-'));
  try {
    const tar = join(folder, 'debian.tar');
    await capture('tar', ['-C', '/', '--sort=name', '-cf', tar, ...FOLDERS]);
    await docker.docker('import', tar, name);
    await docker.docker('push', name);
    const size = Number(await docker.docker('image', 'inspect', '-f', '{{.Size}}', name));
    await docker.docker('rmi', name);
    return Math.round(size / 1e6);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function pullContenders({ mooring, docker, podman }: Peers, name: string, fresh: boolean): Contender[] {
  return [
    {
      name: 'mooring',
      run: async () => {
        if (fresh && (await mooring.mooring('images', '-o', 'name')).includes(name)) {
          await mooring.mooring('image', 'rm', name);
          await mooring.mooring('image', 'prune');
        }
        return fromRest(() => mooring.time('pull', '-q', name));
      },
    },
    {
      name: 'docker',
      run: async () => {
        if (fresh && (await docker.docker('images', '-q', name)) !== '') await docker.docker('rmi', name);
        return fromRest(() => docker.time('pull', '-q', name));
      },
    },
    {
      name: 'podman',
      run: async () => {
        if (fresh && (await podman.podman('images', '-q', name)) !== '') await podman.podman('rmi', name);
        return fromRest(() => podman.time('pull', '-q', '--tls-verify=false', name));
      },
    },
  ];
}

function pushContenders({ mooring, docker, podman }: Peers, name: string): Contender[] {
  /** Into a registry that has nothing, on a port that none of them knows. */
  const into = async (tag: (target: string) => Promise<unknown>, push: (target: string) => Promise<number>, untag: (target: string) => Promise<unknown>): Promise<number> => {
    await using registry = await startRegistry();
    const target = `${registry.address}/pushed:1`;
    await tag(target);
    const time = await fromRest(() => push(target));
    await untag(target);
    return time;
  };
  return [
    {
      name: 'mooring',
      run: () => into((target) => mooring.mooring('image', 'tag', name, target), (target) => mooring.time('image', 'push', '-q', target), (target) => mooring.mooring('image', 'rm', target)),
    },
    {
      name: 'docker',
      run: () => into((target) => docker.docker('tag', name, target), (target) => docker.time('push', '-q', target), (target) => docker.docker('rmi', target)),
    },
    {
      name: 'podman',
      run: () => into((target) => podman.podman('tag', name, target), (target) => podman.time('push', '-q', '--tls-verify=false', target), (target) => podman.podman('rmi', target)),
    },
  ];
}
