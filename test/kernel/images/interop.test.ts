import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import type { ImageDetails } from '../../../src/engine/images.ts';
import { TestNode } from '../../support/daemon.ts';
import { startRegistry, type TestRegistry, USER } from '../../support/registry.ts';
import { tarArchive } from '../../support/tar-writer.ts';
import { until } from '../../support/until.ts';
import { missing, succeed } from '../oci/command.ts';
import { Dockerd } from '../oci/dockerd.ts';
import { ask, type Engine } from '../oci/engine.ts';
import { Podman } from '../oci/podman.ts';

const folder = (name: string) => ({ name, type: '5', mode: 0o755 });

/** What other tools say of an image: its ID without the algorithm, and its diff IDs. */
interface Seen {
  readonly id: string;
  readonly diffIds: readonly string[];
}

describe('images go to other tools and come from them with the same digests, through a registry with TLS and logins', { skip: missing('dockerd', 'docker', 'runc', 'podman', 'crun', 'skopeo', 'buildah', 'docker-registry', 'zstd') }, () => {
  let root: string;
  let registry: TestRegistry;
  let node: TestNode;
  let dockerd: Dockerd;
  let podmanPlace: Podman;
  let docker: Engine;
  let podman: Engine;
  let rootfs: Buffer;
  /** `TOOL --root … --runroot …` for buildah, which has a storage of its own. */
  let buildah: (...words: readonly string[]) => Promise<string>;

  before(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'mooring-interop-'));
    registry = await startRegistry({ auth: true, tls: true });
    // The daemon finds what "docker login" leaves below.
    process.env['DOCKER_CONFIG'] = path.join(root, 'docker');
    process.env['REGISTRY_AUTH_FILE'] = path.join(root, 'docker/config.json');
    node = await TestNode.create();
    await node.start('--registry-ca', registry.ca);
    [dockerd, podmanPlace] = await Promise.all([Dockerd.start(), Podman.start()]);
    docker = { ...dockerd.peer, env: { ...dockerd.peer.env, DOCKER_CONFIG: path.join(root, 'docker'), DOCKER_BUILDKIT: '0' } };
    podman = { ...podmanPlace.peer, env: process.env };
    const storage = ['--root', path.join(root, 'buildah/root'), '--runroot', path.join(root, 'buildah/run'), '--storage-driver', 'vfs'];
    buildah = (...words) => succeed('buildah', [...storage, ...words]);
    await ask(docker, 'login', '-u', USER.username, '-p', USER.password, registry.address);
    rootfs = tarArchive([...['bin/', 'proc/', 'sys/', 'dev/', 'etc/', 'tmp/'].map(folder), { name: 'bin/busybox', mode: 0o755, content: await readFile('/bin/busybox') }, ...['sh', 'cat', 'sleep'].map((name) => ({ name: `bin/${name}`, type: '2', link: 'busybox' })), { name: 'word', content: 'ahoy' }]);
    await writeFile(path.join(root, 'rootfs.tar'), rootfs);
  });

  after(async () => {
    await node.down();
    await node.destroy();
    await Promise.all([dockerd[Symbol.asyncDispose](), podmanPlace[Symbol.asyncDispose]()]);
    await registry[Symbol.asyncDispose]();
    await rm(root, { recursive: true, force: true });
    delete process.env['DOCKER_CONFIG'];
    delete process.env['REGISTRY_AUTH_FILE'];
  });

  const at = (name: string): string => `${registry.address}/interop/${name}`;

  async function here(...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await node.mooring(...words);
    assert.equal(code, 0, `mooring ${words.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }

  async function seenHere(name: string): Promise<Seen & { readonly manifest: string }> {
    const { id, manifestDigest, layerDigests } = JSON.parse(await here('image', 'inspect', name)) as ImageDetails;
    return { id: id.slice('sha256:'.length), diffIds: layerDigests.map(({ diffId }) => diffId), manifest: manifestDigest };
  }

  async function seenBy(engine: Engine, name: string): Promise<Seen> {
    const [found] = JSON.parse(await ask(engine, 'image', 'inspect', name)) as { Id: string; RootFS: { Layers: string[] } }[];
    assert.ok(found);
    return { id: found.Id.replace('sha256:', ''), diffIds: found.RootFS.Layers };
  }

  const sameImage = ({ id, diffIds }: Seen): Seen => ({ id, diffIds });

  /** Runs it as a container of ours, and reads a file of it through the kernel. */
  async function runsHere(container: string, image: string, file: string, content: string): Promise<void> {
    await node.write(`${container}.yaml`, node.sleeper(container).replace('mooring.local/busybox:latest', image));
    const pid = await node.running(container);
    assert.equal((await readFile(`/proc/${pid}/root/${file}`, 'utf8')).trim(), content);
    await node.remove(`${container}.yaml`);
  }

  test('made here: skopeo, docker and podman pull it by its digest and run it', async () => {
    await here('image', 'import', path.join(root, 'rootfs.tar'), at('ours:1'));
    await here('image', 'push', at('ours:1'));
    const ours = await seenHere(at('ours:1'));
    const byDigest = `${at('ours')}@${ours.manifest}`;
    const config = JSON.parse(await succeed('skopeo', ['inspect', '--tls-verify=false', '--config', `docker://${byDigest}`])) as { rootfs: { diff_ids: string[] } };
    assert.deepEqual(config.rootfs.diff_ids, ours.diffIds);
    for (const [engine, pull] of [[docker, ['pull', byDigest]], [podman, ['pull', '--tls-verify=false', byDigest]]] as const) {
      await ask(engine, ...pull);
      assert.deepEqual(await seenBy(engine, byDigest), sameImage(ours));
      assert.equal(await ask(engine, 'run', '--rm', ...engine.runFlags, byDigest, 'cat', '/word'), 'ahoy');
    }
  });

  test('committed here: docker and podman pull it, and see what was changed and what was deleted', async () => {
    await node.write('changing.yaml', node.container('changing', 'echo changed > /word; busybox mkdir /new; echo new > /new/file; busybox rm /bin/cat; : > /done; exec sleep 100000').replace('mooring.local/busybox:latest', at('ours:1')));
    await node.running('changing');
    await until('it has changed its files', async () => (await node.mooring('cat', 'changing', '/done')).code === 0);
    await here('commit', '-c', 'ENV MADE=here', 'changing', at('committed:1'));
    await here('image', 'push', at('committed:1'));
    const ours = await seenHere(at('committed:1'));
    const say = 'busybox cat /word /new/file; test -e /bin/cat || echo gone; echo $MADE';
    for (const [engine, words] of [[docker, []], [podman, ['--tls-verify=false']]] as const) {
      await ask(engine, 'pull', ...words, at('committed:1'));
      assert.deepEqual(await seenBy(engine, at('committed:1')), sameImage(ours));
      assert.equal(await ask(engine, 'run', '--rm', ...engine.runFlags, '--entrypoint', 'sh', at('committed:1'), '-c', say), 'changed\nnew\ngone\nhere');
    }
    await node.remove('changing.yaml');
  });

  test('committed by docker and podman: pulled here and run', async () => {
    for (const [engine, name, words] of [[docker, 'by-docker', []], [podman, 'by-podman', ['--tls-verify=false']]] as const) {
      await ask(engine, 'pull', ...words, at('ours:1'));
      await ask(engine, 'run', '--name', name, ...engine.runFlags, at('ours:1'), 'sh', '-c', `echo ${name} > /made; busybox rm /word`);
      await ask(engine, 'commit', name, at(`commit-${name}:1`));
      await ask(engine, 'rm', name);
      await ask(engine, 'push', ...words, at(`commit-${name}:1`));
      await here('pull', at(`commit-${name}:1`));
      assert.deepEqual(sameImage(await seenHere(at(`commit-${name}:1`))), await seenBy(engine, at(`commit-${name}:1`)));
      await runsHere(`commit-${name}`, at(`commit-${name}:1`), 'made', name);
    }
  });

  test('made by docker: pulled here by tag and run', async () => {
    const context = path.join(root, 'context');
    await mkdir(context);
    await writeFile(path.join(context, 'Dockerfile'), `FROM ${at('ours:1')}\nRUN echo from docker > /made\nENV A=b\nCMD ["sh"]\n`);
    await ask(docker, 'build', '--network', 'none', '-t', at('docker:1'), context);
    await ask(docker, 'push', at('docker:1'));
    await here('pull', at('docker:1'));
    assert.deepEqual(sameImage(await seenHere(at('docker:1'))), await seenBy(docker, at('docker:1')));
    await runsHere('by-docker', at('docker:1'), 'made', 'from docker');
  });

  test('made by buildah, in both formats: pulled here and run', async () => {
    await writeFile(path.join(root, 'made'), 'from buildah');
    for (const format of ['oci', 'docker']) {
      const container = await buildah('from', 'scratch');
      await buildah('add', container, path.join(root, 'rootfs.tar'), '/');
      await buildah('copy', container, path.join(root, 'made'), '/made');
      await buildah('config', '--cmd', 'sh', container);
      const id = await buildah('commit', '--format', format, container, at(`buildah-${format}:1`));
      await buildah('push', '--tls-verify=false', at(`buildah-${format}:1`));
      await here('pull', at(`buildah-${format}:1`));
      // What buildah pushes may be packed anew; its config, and so the ID, is not.
      assert.equal((await seenHere(at(`buildah-${format}:1`))).id, id);
      await runsHere(`by-buildah-${format}`, at(`buildah-${format}:1`), 'made', 'from buildah');
    }
    await buildah('rm', '--all');
  });

  test('made by podman, its layers packed by zstd: pulled here and run', async () => {
    // Of its own content: a layer that the registry has already would not be sent again.
    const file = path.join(root, 'podman.tar');
    await writeFile(file, tarArchive([{ name: 'made', content: 'from podman' }]).subarray(0, -1024));
    await succeed('sh', ['-c', `cat ${path.join(root, 'rootfs.tar')} >> ${file}`]);
    await ask(podman, 'import', file, at('podman:1'));
    await ask(podman, 'push', '--tls-verify=false', '--compression-format', 'zstd', at('podman:1'));
    await here('pull', at('podman:1'));
    const [layer] = (JSON.parse(await here('image', 'inspect', at('podman:1'))) as ImageDetails).layerDigests;
    assert.match(layer?.mediaType ?? '', /zstd/);
    assert.deepEqual((await seenHere(at('podman:1'))).diffIds, (await seenBy(podman, at('podman:1'))).diffIds);
    await runsHere('by-podman', at('podman:1'), 'made', 'from podman');
  });

  test('saved here: docker and podman load it', async () => {
    const ours = sameImage(await seenHere(at('ours:1')));
    await here('image', 'tag', at('ours:1'), 'example.local/saved:1');
    for (const [format, engines] of [['docker', [docker, podman]], ['oci', [podman]]] as const) {
      const file = path.join(root, `saved-${format}.tar`);
      await here('image', 'save', '--format', format, 'example.local/saved:1', '-f', file);
      for (const engine of engines) {
        const said = await ask(engine, 'load', '-i', file);
        const name = /Loaded image(?:\(s\)| ID)?: (\S+)/.exec(said)?.[1] ?? '';
        assert.deepEqual(await seenBy(engine, name), ours, said);
      }
    }
  });

  test('saved by docker and podman, plain and compressed by zstd: loaded here', async () => {
    for (const [engine, name, words] of [
      [docker, at('docker:1'), ['save', '-o']],
      [podman, at('podman:1'), ['save', '--format', 'docker-archive', '-o']],
      [podman, at('podman:1'), ['save', '--format', 'oci-archive', '-o']],
    ] as const) {
      const file = path.join(root, `theirs-${words.join('')}.tar`);
      await ask(engine, ...words, file, name);
      const theirs = await seenBy(engine, name);
      await succeed('zstd', ['-q', '-f', file, '-o', `${file}.zst`]);
      for (const archive of [file, `${file}.zst`]) {
        const id = /\(sha256:([0-9a-f]+)\)/.exec(await here('image', 'load', archive))?.[1];
        assert.equal(id, theirs.id, archive);
        assert.deepEqual((await seenHere(id ?? '')).diffIds, theirs.diffIds);
      }
    }
    assert.match(await here('image', 'check'), /every digest and reference is right/);
  });
});
