import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';

import { Bundle } from './bundle.ts';

/** In the order in which they run, with what the container's status is then (runtime.md, "Lifecycle"). */
const KINDS = { prestart: 'creating', createRuntime: 'creating', createContainer: 'creating', startContainer: 'created', poststart: 'running', poststop: 'stopped' } as const;

/** Appends a line to a file: its name, and the state that it is given. */
function teller(name: string, file: string): Record<string, unknown> {
  return { path: '/bin/busybox', args: ['sh', '-c', `{ printf "${name} "; cat; echo; } >> ${file}`], env: ['PATH=/bin:/usr/bin'] };
}

it('hooks of all six kinds run in their order, each with the state of its moment on stdin', async (t) => {
  const bundle = await Bundle.create(t);
  const outside = join(bundle.folder, 'seen');
  const inside = join(bundle.folder, 'rootfs/tmp/seen');
  bundle.config['annotations'] = { owner: 'a test' };
  bundle.config.hooks = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, kind === 'startContainer' ? [teller(kind, '/tmp/seen')] : [teller(`${kind}-1`, outside), teller(`${kind}-2`, outside)]]));
  await bundle.write();
  await bundle.ask('create', 'c');
  const { pid } = await bundle.state('c');
  await bundle.ask('start', 'c');
  await bundle.ask('kill', 'c', 'KILL');
  await bundle.untilStatus('c', 'stopped');
  await bundle.ask('delete', 'c');
  const lines = [...(await readFile(outside, 'utf8')).split('\n'), ...(await readFile(inside, 'utf8')).split('\n')].filter((line) => line !== '');
  const told = lines.map((line) => ({ name: line.slice(0, line.indexOf(' ')), state: JSON.parse(line.slice(line.indexOf(' '))) as Record<string, unknown> }));
  const twice = Object.keys(KINDS).flatMap((kind) => (kind === 'startContainer' ? [] : [`${kind}-1`, `${kind}-2`]));
  assert.deepEqual(told.map(({ name }) => name), [...twice, 'startContainer']);
  for (const { name, state } of told) {
    const kind = name.split('-')[0] as keyof typeof KINDS;
    const seen = { createContainer: 1, startContainer: 1, poststop: undefined }[kind as string] ?? pid; // by who is in the container's pid namespace; and of none once it has ended
    assert.deepEqual(state, { ociVersion: '1.2.0', id: 'c', status: KINDS[kind], bundle: bundle.folder, annotations: { owner: 'a test' }, ...(kind !== 'poststop' && { pid: seen }) }, name);
  }
});

it('a poststart hook that fails stops the container; a poststop hook that fails is told of, and the next one runs', async (t) => {
  const bundle = await Bundle.create(t);
  const seen = join(bundle.folder, 'seen');
  const failing = { path: '/bin/busybox', args: ['sh', '-c', 'echo why; exit 3'], env: [] };
  bundle.config.hooks = { poststart: [failing, teller('poststart', seen)], poststop: [failing, teller('poststop', seen)] };
  await bundle.write();
  await bundle.ask('create', 'c');
  const started = await bundle.runtime(['start', 'c']);
  assert.deepEqual([started.code, started.stderr], [1, 'mooring-runtime: hooks.poststart: /bin/busybox: exit status 3: why\n\n']);
  assert.equal((await bundle.state('c')).status, 'stopped');
  const deleted = await bundle.runtime(['delete', 'c']);
  assert.deepEqual([deleted.code, deleted.stderr], [0, 'mooring-runtime: warning: hooks.poststop: /bin/busybox: exit status 3: why\n\n']);
  assert.match(await readFile(seen, 'utf8'), /^poststop \{.*\}\n$/);
  const ran = await bundle.runtime(['run', 'c']);
  assert.deepEqual([ran.code, /hooks\.poststart: /.test(ran.stderr)], [255, true]);
  assert.deepEqual(await bundle.traces(), []);
});
