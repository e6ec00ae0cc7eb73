import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { it } from 'node:test';

import { run } from './support.ts';

it("a port on the node's ::1 leads to its container where bridged IPv6 is not filtered, and is refused where it is", { timeout: 60_000 }, async () => {
  const { stdout } = await run('unshare', ['--net', process.execPath, path.join(import.meta.dirname, 'loopback6-node.ts')]);
  const { refused, answers } = JSON.parse(stdout) as { readonly refused: string; readonly answers: readonly string[] };
  const filters = await access('/proc/sys/net/bridge/bridge-nf-call-ip6tables').then(() => true, () => false);
  if (filters) assert.match(refused, /^container default\/refused: port \[::1\]:28701\/tcp can't be led to it, since the kernel filters IPv6 on bridges/);
  assert.equal(answers.length, 3);
  assert.ok(!answers.includes('none'), JSON.stringify(answers));
});
