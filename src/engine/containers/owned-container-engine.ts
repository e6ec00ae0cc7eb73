import type { ContainerEngine } from '../engine.ts';
import type { ContainerInsight } from '../insight.ts';
import type { NetworkEngine } from '../networks.ts';
import type { VolumeEngine } from '../volumes.ts';
import type { ContainerFiles } from './container-files.ts';
import type { TransientContainers } from './transient.ts';

/** The engine with what its owner calls at the daemon's start and end. */
export interface OwnedContainerEngine extends ContainerEngine {
  readonly files: ContainerFiles;
  readonly volumes: VolumeEngine;
  /** Containers that run once, for builds. */
  readonly transients: TransientContainers;
  readonly insight: ContainerInsight;
  /** The networks beside the default one. */
  readonly networks: NetworkEngine;
  /** Takes up again what a daemon before this one left running, without touching it. */
  adopt(): Promise<void>;
  /** Removes what bears our name and has no record: what a killed daemon left half made or half removed. Before anything is created. */
  collect(): Promise<void>;
  /** Lets go of everything; containers run on. */
  close(): Promise<void>;
}
