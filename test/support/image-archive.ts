import { createHash } from 'node:crypto';

import { tarArchive } from './tar-writer.ts';

/** A docker-archive, as `docker save` wrote it, of one image with these layers (tar archives, bottom first). */
export function dockerArchive(name: string, layers: readonly Buffer[], config: Readonly<Record<string, unknown>> = {}): Buffer {
  const diffIds = layers.map((layer) => `sha256:${sha256(layer)}`);
  const text = JSON.stringify({ architecture: process.arch === 'x64' ? 'amd64' : process.arch, os: 'linux', config, rootfs: { type: 'layers', diff_ids: diffIds } });
  const files = layers.map((layer, index) => ({ name: `${index}/layer.tar`, content: layer }));
  return tarArchive([
    ...files,
    { name: `${sha256(text)}.json`, content: text },
    { name: 'manifest.json', content: JSON.stringify([{ Config: `${sha256(text)}.json`, RepoTags: [name], Layers: files.map((file) => file.name) }]) },
  ]);
}

function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}
