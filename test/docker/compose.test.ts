import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { TestNode } from '../support/daemon.ts';
import { until } from '../support/until.ts';
import { type CommandResult, runDocker } from './support/run-docker.ts';
import { messageOf } from '../../src/lib/errors.ts';

const FILE = `
version: "2.4"
services:
  db:
    image: mooring.local/busybox:latest
    command: sh -c 'echo db is up; while :; do sleep 0.1; done'
    stop_grace_period: 1s
    volumes: [data:/data]
    networks: [front]
  web:
    image: mooring.local/busybox:latest
    command: sh -c 'echo web finds $$(nslookup db >/dev/null && echo db); trap "exit 0" TERM; while :; do sleep 0.1; done'
    environment: ["COLOUR=\${COLOUR:-blue}"]
    depends_on: [db]
    networks: [front]
    labels: {tier: web}
volumes: {data: {}}
networks: {front: {}}
`;

test('docker-compose 1.29: up, scale, logs, exec, recreation on change, down', async () => {
  const node = await TestNode.create();
  const folder = await mkdtemp(join(tmpdir(), 'mooring-compose-'));
  const host = `unix://${node.runDir}/docker.sock`;
  const compose = (env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<CommandResult> =>
    runDocker(host, ['--ansi', 'never', '-p', 'Proj', '-f', join(folder, 'docker-compose.yml'), ...args], { command: 'docker-compose', env: { COMPOSE_HTTP_TIMEOUT: '60', ...env } });
  const ok = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await compose({}, ...args);
    assert.equal(code, 0, `compose ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout + stderr;
  };
  const names = async (): Promise<string[]> => (await runDocker(host, ['ps', '--format', '{{.Names}}'])).stdout.split('\n').filter(Boolean).toSorted();
  try {
    await writeFile(join(folder, 'docker-compose.yml'), FILE);
    await node.start();
    await ok('up', '-d');
    assert.deepEqual(await names(), ['proj_db_1', 'proj_web_1']);
    const id = await ok('ps', '-q', 'web');
    await ok('up', '-d');
    assert.equal(await ok('ps', '-q', 'web'), id, 'what is as wanted stays');
    await until('both have told', async () => /web_1\s+\| web finds db/.test(await ok('logs', 'web')));
    assert.match(await ok('logs', '--tail', '1', 'db'), /db_1\s+\| db is up/);
    assert.equal(await ok('exec', '-T', 'web', 'sh', '-c', 'echo $COLOUR'), 'blue\n');
    assert.match(await ok('ps'), /proj_web_1\s.*\sUp\b/);
    assert.match(await ok('top'), /db is up/);

    await ok('up', '-d', '--scale', 'web=3');
    assert.deepEqual(await names(), ['proj_db_1', 'proj_web_1', 'proj_web_2', 'proj_web_3']);
    await ok('up', '-d', '--scale', 'web=1');
    assert.deepEqual(await names(), ['proj_db_1', 'proj_web_1']);

    await ok('exec', '-T', 'db', 'touch', '/data/kept');
    const changed = await compose({ COLOUR: 'red' }, 'up', '-d');
    assert.equal(changed.code, 0, changed.stderr);
    assert.match(changed.stderr, /Recreating proj_web_1/);
    assert.equal(await ok('exec', '-T', 'web', 'sh', '-c', 'echo $COLOUR'), 'red\n');

    await ok('restart', '-t', '1');
    await ok('pause');
    assert.match(await ok('ps'), /Paused/);
    await ok('unpause');
    await ok('stop', '-t', '1');
    assert.deepEqual(await names(), []);
    await ok('start');
    assert.equal(await ok('exec', '-T', 'db', 'ls', '/data'), 'kept\n');
    await ok('kill');
    await ok('rm', '-f', 'web');
    assert.deepEqual((await runDocker(host, ['ps', '-a', '--format', '{{.Names}}'])).stdout, 'proj_db_1\n');
    await ok('down', '-v');
    assert.deepEqual((await runDocker(host, ['ps', '-aq'])).stdout, '');
    assert.equal((await runDocker(host, ['volume', 'ls', '-q'])).stdout, '');
    assert.equal((await runDocker(host, ['network', 'ls', '-q', '--filter', 'type=custom'])).stdout, '');
    await node.down();
  } catch (error) {
    const ids = (await runDocker(host, ['ps', '-aq'])).stdout.split('\n').filter(Boolean);
    if (ids.length > 0) await runDocker(host, ['rm', '-fv', ...ids]);
    throw new Error(`${messageOf(error)}\nthe daemon's log:\n${node.log}`, { cause: error });
  } finally {
    await node.destroy();
    await rm(folder, { recursive: true });
  }
});
