import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startApiServer } from '../../../src/api/v1/server.ts';
import { runCommand } from '../../../src/cli/program.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import type { ContainerName } from '../../../src/spec/name.ts';
import { FakeServices, viewFrom, WEB } from '../api/fake-services.ts';
import { fakeIo } from './fake-io.ts';

const PRESENT = { kind: 'Files', message: '/srv/a was changed, want them as in the image', policy: 'Report', count: 2, who: 'vi (pid 9, uid 0), from outside', foundAt: '2026-01-01T00:55:00Z' } as const;
const PAST = { kind: 'Limits', message: 'pids.max is 5, want 9', policy: 'Correct', count: 1, who: 'unknown', foundAt: '2026-01-01T00:30:00Z', undoneAt: '2026-01-01T00:30:01Z', undoneBy: 'RestoreLimits' } as const;

async function run(services: FakeServices, ...args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-drift-'));
  const server = await startApiServer(join(folder, 'sock'), createLogger('silent'), Promise.resolve(services));
  const io = fakeIo();
  try {
    const code = await runCommand(['--host', `unix://${folder}/sock`, 'drift', ...args], io);
    return { code, ...io.written };
  } finally {
    await server.close();
    await rm(folder, { recursive: true });
  }
}

test('drift lists what differs, then what was undone; --exit-code tells the first from the second', async () => {
  const services = new FakeServices();
  services.put(viewFrom(WEB));
  const calm = await run(services, '--exit-code');
  assert.deepEqual(calm, { code: 0, out: 'Nothing differs from what is declared.\n', err: '' });

  services.driftList.push({ name: 'default/web' as ContainerName, present: [], past: [PAST] }, { name: 'other/db' as ContainerName, present: [PRESENT], past: [] });
  const quiet = await run(services, '--exit-code');
  assert.equal(quiet.code, 0, 'what was undone differs no more, and other namespaces were not asked for');
  assert.match(quiet.out, /^Nothing differs.*\n\nCONTAINER +KIND .*\nweb +Limits +Correct +30m ago +29m ago +RestoreLimits +pids\.max is 5, want 9\n$/);
  const all = await run(services, '-A', '--exit-code');
  assert.equal(all.code, 4);
  assert.match(all.out, /\nother\/db +Files +Report +5m ago +no +- +\/srv\/a was changed, want them as in the image \(by vi \(pid 9, uid 0\), from outside\)\n\nCONTAINER/);
  assert.equal((await run(services, '-A')).code, 0);
  assert.match((await run(services, '-A', '-o', 'wide')).out, /TIMES +WHO +WHAT\nother\/db .* 2 +vi \(pid 9, uid 0\), from outside +\/srv\/a/);
  const { items } = JSON.parse((await run(services, 'web', '-o', 'json')).out) as { items: unknown[] };
  assert.deepEqual(items, [{ name: 'default/web', present: [], past: [PAST] }]);
  const unknown = await run(services, 'nobody');
  assert.deepEqual([unknown.code, /there is no container default\/nobody/.test(unknown.err)], [1, true]);
});
