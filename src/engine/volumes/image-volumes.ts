import { posix } from 'node:path';
import { MooringError } from '../../lib/errors.ts';
import { type Mount, mountSchema } from '../../spec/mount.ts';

/**
 * A container's mounts with those that its image asks for (`VOLUME`): each becomes a volume of the container's own, unless something is mounted just there.
 * `Invalid` for a place where nothing can be mounted.
 */
export function withImageVolumes(mounts: readonly Mount[], volumes: Readonly<Record<string, object>> | null | undefined): Mount[] {
  const taken = new Set(mounts.map(({ mountPath }) => mountPath));
  const asked = new Set(Object.keys(volumes ?? {}).map((place) => posix.resolve('/', place)));
  return [
    ...mounts,
    ...[...asked].filter((place) => !taken.has(place)).map((mountPath) => {
      const parsed = mountSchema.safeParse({ mountPath, volume: {} });
      if (parsed.success) return parsed.data;
      throw new MooringError('Invalid', `the image asks for a volume at ${mountPath}, which can not be: ${parsed.error.issues[0]?.message ?? ''}`, { fix: 'build it without that VOLUME' });
    }),
  ];
}
