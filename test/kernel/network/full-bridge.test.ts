import assert from 'node:assert/strict';
import path from 'node:path';
import { it } from 'node:test';

import { run } from './support.ts';

it('a container that finds no port of the bridge is refused in words, and starts once there is one', { timeout: 60_000 }, async () => {
  const { stdout } = await run('unshare', ['--net', process.execPath, path.join(import.meta.dirname, 'full-bridge-node.ts')]);
  const { refused, runs, traces } = JSON.parse(stdout) as { readonly refused: string; readonly runs: string; readonly traces: readonly string[] };
  assert.match(refused, /^network default: bridge mr-\S+ has its 1023 ports, more the kernel does not give one/);
  assert.deepEqual([runs, traces], ['Running', []]);
});
