import assert from 'node:assert/strict';
import { cp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { onNode } from '../../support/daemon.ts';
import { startTimeOf } from '../../support/kernel.ts';
import { until } from '../../support/until.ts';

const corpus = fileURLToPath(new URL('../../corpus/bad/', import.meta.url));

test('every malformed document there is, dropped at once: each is one clear error, nothing runs or stops for it', onNode(async (node) => {
  await node.write('app.yaml', node.sleeper('app'));
  await node.start();
  const pid = await node.running('app');
  const started = await startTimeOf(pid);

  await cp(corpus, join(node.specs, 'bad'), { recursive: true });
  const files = await readdir(corpus);
  assert.ok(files.length >= 50, `${files.length} documents`);
  const told = await until('every file is reported', async () => {
    const { stderr } = await node.mooring('get', 'containers');
    return files.every((file) => stderr.includes(`bad/${file}:`)) && stderr;
  });
  for (const line of told.split('\n').filter((text) => text.includes('bad/'))) assert.match(line, /bad\/[^:]+:\d+:\d+: .+/);

  const { stdout } = await node.mooring('get', '-A', '-o', 'name');
  assert.equal(stdout.trim(), 'container/app', 'nothing came of a malformed document');
  assert.deepEqual(await node.processes('app'), [pid]);
  assert.equal(await startTimeOf(pid), started);

  await rm(join(node.specs, 'bad'), { recursive: true });
  await until('the errors go with the files', async () => !(await node.mooring('get', 'containers')).stderr.includes('bad/'));
  assert.deepEqual(await node.processes('app'), [pid]);
}));
