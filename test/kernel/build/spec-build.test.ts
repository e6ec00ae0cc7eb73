import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { onNode, type TestNode } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';

const DOCKERFILE = 'FROM mooring.local/busybox:latest AS base\nARG GREETING=hello\nCOPY word /word\nRUN --network=none echo "$GREETING $(cat /word)" > /said\nFROM base\nCMD ["sh", "-c", "cat /said; exec sleep 1000"]\n';

function document(node: TestNode, build: string): string {
  const [variable, value] = node.mark('app').split('=');
  return ['apiVersion: mooring.dev/v1alpha1', 'kind: Container', 'metadata: {name: app}', 'spec:', '  image: example.local/app:1', `  build: ${build}`, `  env: [{name: ${variable}, value: ${value}}]`, '  stopSignal: SIGKILL', ''].join('\n');
}

const says = (node: TestNode, text: string): Promise<boolean> => until(`it says ${text}`, async () => (await node.mooring('logs', 'app')).stdout === `${text}\n`, 30);

test('a container is built from its document; a changed context rolls it, and a failing build does not', onNode(async (node) => {
  await node.write('app/Dockerfile', DOCKERFILE);
  await node.write('app/word', 'one');
  await node.write('app.yaml', document(node, '{context: app}'));
  await node.start();
  await says(node, 'hello one');
  const first = await node.running('app');

  await writeFile(path.join(node.specs, 'app/word'), 'two');
  await says(node, 'hello two');
  const second = await node.running('app', [first]);

  await writeFile(path.join(node.specs, 'app/Dockerfile'), DOCKERFILE.replace('echo', 'echoo'));
  const failure = await until('the failure is told', async () => (await node.events('app')).find(({ reason, message }) => reason === 'Failed' && message.includes('BuildImage')), 30);
  assert.match(failure.message, /Dockerfile:4:1: RUN --network=none echoo .* ended with status/);
  assert.equal(await node.running('app'), second, 'the last good one runs on');

  await writeFile(path.join(node.specs, 'app/Dockerfile'), DOCKERFILE.replace('hello', 'hi'));
  await says(node, 'hi two');
  const third = await node.running('app', [second]);

  // A change that makes no other image changes nothing.
  const built = async (): Promise<number> => (await node.events('app')).filter(({ reason }) => reason === 'Built').reduce((sum, { count }) => sum + count, 0);
  const before = await built();
  await writeFile(path.join(node.specs, 'app/.dockerignore'), 'ignored\n.dockerignore\n');
  await until('it was built again', async () => (await built()) > before, 30);
  assert.equal(await node.running('app'), third);

  await node.write('app.yaml', document(node, '{context: app, args: [{name: GREETING, value: good day}]}'));
  await says(node, 'good day two');
  const earlier = await built();
  await node.end();
  const running = await node.running('app');
  await node.start();
  await until('the new daemon has built it', async () => (await built()) > earlier, 30);
  assert.equal((await node.get('app')).status.phase, 'Running');
  assert.equal(await node.running('app'), running, 'a restarted daemon builds it from the cache, and lets it run');
}));
