import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { MOORING, onNode, type TestNode } from '../../support/daemon.ts';
import { processesMentioning } from '../../support/kernel.ts';
import { pseudoRandom } from '../../support/pseudo-random.ts';
import { freePort } from '../../support/registry.ts';
import { until } from '../../support/until.ts';

const run = promisify(execFile);
const BASE = 'mooring.local/busybox:latest';

async function contextOf(node: TestNode, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(path.join(node.root, 'context-'));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
  return folder;
}

/** Runs the command with these bytes on its standard input. */
async function withInput(node: TestNode, input: Buffer | string, ...args: readonly string[]): Promise<{ readonly code: number | null; readonly stdout: Buffer; readonly stderr: string }> {
  const child = spawn(MOORING, args, { env: { PATH: process.env['PATH'], MOORING_HOST: `unix://${node.runDir}/mooring.sock` } });
  const out: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (piece: Buffer) => out.push(piece));
  child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()));
  child.stdin.on('error', () => {}); // it may have enough before the end
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: Buffer.concat(out), stderr };
}

test('the command builds from a folder, an archive, a Dockerfile alone and a repository, and shows how', onNode(async (node) => {
  await node.start();
  const context = await contextOf(node, { Dockerfile: `FROM ${BASE}\nARG WHAT\nCOPY a /a\nRUN --mount=type=secret,id=word cat /a /run/secrets/word && echo $WHAT\nCMD ["cat", "/a"]\n`, a: 'content\n', word: 'secret\n', 'other/Dockerfile': `FROM ${BASE}\nCOPY a /b\n`, 'other/Dockerfile.dockerignore': 'a\n' });
  const iid = path.join(node.root, 'iid');
  const built = await node.mooring('build', '-t', 'example.local/a:1', '-t', 'example.local/a:2', '--network', 'none', '--build-arg', 'WHAT=argument', '--secret', `id=word,src=${context}/word`, '--label', 'l=v', '--iidfile', iid, context);
  assert.equal(built.code, 0, built.stderr);
  for (const wanted of [/^#\d+ \[0\] COPY a \/a$/m, /^#\d+ content$/m, /^#\d+ secret$/m, /^#\d+ argument$/m, /^#\d+ DONE \d+\.\ds$/m, /built example\.local\/a:1, example\.local\/a:2 \(sha256:[0-9a-f]{64}\)$/m]) assert.match(built.stdout, wanted);
  const inspected = JSON.parse((await node.mooring('image', 'inspect', 'example.local/a:2')).stdout) as { id: string; config: { config: { Labels: object } } };
  assert.deepEqual([inspected.id, inspected.config.config.Labels], [await readFile(iid, 'utf8'), { l: 'v' }]);

  const quiet = await node.mooring('build', '-q', '--network', 'none', '-t', 'example.local/a:1', '--build-arg', 'WHAT=argument', '--label', 'l=v', '--secret', `id=word,src=${context}/word`, context);
  assert.equal(quiet.stdout, `${inspected.id}\n`);

  const ignored = await node.mooring('build', '-f', path.join(context, 'other/Dockerfile'), context);
  assert.equal(ignored.code, 1);
  assert.match(ignored.stderr, /^mooring: Dockerfile:2:1: "a" does not exist$/m);

  const { stdout: archive } = await run('tar', ['-C', context, '-cz', '.'], { encoding: 'buffer' });
  const fromArchive = await withInput(node, archive, 'build', '-q', '--network', 'none', '--build-arg', 'WHAT=argument', '--label', 'l=v', '--secret', `id=word,src=${context}/word`, '-');
  assert.equal(fromArchive.stdout.toString(), `${inspected.id}\n`, fromArchive.stderr);

  const alone = await withInput(node, `FROM ${BASE}\nRUN mkdir /made\n`, 'build', '--network', 'none', '-o', '-', '-');
  assert.equal(alone.code, 0, alone.stderr);
  await writeFile(path.join(node.root, 'rootfs.tar'), alone.stdout);
  assert.match((await run('tar', ['-tf', path.join(node.root, 'rootfs.tar')])).stdout, /^made\/$/m);

  await using repository = await gitServer(node, { 'sub/Dockerfile': `FROM ${BASE}\nCOPY . /files\nRUN ls -A /files\n`, 'sub/a': 'a', outside: 'b' });
  const fromGit = await node.mooring('build', '--network', 'none', `${repository.address}#main:sub`);
  assert.match(fromGit.stdout, /^#\d+ Dockerfile\n#\d+ a\n#\d+ DONE/m, fromGit.stderr);
  const added = await withInput(node, `FROM ${BASE}\nADD --keep-git-dir ${repository.address} /repo/\nADD ${repository.address}#main:sub /sub/\nRUN ls -A /repo /sub\n`, 'build', '--network', 'none', '-');
  assert.match(added.stdout.toString(), /\/repo:\n#\d+ \.git\n#\d+ outside\n#\d+ sub\n#\d+ \n#\d+ \/sub:\n#\d+ Dockerfile\n#\d+ a/, added.stderr);
}));

test('a build ends with its client and with the daemon, and nothing of it is left', onNode(async (node) => {
  await node.start();
  const context = await contextOf(node, { Dockerfile: `FROM ${BASE}\nRUN echo begun && exec sleep 1000\n` });
  const begin = async () => {
    const client = spawn(MOORING, ['build', '--network', 'none', context], { env: { PATH: process.env['PATH'], MOORING_HOST: `unix://${node.runDir}/mooring.sock` } });
    let shown = '';
    for await (const piece of client.stdout as AsyncIterable<Buffer>) if ((shown += piece.toString()).includes('#2 begun')) break;
    return client;
  };
  const left = async (): Promise<string[]> => [...(await readdir(path.join(node.dataDir, 'containers'))), ...(await readdir(path.join(node.runDir, 'containers'))), ...(await processesMentioning(path.join(node.dataDir, 'containers')))];
  (await begin()).kill('SIGKILL');
  await until('the run is gone', async () => (await left()).length === 0);

  const client = await begin();
  assert.equal(await node.end(), 0);
  assert.deepEqual(await left(), [], 'the daemon waits for the end of its builds');
  if (client.exitCode === null) await once(client, 'exit');
  assert.notEqual(client.exitCode, 0);
  await node.start();
}));

test('killed at any instant, the daemon leaves a whole store, and the build that is tried again ends', onNode(async (node) => {
  await node.start();
  const files = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`files/${index}`, String(index).repeat(500)]));
  const context = await contextOf(node, { ...files, Dockerfile: '' });
  const random = pseudoRandom(20261121);
  const end = Date.now() + 20_000;
  for (let round = 0; Date.now() < end; round++) {
    await writeFile(path.join(context, 'Dockerfile'), `FROM ${BASE} AS a\nCOPY files /f\nRUN echo ${round} > /r && cp -r /f /g\nFROM ${BASE}\nRUN echo ${round} > /s && sleep 0.05\nCOPY --from=a /g /g\n`);
    const build = node.mooring('build', '-q', '--network', 'none', '-t', 'example.local/k:1', context);
    await sleep(random.below(400));
    await node.end('SIGKILL');
    await build;
    await node.start();
    const again = await node.mooring('build', '-q', '--network', 'none', '-t', 'example.local/k:1', context);
    assert.equal(again.code, 0, `round ${round}: ${again.stderr}`);
    const check = await node.mooring('image', 'check');
    assert.equal(check.code, 0, `round ${round}: ${check.stdout}`);
    assert.deepEqual([await readdir(path.join(node.dataDir, 'containers')), await readdir(path.join(node.dataDir, 'tmp'))], [[], []], `round ${round}`);
  }
  await rm(context, { recursive: true });
}));

async function gitServer(node: TestNode, files: Readonly<Record<string, string>>): Promise<AsyncDisposable & { readonly address: string }> {
  const root = path.join(node.root, 'git');
  const work = await contextOf(node, files);
  const git = (...args: readonly string[]): Promise<unknown> => run('git', ['-C', work, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args]);
  await git('init', '-q', '-b', 'main');
  await git('add', '.');
  await git('commit', '-q', '-m', 'one');
  await run('git', ['clone', '-q', '--bare', work, path.join(root, 'repo.git')]);
  const port = await freePort();
  const server = spawn('git', ['daemon', '--reuseaddr', '--export-all', '--listen=127.0.0.1', `--port=${port}`, `--base-path=${root}`, root], { stdio: 'ignore', detached: true });
  const address = `git://127.0.0.1:${port}/repo.git`;
  await until('the repository is served', () => run('git', ['ls-remote', address]));
  return {
    address,
    async [Symbol.asyncDispose]() {
      if (server.pid !== undefined) process.kill(-server.pid, 'SIGKILL');
      await once(server, 'close');
    },
  };
}
