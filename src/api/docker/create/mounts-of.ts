import type { CreateBody } from './create-body.ts';
import type { CreateContext } from './create-context.ts';
import { bindMount } from './bind-mount.ts';
import { anonymousVolume, mountPoint, type MountInput, type PlacedMount, type WantedVolume } from './placed-mount.ts';
import { typedMount } from './typed-mount.ts';
import { tmpfsMount } from './tmpfs-mount.ts';
import { volumesFrom } from './volumes-from.ts';
import { bad, unsupported } from './refusal.ts';

export interface MountsOf {
  readonly mounts: readonly MountInput[];
  readonly volumes: readonly WantedVolume[];
}

/**
 * Everything that is mounted: `-v`, `--mount`, `--tmpfs`, what other containers have (`--volumes-from`), and anonymous volumes where request or image ask
 * for a volume and nothing else is mounted. Two of the request's own at one place are a mistake; they hide those of other containers.
 */
export function mountsOf(body: CreateBody, context: CreateContext): MountsOf {
  const { Binds: binds, Mounts: mounts, Tmpfs: tmpfs, VolumeDriver: driver, VolumesFrom: from } = body.HostConfig;
  if (driver !== '' && driver !== 'local') throw unsupported(`volume driver "${driver}"`, 'leave it out, or use local');
  const own = [
    ...binds.map((text) => bindMount(text, context)),
    ...mounts.map((mount) => typedMount(mount, context, body.HostConfig.AutoRemove)),
    ...Object.entries(tmpfs).map(([target, options]) => tmpfsMount(target, options)),
  ];
  const byPlace = new Map<string, PlacedMount>(volumesFrom(from, context).map((placed) => [placed.mount.mountPath, placed]));
  const seen = new Set<string>();
  for (const placed of own) {
    const place = placed.mount.mountPath;
    if (seen.has(place)) throw bad(`Duplicate mount point: ${place}`);
    seen.add(place);
    byPlace.set(place, placed);
  }
  for (const target of [...body.Volumes, ...Object.keys(context.image.config.Volumes ?? {})]) {
    const place = mountPoint(target);
    if (!byPlace.has(place)) byPlace.set(place, anonymousVolume(place, {}, context, body.HostConfig.AutoRemove));
  }
  const placed = [...byPlace.values()];
  return { mounts: placed.map(({ mount }) => mount), volumes: firstOfEach(placed.flatMap(({ volume }) => volume ?? [])) };
}

function firstOfEach(volumes: readonly WantedVolume[]): WantedVolume[] {
  return volumes.filter(({ name }, index) => volumes.findIndex((other) => other.name === name) === index);
}
