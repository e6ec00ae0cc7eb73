import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { type CommandResult, MOORING, runMooring, TestNode } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';
import { missing } from '../oci/command.ts';
import { Dockerd } from '../oci/dockerd.ts';

const run = promisify(execFile);
const IMAGE = 'mooring.local/busybox:latest';

/** The two that are compared: each has a container "web" of the same image, in which the same was done. */
interface Side {
  readonly name: string;
  call(...args: readonly string[]): Promise<CommandResult>;
}

/** What a tree holds: a line for each name, without the dates of folders and links, which copying gives them anew. */
async function listing(folder: string): Promise<string> {
  const { stdout } = await run('bash', ['-c', `find . -mindepth 1 \\( -type d -o -type l -printf '%p %y %m %U:%G %l\\n' -o -printf '%p %y %m %U:%G %Ts %s\\n' \\) ; find . -mindepth 1 -type d -printf '%p %y %m %U:%G\\n'`], { cwd: folder });
  return stdout.split('\n').sort().join('\n');
}

describe('beside docker', { skip: missing('dockerd', 'docker', 'runc') }, () => {
  let docker: Dockerd;
  let node: TestNode;
  let sides: readonly [Side, Side];
  const dockerCall = async (...args: readonly string[]): Promise<CommandResult> => {
    try {
      return { code: 0, ...(await run('docker', [...args], { env: docker.ours.env, maxBuffer: 64 * 2 ** 20 })) };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, stdout, stderr };
    }
  };
  const both = async (theirs: readonly string[], ours: readonly string[]): Promise<void> => {
    for (const [side, args] of [[sides[0], theirs], [sides[1], ours]] as const) {
      const { code, stderr } = await side.call(...args);
      assert.equal(code, 0, `${side.name} ${args.join(' ')}: ${stderr}`);
    }
  };
  const inBoth = async (script: string): Promise<void> => {
    await both(['exec', 'web', 'sh', '-c', script], ['version']);
    await run('nsenter', ['--target', String(await node.running('web')), '--mount', '--pid', '--', 'sh', '-c', script]);
  };

  before(async () => {
    [docker, node] = await Promise.all([Dockerd.start(), TestNode.create()]);
    sides = [{ name: 'docker', call: dockerCall }, { name: 'mooring', call: (...args) => runMooring(args, { MOORING_HOST: `unix://${node.runDir}/mooring.sock` }) }];
    await node.write('web.yaml', node.sleeper('web'));
    await node.start();
    await node.running('web');
    const archive = join(node.root, 'busybox.tar');
    assert.equal((await node.mooring('image', 'save', IMAGE, '-f', archive)).code, 0);
    await both(['load', '-i', archive], ['version']);
    await both(['run', '-d', '--name', 'web', '--network', 'none', '--runtime', 'runc', IMAGE, 'sleep', '100000'], ['version']);
  });
  // Whatever goes wrong with one, the other is ended, too: a daemon that is left would keep this process from ending.
  after(async () => {
    await using ending = new AsyncDisposableStack();
    ending.defer(() => docker[Symbol.asyncDispose]());
    ending.defer(() => node.destroy());
    await node.down();
  });

  test('diff says the same, letter by letter', async () => {
    await inBoth('true');
    for (const side of sides) assert.equal((await side.call('diff', 'web')).stdout, '', side.name);
    await inBoth(`echo x > /etc/new; echo y >> /etc/passwd; rm /bin/vi; rm -r /home; mkdir /home; touch /home/in; mkdir -p /a/b/c; ln -s nowhere /a/link; ln /etc/new /a/hard
      chmod 700 /var; chown 1:1 /etc/group; mkfifo /a/pipe; touch /tmp/f; rm /tmp/f; mkdir /d; rmdir /d; mv /linuxrc /rc; touch -d '2001-01-01 00:00:00' /usr; rm -r /usr/bin; mkdir /usr/bin; touch /usr/bin/z; : >> /etc/hosts; touch -d '2001-01-01 00:00:00' /etc/nsswitch.conf`);
    const [theirs, ours] = await Promise.all(sides.map(async (side) => (await side.call('diff', 'web')).stdout.split('\n').filter(Boolean).sort()));
    assert.deepEqual(ours, theirs);
    assert.ok(ours?.includes('D /bin/vi') && ours.includes('A /a/b/c') && ours.includes('C /etc/passwd'));
    const json = JSON.parse((await node.mooring('diff', 'web', '-o', 'json')).stdout) as { kind: string; path: string }[];
    assert.deepEqual(json.map(({ kind, path }) => `${kind} ${path}`).sort(), theirs);
  });

  /** Copies as both would, each into a folder of its own, and gives what came of it. */
  async function copies(source: string, destination: string, prepare: (place: string) => Promise<void>, ...flags: string[]): Promise<readonly string[]> {
    return Promise.all(
      sides.map(async (side) => {
        const place = join(node.root, `copy-${side.name}`);
        await rm(place, { recursive: true, force: true });
        await mkdir(place);
        await prepare(place);
        const { code } = await side.call('cp', ...flags, source.replace('HERE', place), destination.replace('HERE', place));
        return `${code === 0 ? 'copied' : 'refused'}\n${await listing(place)}`;
      }),
    );
  }

  test('cp out of a container follows the same rules', async () => {
    await inBoth(`mkdir -p /src/dir/sub; echo one > /src/dir/one; echo two > /src/dir/sub/two; echo f > /src/file; chmod 750 /src/dir/sub; ln -s dir /src/link; ln -s file /src/filelink; ln -s /etc/passwd /src/abs
      touch -d '2020-02-02 00:00:00' /src/file /src/dir/one /src/dir/sub/two; ln /src/dir/one /src/dir/hard`);
    const empty = () => Promise.resolve();
    const withDir = (place: string) => mkdir(join(place, 'there')).then(() => undefined);
    const withFile = (place: string) => writeFile(join(place, 'there'), 'old');
    const withLink = async (place: string): Promise<void> => {
      await mkdir(join(place, 'real'));
      await symlink('real', join(place, 'there'));
    };
    const things = ['/src/file', '/src/dir', '/src/dir/.'];
    const cases: readonly (readonly [there: string, prepare: (place: string) => Promise<void>, sources: readonly string[], destinations: readonly string[]])[] = [
      ['nothing', empty, things, ['HERE/there', 'HERE/there/', 'HERE/missing/name']],
      ['a folder', withDir, [...things, '/src/link', '/src/link/', '/src/abs', '/src/nothing', '/src/file/'], ['HERE/there']],
      ['a file', withFile, things, ['HERE/there']],
      ['a link to a folder', withLink, ['/src/file', '/src/dir'], ['HERE/there']],
    ];
    for (const [there, prepare, sources, destinations] of cases) {
      for (const [source, destination] of sources.flatMap((from) => destinations.map((to) => [from, to] as const))) {
        const [theirs, ours] = await copies(`web:${source}`, destination, prepare);
        assert.equal(ours, theirs, `cp web:${source} ${destination}, where ${there} is`);
      }
    }
    for (const source of ['/src/link', '/src/filelink']) {
      const [theirs, ours] = await copies(`web:${source}`, 'HERE/there', empty, '-L');
      assert.equal(ours, theirs, `cp -L web:${source}`);
    }
  });

  /** What is at a path of both containers: names, kinds, modes, sizes and where links lead. */
  async function archives(path: string): Promise<readonly string[]> {
    return Promise.all(
      sides.map(async (_, index) => {
        const file = join(node.root, `archive-${index}.tar`);
        const command = index === 0 ? ['docker', 'cp', `web:${path}`, '-'] : [MOORING, '-H', `unix://${node.runDir}/mooring.sock`, 'cp', `web:${path}`, '-'];
        await run('bash', ['-c', `"$@" > ${file}`, 'bash', ...command], { env: docker.ours.env });
        const { stdout } = await run('tar', ['-tvf', file, '--numeric-owner']);
        return stdout.replaceAll(/ \d{4}-\d\d-\d\d \d\d:\d\d /g, ' ').split('\n').sort().join('\n');
      }),
    );
  }

  test('cp into a container follows the same rules', async () => {
    const source = join(node.root, 'in');
    await mkdir(join(source, 'dir/sub'), { recursive: true });
    await writeFile(join(source, 'file'), 'content');
    await writeFile(join(source, 'dir/one'), 'one');
    await run('bash', ['-c', 'chown 1000:1001 dir/one; chmod 750 dir/one; chmod 700 dir/sub; ln -s dir link; ln dir/one dir/sub/hard; mkfifo dir/pipe; ln -s /etc/passwd dir/out'], { cwd: source });
    const cases: readonly (readonly [string, string])[] = [
      ['file', '/to/new'], ['file', '/to/new/'], ['file', '/to/folder'], ['file', '/to/missing/name'], ['file', '/to/link'], ['file', '/to/filelink'],
      ['dir', '/to/new'], ['dir', '/to/folder'], ['dir', '/to/old'], ['dir/.', '/to/new'], ['dir/.', '/to/folder'], ['link', '/to/folder'], ['link/', '/to/new'],
    ];
    const cp = async (flags: readonly string[], from: string, to: string): Promise<void> => {
      await inBoth('rm -rf /to; mkdir -p /to/folder /to/other; echo old > /to/old; ln -s other /to/link; ln -s old /to/filelink');
      const codes = await Promise.all(sides.map(async (side) => (await side.call('cp', ...flags, `${source}/${from}`, `web:${to}`)).code === 0));
      assert.equal(codes[1], codes[0], `cp ${flags.join(' ')} ${from} ${to} is accepted`);
    };
    for (const [from, to] of cases) {
      await cp(['-a'], from, to);
      const [theirs, ours] = await archives('/to');
      assert.equal(ours, theirs, `cp -a ${from} web:${to}`);
    }
    await cp(['-L'], 'link', '/to/new');
    const [theirs, ours] = await archives('/to/new');
    assert.equal(ours?.replaceAll(/\d+\/\d+ +/g, ''), theirs?.replaceAll(/\d+\/\d+ +/g, ''));
    // Without -a everything is root's, as Docker's documentation has it.
    assert.doesNotMatch(ours ?? '', /1000\/1001/);
  });

  test('commit makes the same image of the same container, which each of both runs', async () => {
    const changes = ['ENTRYPOINT []', 'CMD ["cat","/committed"]', 'ENV LEVEL=debug MORE="a b"', 'EXPOSE 80 53/udp', 'LABEL k=v', 'WORKDIR /srv', 'USER 7:8', 'VOLUME /v', 'ONBUILD RUN true'].flatMap((change) => ['-c', change]);
    await inBoth('echo kept > /committed; chmod 640 /committed; chown 7:8 /committed; rm -f /bin/ed');
    await both(['commit', ...changes, '-m', 'word', '-a', 'me', 'web', 'example/docker:1'], ['commit', ...changes, '-m', 'word', '-a', 'me', 'web', 'example/mooring:1']);
    const saved = { docker: join(node.root, 'docker.tar'), mooring: join(node.root, 'mooring.tar') };
    await both(['save', '-o', saved.docker, 'example/docker:1'], ['image', 'save', 'example/mooring:1', '-f', saved.mooring]);
    await both(['load', '-i', saved.mooring], ['image', 'load', saved.docker]);

    const inDocker = async (image: string) => (JSON.parse((await dockerCall('image', 'inspect', image)).stdout) as [{ Id: string; Author: string; Comment: string; Config: Record<string, unknown>; RootFS: { Layers: string[] } }])[0];
    const here = async (image: string) => JSON.parse((await node.mooring('image', 'inspect', image)).stdout) as { id: string; layerDigests: { diffId: string }[]; config: { config: Record<string, unknown> } };
    for (const name of ['example/docker:1', 'example/mooring:1']) {
      const [theirs, ours] = [await inDocker(name), await here(name)];
      assert.equal(ours.id, theirs.Id, `${name}: the config's digest`);
      assert.deepEqual(ours.layerDigests.map(({ diffId }) => diffId), theirs.RootFS.Layers, `${name}: diff IDs`);
    }
    const [theirs, ours] = [await inDocker('example/docker:1'), await inDocker('example/mooring:1')];
    const said = ['Cmd', 'ExposedPorts', 'Labels', 'WorkingDir', 'User', 'Volumes', 'OnBuild'];
    assert.deepEqual(said.map((field) => ours.Config[field]), said.map((field) => theirs.Config[field]));
    const variables = (config: Record<string, unknown>): string[] => (config['Env'] as string[]).filter((variable) => !variable.startsWith('MOORING_TEST=')).sort();
    assert.deepEqual(variables(ours.Config), variables(theirs.Config));
    assert.deepEqual([ours.Author, ours.Comment], [theirs.Author, theirs.Comment]);

    // Each runs what the other made.
    assert.equal((await dockerCall('run', '--rm', '--network', 'none', '--runtime', 'runc', 'example/mooring:1')).stdout, 'kept\n');
    await node.write('other.yaml', ['apiVersion: mooring.dev/v1alpha1', 'kind: Container', 'metadata: {name: other}', 'spec: {image: example/docker:1, restartPolicy: Never}', ''].join('\n'));
    await until('it has ended', async () => (await node.mooring('logs', 'other')).stdout === 'kept\n');
    assert.equal((await dockerCall('run', '--rm', '--network', 'none', '--runtime', 'runc', 'example/mooring:1', 'ls', '/bin/ed')).code, 1, 'what was deleted stays so');
  });
});
