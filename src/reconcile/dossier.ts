import type { ContainerName } from '../spec/name.ts';
import type { Facts } from './facts.ts';
import type { Situation } from './situation.ts';

/** What the daemon holds in memory of one container. */
export interface Dossier {
  readonly name: ContainerName;
  /** As the facts store has them, unless `unsaved`. */
  facts: Facts;
  unsaved?: boolean;
  /** What the last look rested on; undefined before the first. */
  situation?: Situation;
  /** When the spec that isn't yet seen running came to be desired. */
  wantedSince?: number;
  /** An engine operation that overran its deadline and has not come back. */
  unfinished?: { readonly what: string; readonly since: number };
}
