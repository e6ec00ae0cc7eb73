import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { openStore } from './store-support.ts';

/** The node's own release, which its apt knows. */
const suite = /^VERSION_CODENAME=(.*)$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
const run = promisify(execFile);

/** The smallest that apt resolves by itself: unpacked, not configured. */
const SMALL = { suite, variant: 'extract', include: ['base-files'], sourceDateEpoch: 1_700_000_000 };

test('Debian is bootstrapped from packages, with nothing in it that is younger than the date to be reproducible by', async () => {
  await using store = await openStore();
  const lines: string[] = [];
  const first = await store.engine.bootstrap('example.local/debian:1', SMALL, (line) => lines.push(line));
  assert.ok(lines.some((line) => line.startsWith('I: ')), 'its progress is told');
  const [layer] = (await store.engine.inspect('example.local/debian:1')).layerDigests;
  assert.ok(layer);
  const root = path.join(store.dataDir.layers, layer.chainId.slice('sha256:'.length));
  assert.ok((await readdir(path.join(root, 'etc'))).includes('debian_version'));
  assert.equal(first.created, '2023-11-14T22:13:20.000Z');
  const count = async (...conditions: readonly string[]): Promise<number> => (await run('find', [root, '-mindepth', '1', ...conditions, '-printf', '.'])).stdout.length;
  assert.ok((await count()) > 10);
  assert.equal(await count('-newermt', `@${SMALL.sourceDateEpoch}`), 0);
  assert.deepEqual(await store.engine.check(), []);
});

test('what bootstrapping can not do is told in words, and leaves nothing', async () => {
  await using store = await openStore();
  const make = (options: Partial<typeof SMALL> & { mirror?: string }) => store.engine.bootstrap('example.local/debian:1', { ...SMALL, ...options }, () => {});
  await assert.rejects(make({ suite: '--help' }), { code: 'Invalid', message: /no suite/ });
  await assert.rejects(make({ include: ['base-files', '-o=x'] }), { code: 'Invalid', message: /no package/ });
  await assert.rejects(make({ mirror: 'mirror.example' }), { code: 'Invalid', fix: /http:/ });
  await assert.rejects(make({ mirror: 'file:///nowhere/debian' }), { code: 'Unavailable', message: /mmdebstrap failed.*E:/ });
  const before = process.env['PATH'];
  process.env['PATH'] = store.root;
  try {
    await assert.rejects(make({}), { code: 'Unsupported', fix: /apt-get install mmdebstrap/ });
  } finally {
    process.env['PATH'] = before;
  }
  assert.deepEqual(await readdir(path.join(store.root, 'data/tmp')), []);
  assert.deepEqual(await store.engine.list(), []);
});
