import type { ObservedContainer } from '../engine/engine.ts';
import type { DesiredContainer } from './desired.ts';
import type { Facts } from './facts.ts';

/** All that a decision about one container rests on. Whatever is decided from it is decided purely. */
export interface Situation {
  readonly desired: DesiredContainer | undefined;
  readonly observed: ObservedContainer | undefined;
  readonly facts: Facts;
  /** Milliseconds since the epoch. */
  readonly now: number;
}
