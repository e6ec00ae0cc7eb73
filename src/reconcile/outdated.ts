import type { ObservedContainer } from '../engine/engine.ts';
import { specChanged, WITHOUT_RECREATION } from '../spec/hash.ts';
import type { DesiredContainer } from './desired.ts';

/** What of a container on bridges can change while it runs. */
const IN_PLACE = /^spec\.(ports\b|network\.(networks|bandwidth)\b)/;

/** Whether it was made from another spec than is desired, and only a new container can be as that says. */
export function isOutdated(desired: DesiredContainer, observed: ObservedContainer): boolean {
  return desired.specHash !== observed.specHash && !changesInPlace(desired, observed);
}

function changesInPlace(desired: DesiredContainer, observed: ObservedContainer): boolean {
  if (observed.container.spec.network.mode !== 'Bridge') return false;
  return specChanged(observed.container, desired.container).every(({ field }) => needsNoStep(field) || IN_PLACE.test(field));
}

/** Whether a field takes effect with the next decision that it bears on. */
function needsNoStep(field: string): boolean {
  return WITHOUT_RECREATION.some((name) => field === `spec.${name}` || field.startsWith(`spec.${name}.`));
}

/** What of the spec changed, for people. */
export function describeChange(desired: DesiredContainer, observed: ObservedContainer): string {
  const changes = specChanged(observed.container, desired.container)
    .filter(({ field }) => !needsNoStep(field))
    .map(({ field, from, to }) => `${field} from ${from} to ${to}`);
  return changes.length === 0 ? `the spec's hash changed from ${observed.specHash} to ${desired.specHash}` : `the spec changed: ${changes.join(', ')}`;
}
