import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

import { onNode } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';

const EXAMPLE = join(import.meta.dirname, '../../../examples/compose-like');

test(
  'the example: web, built here, shows a row of db on the published port, and again after either was killed',
  onNode(async (node) => {
    const port = await freePort();
    await cp(EXAMPLE, node.specs, { recursive: true });
    const web = join(node.specs, 'web.yaml');
    await writeFile(web, (await readFile(web, 'utf8')).replace('hostPort: 8000', `hostPort: ${port}`));
    await node.start();
    const page = () =>
      until('the page shows the row', async () => {
        const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2_000) });
        return response.status === 200 && response.text();
      });
    assert.equal(await page(), '1|kept in a volume, asked for by name\n');
    for (const name of ['db', 'web']) {
      const { pid } = (await node.get(name)).status;
      assert.ok(pid);
      process.kill(pid, 'SIGKILL');
      await until(`${name} is back`, async () => {
        const { pid: now } = (await node.get(name)).status;
        return now !== undefined && now !== pid;
      });
      assert.equal(await page(), '1|kept in a volume, asked for by name\n');
    }
  }),
);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}
