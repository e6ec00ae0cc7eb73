import { configChanged } from '../spec/hash.ts';
import type { ContainerName } from '../spec/name.ts';
import { type ConfigResource, describeResource, type Resource } from '../spec/resource.ts';
import type { ResourceKey } from './desired.ts';
import type { PlannedChange } from './planned-change.ts';

/** What would be done to a ConfigMap or a Secret: `users` are the containers that would name it. No value is told. */
export function planConfig(key: ResourceKey, before: Resource | undefined, after: Resource | undefined, users: readonly ContainerName[]): PlannedChange {
  const what = describeResource(key.kind, key.name);
  const planned = (action: PlannedChange['action'], kind: 'Create' | 'Remove' | 'Settled', reason: string, message: string, changes: PlannedChange['changes'] = []): PlannedChange => ({ ...key, action, steps: [{ kind, reason, message }], changes });
  if (!isConfig(after)) {
    const left = users.length === 0 ? '' : `; it is still named by ${users.join(', ')}`;
    return planned('Remove', 'Remove', 'NotDesired', `no source wants it any more${left}`);
  }
  if (!isConfig(before)) return planned('Create', 'Create', 'NotCreated', 'it is wanted, and there is none');
  const changes = configChanged(before, after);
  if (changes.length === 0) return planned('None', 'Settled', 'Ready', 'it is as wanted');
  if (before.immutable) return planned('Refuse', 'Settled', 'Immutable', `${what} is immutable, and what is there stays; delete it and declare it anew, or give the new one another name`, changes);
  return planned('Update', 'Create', 'DataChanged', users.length === 0 ? 'its data changed' : `its data changed; it is named by ${users.join(', ')}`, changes);
}

function isConfig(resource: Resource | undefined): resource is ConfigResource {
  return resource?.kind === 'ConfigMap' || resource?.kind === 'Secret';
}
