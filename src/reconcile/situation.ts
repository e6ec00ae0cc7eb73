import type { ConfigDigests } from '../engine/config.ts';
import type { ObservedContainer } from '../engine/engine.ts';
import type { Unwell } from './checkup.ts';
import type { DesiredContainer } from './desired.ts';
import type { ActedStep } from './drift-record.ts';
import type { Facts } from './facts.ts';
import type { UnmetNeed } from './needs.ts';
import type { OrderSituation } from './order.ts';

export interface ImageSituation {
  /** As the spec that it was looked up for has it. */
  readonly name: string;
  readonly isThere: boolean;
  /** Fetched already for the container that is to be made. */
  readonly isFresh: boolean;
  /** Of an image that is built here: whether what is built is what its context holds now. */
  readonly build?: 'Due' | 'Done';
  /** The tag of a container that is there is followed, and stands for something else than it was made from. */
  readonly moved?: MovedImage;
}

export interface MovedImage {
  /** Whether the node has what it stands for now. */
  readonly isFetched: boolean;
  readonly message: string;
}

/** All that a decision about one container rests on. Whatever is decided from it is decided purely. */
export interface Situation {
  readonly desired: DesiredContainer | undefined;
  readonly observed: ObservedContainer | undefined;
  readonly facts: Facts;
  /** The image that is desired, where a container is to be made from it, or made anew; undefined for one that is there and may stay. */
  readonly image?: ImageSituation | undefined;
  /** What a container that is to be made or started stands on, and is not there. */
  readonly unmet?: readonly UnmetNeed[];
  /** How it stands to those that it depends on, and that depend on it; undefined where there are none. */
  readonly order?: OrderSituation;
  /** Why its present run is to end, by its probes. */
  readonly unwell?: Unwell;
  /** What it would be given of ConfigMaps and Secrets now; undefined where something of that is missing, and where it asks for nothing. */
  readonly config?: ConfigDigests | undefined;
  /** What was carried out lately, for the record of drift. */
  readonly acted?: readonly ActedStep[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}
