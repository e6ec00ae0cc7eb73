import type { ContainerName } from '../spec/name.ts';
import type { ActedStep } from './drift-record.ts';
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
  /** The image that was fetched for the container that is to be made. */
  fetched?: string;
  /** The last few steps that were carried out. */
  acted?: readonly ActedStep[];
  /** What it waits for, as it was told last. */
  waitsFor?: string;
  /** How far the fetching of its image is, in words. */
  progress?: string;
  /** An engine operation that overran its deadline and has not come back. */
  unfinished?: { readonly what: string; readonly since: number };
}
