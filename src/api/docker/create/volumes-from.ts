import { MooringError } from '../../../lib/errors.ts';
import type { CreateContext } from './create-context.ts';
import { mountPoint, type PlacedMount } from './placed-mount.ts';
import { bad } from './refusal.ts';

/** HostConfig.VolumesFrom, `container[:ro|rw]`: the binds and volumes of other containers, at the places where those have them. */
export function volumesFrom(references: readonly string[], context: CreateContext): PlacedMount[] {
  return references.flatMap((text) => {
    const divider = text.indexOf(':');
    const reference = divider < 0 ? text : text.slice(0, divider);
    const mode = divider < 0 ? '' : text.slice(divider + 1);
    const words = mode.split(',').filter(Boolean);
    if (reference === '' || words.some((word) => !['ro', 'rw', 'z', 'Z'].includes(word))) throw bad(`invalid mode: ${mode}`);
    const other = context.container(reference);
    if (other === undefined) throw new MooringError('NotFound', `No such container: ${reference}`);
    return other.mounts
      .filter((mount) => mount.tmpfs === undefined)
      .map((mount): PlacedMount => {
        if (mount.volume && mount.volume.name === undefined) {
          throw new MooringError('Conflict', `volumes of container ${reference} can't be shared: the one at ${mountPoint(mount.mountPath)} is that container's own, and goes with it`, { fix: 'give it a name there' });
        }
        return { mount: words.includes('ro') ? { ...mount, readOnly: true } : mount };
      });
  });
}
