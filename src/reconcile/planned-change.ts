import type { FieldChange } from '../spec/hash.ts';
import type { ResourceKey } from './desired.ts';
import type { Step } from './plan.ts';

/** What would be done to one resource, and why. */
export interface PlannedChange extends ResourceKey {
  /** `Wait`: nothing until something else is there. `Refuse`: what is asked for can't be done, and what is there stays. */
  readonly action: 'Create' | 'Recreate' | 'Start' | 'Restart' | 'Stop' | 'Remove' | 'Update' | 'Wait' | 'Refuse' | 'None';
  /** The steps in order, each with its reason in words. For `None` the one that says why there is nothing to do. */
  readonly steps: readonly Step[];
  /** Field paths that differ from what is there, with both values, for a changed spec. Values of env are never shown. */
  readonly changes: readonly FieldChange[];
}
