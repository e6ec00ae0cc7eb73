import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DockerPeer } from '../peers/docker.ts';
import { MooringPeer } from '../peers/mooring.ts';
import { capture, fromRest, timeCommand } from '../process.ts';
import { type Contender, interleave, type Table } from '../topic.ts';

const ROUNDS = 7;
const BASE = 'localhost/bench/base:1';
const BUILT = 'localhost/bench/built:1';

/** Twelve steps as an application's Dockerfile has them: six that write files, six that only say something. */
const DOCKERFILE = `FROM ${BASE}
ARG VERSION=1
ENV APP=/srv/app
WORKDIR /srv/app
COPY package.json ./
RUN mkdir -p node_modules && for i in $(seq 1 200); do echo "module $i" > node_modules/$i.js; done
COPY src/ src/
RUN cat src/* | sha256sum > digest
RUN chmod -R go-w . && rm package.json
LABEL org.example.version=$VERSION
EXPOSE 8080
CMD ["cat", "/srv/app/digest"]
`;
const SOURCES = 300;

/** One Dockerfile over one context, by builders that have the same base image and no network. */
export async function buildsTopic(): Promise<Table[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-builds-'));
  await using mooring = await MooringPeer.start();
  await using docker = await DockerPeer.start();
  try {
    const buildah = ['--root', join(folder, 'buildah/root'), '--runroot', join(folder, 'buildah/run'), '--storage-driver', 'overlay'];
    const base = await makeBase(folder);
    await mooring.mooring('import', base, BASE);
    await docker.docker('import', base, BASE);
    const container = (await capture('buildah', [...buildah, 'from', 'scratch'])).trim();
    await capture('buildah', [...buildah, 'add', '--quiet', container, base, '/']);
    await capture('buildah', [...buildah, 'commit', '--quiet', container, BASE]);
    const context = await makeContext(folder);
    const contenders = (...words: readonly string[]): Contender[] => [
      { name: 'mooring', run: () => fromRest(() => mooring.time('build', '--quiet', '--network', 'none', ...words, '-t', BUILT, context)) },
      { name: 'docker build, by Mooring', run: () => fromRest(() => mooring.timeDocker('build', '--quiet', '--network', 'none', ...words, '-t', BUILT, context)) },
      { name: 'docker', run: () => fromRest(() => docker.time('build', '--quiet', '--network', 'none', ...words, '-t', BUILT, context)) },
      { name: 'buildah', run: () => fromRest(() => timeCommand('buildah', [...buildah, 'bud', '--quiet', '--layers', '--isolation', 'chroot', '--pull-never', ...words, '-t', BUILT, context])) },
    ];
    const cold = await interleave(contenders('--no-cache'), { rounds: ROUNDS, warmup: 1 });
    const cached = await interleave(contenders(), { rounds: ROUNDS, warmup: 1 });
    const notes = [`Twelve steps over a context of ${SOURCES} files. Buildah runs its commands in a chroot, without namespaces. Docker builds with the builder that its daemon has in itself; the same command on Mooring's socket sends its context, too, which \`mooring build\` has read where it is.`];
    return [
      { title: 'Build of twelve steps, nothing cached', figure: 'ms of the build', reference: 'mooring', rows: cold, notes },
      { title: 'Build of twelve steps, all cached', figure: 'ms of the build', reference: 'mooring', rows: cached, notes },
    ];
  } finally {
    // Buildah keeps its overlay folder a mount of its own.
    await capture('umount', [join(folder, 'buildah/root/overlay')]).catch((error: unknown) => {
      if (!/not mounted|no mount point/.test(String(error))) throw error;
    });
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeBase(folder: string): Promise<string> {
  const [rootfs, tar] = [join(folder, 'rootfs'), join(folder, 'base.tar')];
  await mkdir(join(rootfs, 'bin'), { recursive: true });
  for (const name of ['proc', 'sys', 'dev', 'etc', 'tmp']) await mkdir(join(rootfs, name));
  await capture('cp', ['/bin/busybox', join(rootfs, 'bin/busybox')]);
  for (const applet of ['sh', 'cat', 'chmod', 'echo', 'mkdir', 'rm', 'seq', 'sha256sum']) await symlink('busybox', join(rootfs, 'bin', applet));
  await capture('tar', ['-C', rootfs, '-cf', tar, '.']);
  return tar;
}

async function makeContext(folder: string): Promise<string> {
  const context = join(folder, 'context');
  await mkdir(join(context, 'src'), { recursive: true });
  await writeFile(join(context, 'Dockerfile'), DOCKERFILE);
  await writeFile(join(context, 'package.json'), '{"name":"app"}\n');
  for (let index = 0; index < SOURCES; index++) await writeFile(join(context, 'src', `file-${index}.js`), `${index}\n`.repeat(500));
  return context;
}
