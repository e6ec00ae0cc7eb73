import type { ObservedContainer } from '../engine/engine.ts';
import { type FieldChange, specChanged, WITHOUT_RECREATION } from '../spec/hash.ts';
import type { DesiredContainer } from './desired.ts';

/** What of any container can change while it runs; its logging, with its next start. */
const IN_PLACE = /^spec\.(resources|logging)\b/;
/** What of a container on bridges can. */
const NETWORK_IN_PLACE = /^spec\.(ports\b|network\.(networks|bandwidth)\b)/;

/** Whether it was made from another spec than is desired, and only a new container can be as that says. */
export function isOutdated(desired: DesiredContainer, observed: ObservedContainer): boolean {
  if (desired.specHash === observed.specHash) return false;
  const isOnBridges = observed.container.spec.network.mode === 'Bridge';
  return !changesOf(desired, observed).every((change) => (IN_PLACE.test(change.field) && !isLifted(change)) || (isOnBridges && NETWORK_IN_PLACE.test(change.field)));
}

/** Whether a limit is taken away, or may be in a list, that the kernel has no word to lift: a new cgroup has none. */
function isLifted({ field, to }: FieldChange): boolean {
  return /^spec\.resources\.(cpusetCpus|cpusetMems|memorySwappiness|blockIO)\b/.test(field) && (to === '(none)' || /^spec\.resources\.blockIO\.(throttle|weightDevice)/.test(field));
}

/** What is changed on a container that is there, in one word for programs. */
export function updateReason(desired: DesiredContainer, observed: ObservedContainer): string {
  const changes = changesOf(desired, observed).map(({ field }) => field);
  if (changes.every((field) => NETWORK_IN_PLACE.test(field))) return 'NetworkChanged';
  return changes.every((field) => field.startsWith('spec.resources.')) ? 'LimitsChanged' : 'SpecChanged';
}

/** The fields that differ, without those that take effect by themselves. */
function changesOf(desired: DesiredContainer, observed: ObservedContainer): FieldChange[] {
  return specChanged(observed.container, desired.container).filter(({ field }) => !needsNoStep(field));
}

/** Whether a field takes effect with the next decision that it bears on. */
function needsNoStep(field: string): boolean {
  return WITHOUT_RECREATION.some((name) => field === `spec.${name}` || field.startsWith(`spec.${name}.`));
}

/** What of the spec changed, for people. */
export function describeChange(desired: DesiredContainer, observed: ObservedContainer): string {
  const changes = changesOf(desired, observed).map(({ field, from, to }) => `${field} from ${from} to ${to}`);
  return changes.length === 0 ? `the spec's hash changed from ${observed.specHash} to ${desired.specHash}` : `the spec changed: ${changes.join(', ')}`;
}
