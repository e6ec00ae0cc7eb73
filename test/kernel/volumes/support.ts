import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import type { LayerEntry } from '../../../src/engine/images/layer-entries.ts';
import type { ImageRuntimeConfig } from '../../../src/engine/images/oci-image.ts';
import { containerName } from '../../../src/spec/name.ts';
import { type Volume, volumeResourceSchema } from '../../../src/spec/volume.ts';
import { logLines } from '../../support/log-lines.ts';
import { until } from '../../support/until.ts';
import { containerOf, type TestNode } from '../engine/support.ts';

export function volumeOf(name: string, spec: Record<string, unknown> = {}): Volume {
  return volumeResourceSchema.parse({ apiVersion: 'mooring.dev/v1alpha1', kind: 'Volume', metadata: { name }, spec });
}

/** Makes and starts a container; gives its first process back. */
export async function run(node: TestNode, name: string, spec: Record<string, unknown>): Promise<number> {
  const id = await node.engine.create(containerOf(name, { command: ['sleep', '1000'], stopSignal: 'KILL', ...spec }), `hash of ${name}`);
  await node.engine.start(id);
  return pidOf(node, name);
}

export async function pidOf(node: TestNode, name: string): Promise<number> {
  const observed = await node.engine.observe(containerName({ namespace: 'default', name }));
  assert.equal(observed?.process.state, 'Running');
  return observed.process.init.pid;
}

/** Ends and removes a container. */
export async function remove(node: TestNode, name: string): Promise<void> {
  const full = containerName({ namespace: 'default', name });
  const observed = await node.engine.observe(full);
  assert.ok(observed);
  await node.engine.kill(observed.id);
  await until(`${name} has ended`, async () => !['Running', 'Creating'].includes((await node.engine.observe(full))?.process.state ?? ''));
  await node.engine.remove(observed.id);
}

/** Runs a command to its end in a container of its own, which is then removed, and gives what it wrote. */
export async function outputOf(node: TestNode, spec: Record<string, unknown>): Promise<string> {
  const name = 'once';
  const id = await node.engine.create(containerOf(name, spec), 'once');
  try {
    await node.engine.start(id);
    await until(`${name} has ended`, async () => (await node.engine.observe(containerName({ namespace: 'default', name })))?.process.state === 'Exited');
    const lines = await Array.fromAsync(logLines(node.engine.logs(id, { follow: false, signal: new AbortController().signal })));
    return lines.map(({ text }) => text).join('\n');
  } finally {
    await remove(node, name);
  }
}

/** A file as a process of that pid sees it. */
export function seenBy(pid: number, path: string): Promise<string> {
  return readFile(`/proc/${pid}/root${path}`, 'utf8');
}

/** An image of the host's static busybox with more in it. Its layer's folder comes back, for what a layer's entries can't say. */
export async function addImage(node: TestNode, name: string, more: readonly LayerEntry[], config: ImageRuntimeConfig = {}): Promise<string> {
  const layer: LayerEntry[] = [
    { kind: 'folder', path: 'bin', mode: 0o755 },
    { kind: 'file', path: 'bin/busybox', mode: 0o755, content: await readFile('/bin/busybox') },
    ...['sh', 'sleep', 'cat', 'ls', 'stat', 'id', 'touch'].map((applet): LayerEntry => ({ kind: 'symlink', path: `bin/${applet}`, target: 'busybox' })),
    ...more,
  ];
  await node.images.add({ name, architecture: process.arch === 'x64' ? 'amd64' : process.arch, config: { Env: ['PATH=/bin'], Cmd: ['sh'], ...config }, createdBy: 'a test', layer });
  const [folder] = (await node.images.resolve(name)).layers;
  assert.ok(folder);
  return folder;
}
