import assert from 'node:assert/strict';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { onNode } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';

const EXAMPLE = path.resolve(import.meta.dirname, '../../../examples/redis');

test("the founders' Dockerfile, with Debian as its base: redis is installed, built from its document, and answers another container", onNode(async (node) => {
  // The base first, with what apt needs on this node: its sources and settings.
  const base = path.join(node.root, 'base');
  await mkdir(base);
  await cp('/etc/apt', path.join(base, 'apt'), { recursive: true });
  await writeFile(path.join(base, 'Dockerfile'), 'FROM mooring.local/debian:bookworm\nCOPY apt /etc/apt\n');
  await node.start();
  const bootstrap = await node.mooring('image', 'bootstrap', 'debian', '--suite', 'bookworm', '--include', 'ca-certificates');
  assert.equal(bootstrap.code, 0, bootstrap.stderr);
  const based = await node.mooring('build', '-q', '-t', 'debian', base);
  assert.equal(based.code, 0, based.stderr);

  await cp(EXAMPLE, path.join(node.specs, 'redis'), { recursive: true });
  const address = await until('redis runs', async () => {
    const { status } = await node.get('redis');
    return status.phase === 'Running' && status.addresses?.[0];
  }, 300);
  const events = (await node.events()).map(({ reason }) => reason);
  assert.ok(events.includes('Built'), events.join());
  const inspected = JSON.parse((await node.mooring('image', 'inspect', 'mooring.local/redis:latest')).stdout) as { config: { config: Record<string, unknown> } };
  assert.deepEqual([inspected.config.config['ExposedPorts'], inspected.config.config['Entrypoint']], [{ '6379/tcp': {} }, ['/usr/bin/redis-server', '--protected-mode', 'no']]);

  const [variable, value] = node.mark('client').split('=');
  await node.write('client.yaml', ['apiVersion: mooring.dev/v1alpha1', 'kind: Container', 'metadata: {name: client}', 'spec:', '  image: mooring.local/redis:latest', '  command: [sh, -c, "redis-cli -h $0 ping; exec sleep 1000", "' + address + '"]', `  env: [{name: ${variable}, value: ${value}}]`, '  network: {mode: Bridge}', '  stopSignal: SIGKILL', ''].join('\n'));
  await until('the other container is answered', async () => (await node.mooring('logs', 'client')).stdout.trim() === 'PONG', 60);
}));
