import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { onNode, type TestNode } from '../support/daemon.ts';
import { until } from '../support/until.ts';
import { Authority } from './support/certificates.ts';
import { type CommandResult, runDocker } from './support/run-docker.ts';
import { TwoEngines } from './support/two-engines.ts';

const IMAGE = 'mooring.local/busybox:latest';

type Docker = (...args: readonly string[]) => Promise<CommandResult>;

test('what the bearers of tokens may do with the Docker API, on a socket and on TCP', onNode(async (node) => {
  try {
    await scenario(node);
  } finally {
    await TwoEngines.clear(node); // or its containers would run on
  }
}));

async function scenario(node: TestNode): Promise<void> {
  const folder = join(node.root, 'tls');
  await mkdir(folder);
  const authority = await Authority.create(folder, 'authority');
  const [server, client] = [await authority.sign('server', 'IP:127.0.0.1'), await authority.sign('client')];
  await node.start('--docker-tokens', '--docker-addr', 'tcp://127.0.0.1:0', '--tls-ca', authority.file, '--tls-cert', server.cert, '--tls-key', server.key);
  const tcp = /tcp:\/\/127\.0\.0\.1:\d+/.exec(await until('it tells its address', () => /"address".*/.exec(node.log)?.[0]))?.[0] ?? '';
  const socket = `unix://${node.runDir}/docker-token.sock`;
  const tls = ['--tlsverify', '--tlscacert', authority.file, '--tlscert', client.cert, '--tlskey', client.key];

  const whole: Docker = (...args) => runDocker(`unix://${node.runDir}/docker.sock`, args);
  for (const name of ['web-1', 'web-2', 'db']) assert.equal((await whole('run', '-d', '--name', name, '--stop-timeout', '0', IMAGE, 'sh', '-c', `echo I am ${name}; exec sleep 1000`)).code, 0);

  const reader = await tokenOf(node, 'reader', 'read', '*');
  const worker = await tokenOf(node, 'worker', 'read,exec,write', 'web-*');
  const brief = await tokenOf(node, 'brief', 'read', '*', '--expires', '1s');
  const elsewhere = await tokenOf(node, 'elsewhere', 'read', '*', '--namespace', 'shop');
  const bearing = async (name: string, token: string): Promise<Docker[]> => {
    const config = join(node.root, name);
    await mkdir(config);
    await writeFile(join(config, 'config.json'), JSON.stringify({ HttpHeaders: { Authorization: `Bearer ${token}` } }));
    const env = { DOCKER_CONFIG: config };
    return [(...args) => runDocker(socket, args, { env }), (...args) => runDocker(tcp, [...tls, ...args], { env })];
  };

  // The certificate alone, or the socket alone, is not enough.
  for (const result of [await runDocker(socket, ['ps']), await runDocker(tcp, [...tls, 'ps'])]) {
    assert.notEqual(result.code, 0);
    assert.match(result.stderr, /a token is needed/);
  }
  for (const docker of await bearing('nobody', 'mooring_guessed')) assert.match((await docker('ps')).stderr, /this token is not valid/);

  for (const docker of await bearing('reader', reader)) {
    assert.deepEqual(await namesOf(docker), ['db', 'web-1', 'web-2']);
    assert.equal((await docker('logs', 'db')).stdout, 'I am db\n');
    refused(await docker('exec', 'db', 'true'), /token reader may not exec container db: it may read containers \*/);
    refused(await docker('stop', 'db'), /token reader may not write container db/);
    refused(await docker('run', '--rm', '-v', '/:/host', IMAGE, 'true'), /token reader may not POST \/containers\/create/);
    refused(await docker('images'), /token reader may not GET \/images\/json/);
    refused(await docker('events', '--since', '1h', '--until', '1s'), /may not GET \/events/);
  }
  for (const docker of await bearing('worker', worker)) {
    assert.deepEqual(await namesOf(docker), ['web-1', 'web-2']);
    assert.equal((await docker('exec', 'web-1', 'sh', '-c', 'echo in; exit 5')).code, 5);
    assert.deepEqual(await docker('restart', 'web-2'), { code: 0, stdout: 'web-2\n', stderr: '' });
    refused(await docker('logs', 'db'), /token worker may not read container db/);
    refused(await docker('rm', '-f', 'db'), /token worker may not write container db/);
    refused(await docker('update', '--memory', '64m', 'web-1'), /token worker may not POST \/containers\/:id\/update/);
  }
  for (const docker of await bearing('brief', brief)) await until('it has expired', async () => /token brief expired at \d{4}-/.test((await docker('ps')).stderr));
  for (const docker of await bearing('elsewhere', elsewhere)) assert.deepEqual(await namesOf(docker), []);
  assert.equal((await whole('inspect', '-f', '{{.State.Running}}', 'db')).stdout, 'true\n');

  const listed = await node.mooring('token', 'list');
  assert.match(listed.stdout, /^worker +read,exec,write +web-\* +default +\d{4}-\S+ +never$/m);
  assert.match(listed.stdout, /^brief +read +\* +default +\d{4}-\S+ +\d{4}-/m);
  for (const secret of [reader, worker, brief, elsewhere]) {
    assert.ok(!listed.stdout.includes(secret));
    for (const file of ['db.sqlite', 'db.sqlite-wal']) assert.ok(!(await readFile(join(node.dataDir, file))).includes(secret), `${file} has a secret`);
  }
  assert.equal((await stat(socket.slice('unix://'.length))).mode & 0o007, 0);

  // They outlive the daemon; a revoked one allows nothing from then on.
  await node.end('SIGKILL');
  await node.start('--docker-tokens');
  const [again] = await bearing('again', reader);
  assert.ok(again);
  assert.deepEqual(await namesOf(again), ['db', 'web-1', 'web-2']);
  assert.equal((await node.mooring('token', 'revoke', 'reader')).code, 0);
  assert.match((await again('ps')).stderr, /this token is not valid, or was revoked/);
  assert.equal((await node.mooring('token', 'revoke', 'reader')).code, 1);

  // What was there before the daemon is no news to who follows.
  const told = await whole('events', '--since', '1h', '--until', '0s', '--format', '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}');
  assert.equal(told.code, 0, told.stderr);
  assert.doesNotMatch(told.stdout, /create|start/);

  await node.end('SIGKILL');
  await node.start();
  await assert.rejects(stat(socket.slice('unix://'.length)), { code: 'ENOENT' });
}

async function tokenOf(node: TestNode, name: string, verbs: string, containers: string, ...more: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await node.mooring('token', 'create', name, '--verb', verbs, '--container', containers, ...more);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

async function namesOf(docker: Docker): Promise<string[]> {
  const { code, stdout, stderr } = await docker('ps', '-a', '--format', '{{.Names}}');
  assert.equal(code, 0, stderr);
  return stdout.split('\n').filter(Boolean).toSorted();
}

function refused({ code, stderr }: CommandResult, words: RegExp): void {
  assert.notEqual(code, 0);
  assert.match(stderr, words);
}
