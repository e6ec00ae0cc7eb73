import { createHash } from 'node:crypto';

import type { Brand } from '../../lib/brand.ts';
import { MooringError } from '../../lib/errors.ts';

/** `sha256:<64 lower-case hexadecimal digits>` (OCI image spec, descriptor.md, "Digests"); the only algorithm kept here. */
export type Digest = Brand<string, 'Digest'>;

export function digestOf(content: string | Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}` as Digest;
}

/** Throws `Invalid` for anything else than a SHA-256 digest, so that no digest can ever lead out of a folder. */
export function parseDigest(text: string): Digest {
  if (!/^sha256:[0-9a-f]{64}$/.test(text)) throw new MooringError('Invalid', `"${text}" is not a sha256 digest`);
  return text as Digest;
}

/** The hexadecimal half: the name of a blob's file or a layer's folder. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** Chain IDs of a list of diff IDs, both bottom first (OCI image spec, config.md, "Layer ChainID"). */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  return chain;
}
