import assert from 'node:assert/strict';
import path from 'node:path';
import { it } from 'node:test';

import { run } from './support.ts';

it("the bridge is let through Docker's firewall, also after it was flushed, and taken out of it again", { timeout: 60_000 }, async () => {
  // In a namespace of its own, where a FORWARD policy of DROP is in nobody's way.
  const { stdout } = await run('unshare', ['--net', process.execPath, path.join(import.meta.dirname, 'beside-docker.ts')]);
  const { before, during, restored, after } = JSON.parse(stdout) as Record<'before' | 'during' | 'restored' | 'after', string>;
  for (const text of [during, restored]) {
    assert.match(text, /iifname "mr-\w+" counter packets \d+ bytes \d+ accept/);
    assert.match(text, /oifname "mr-\w+" counter packets \d+ bytes \d+ accept/);
  }
  assert.ok(during.indexOf('accept') < during.indexOf('return'), 'before what Docker has there');
  assert.equal(after, before);
});
