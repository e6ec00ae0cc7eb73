import { networkChanged, volumeChanged, type FieldChange } from '../spec/hash.ts';
import { NETWORK_IMMUTABLE } from '../spec/network.ts';
import { describeResource, type Resource } from '../spec/resource.ts';
import { VOLUME_IMMUTABLE } from '../spec/volume.ts';
import type { ContainerName } from '../spec/name.ts';
import type { ResourceKey } from './desired.ts';
import type { PlannedChange } from './planned-change.ts';
import type { Step } from './plan.ts';

/** What would be done to a network or a volume: `before` is the document that what is there was made from, `users` the containers that would name it. */
export function planSupply(key: ResourceKey, before: Resource | undefined, after: Resource | undefined, users: readonly ContainerName[]): PlannedChange {
  const what = describeResource(key.kind, key.name);
  const planned = (action: PlannedChange['action'], step: Step, changes: readonly FieldChange[] = []): PlannedChange => ({ ...key, action, steps: [step], changes });
  if (after === undefined) {
    if (users.length > 0) return planned('Wait', { kind: 'Settled', reason: 'InUse', message: `${what} is used by ${users.join(', ')}, and goes when they are gone` });
    const kept = before?.kind === 'Volume' && before.spec.reclaimPolicy === 'Retain';
    return planned('Remove', { kind: 'Remove', reason: 'NotDesired', message: kept ? 'no source wants it any more; its data is kept, since reclaimPolicy is Retain' : 'no source wants it any more' });
  }
  if (before === undefined) return planned('Create', { kind: 'Create', reason: 'NotCreated', message: 'it is wanted, and there is none' });
  const changes = changesOf(before, after);
  if (changes.length === 0) return planned('None', { kind: 'Settled', reason: 'Ready', message: 'it is as wanted' });
  const fixed: readonly string[] = key.kind === 'Network' ? NETWORK_IMMUTABLE : VOLUME_IMMUTABLE;
  const refused = changes.filter(({ field }) => fixed.some((name) => field === `spec.${name}` || field.startsWith(`spec.${name}.`)));
  if (refused.length === 0) return planned('Update', { kind: 'Create', reason: 'SpecChanged', message: 'its spec changed; it takes effect on what is there' }, changes);
  const message = `${refused.map(({ field }) => field).join(', ')} can't be changed while ${what} is there, and what is there stays; remove it and declare it anew, or take the change back`;
  return planned('Refuse', { kind: 'Settled', reason: 'Immutable', message }, changes);
}

function changesOf(before: Resource, after: Resource): FieldChange[] {
  if (before.kind === 'Network' && after.kind === 'Network') return networkChanged(before, after);
  return before.kind === 'Volume' && after.kind === 'Volume' ? volumeChanged(before, after) : [];
}
