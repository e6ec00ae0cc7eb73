import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { onNode, type TestNode } from '../support/daemon.ts';
import { PATIENCE } from '../support/patience.ts';
import { runDocker } from './support/run-docker.ts';
import { TwoEngines } from './support/two-engines.ts';

const IMAGE = 'mooring.local/busybox:latest';
/** A developer's project, with its own dependencies; `scripts/setup.sh test` installs them. */
const PROJECT = join(import.meta.dirname, 'clients');

test('dockerode from npm: create, logs, exec, wait, stop, run', onNode((node) => session(node, 'dockerode.js', [join(node.runDir, 'docker.sock'), IMAGE], {
  ping: 'OK',
  listed: [['/rode', 'running']],
  running: true,
  log: 'begun\n',
  exec: ['typed in', 'err\n', 3],
  waited: 137,
  gone: 404,
  run: ['in one go\n', 4],
})));

test('testcontainers from npm: start, wait for a port and a line of the log, exec, restart, stop', onNode((node) => session(node, 'testcontainers.js', [IMAGE], {
  page: 'hello from inside\n',
  exec: ['moin\ncopied in\n', 3],
  again: 200,
  id: 64,
})));

/** Runs a session against a daemon, which has nothing afterwards. */
async function session(node: TestNode, script: string, args: readonly string[], wanted: object): Promise<void> {
  await node.start();
  const host = `unix://${node.runDir}/docker.sock`;
  try {
    // Its reaper is an image of a registry.
    const env = { PATH: process.env['PATH'], HOME: node.root, DOCKER_HOST: host, TESTCONTAINERS_RYUK_DISABLED: 'true' };
    const { stdout } = await promisify(execFile)(process.execPath, [join(PROJECT, script), ...args], { env, timeout: 120_000 * PATIENCE });
    assert.deepEqual(JSON.parse(stdout), wanted);
    assert.equal((await runDocker(host, ['ps', '-aq'])).stdout, '');
  } finally {
    await TwoEngines.clear(node); // or its containers would run on
  }
}
