import type { Container } from '../spec/container.ts';
import type { ContainerName } from '../spec/name.ts';
import type { SpecProblem } from '../spec/problem.ts';

export type SourceName = 'directory' | 'cluster' | 'api';

/** Where a desired resource was said: `web.yaml:3:1` below the specs directory, or the API client's word for itself. */
export interface Origin {
  readonly source: SourceName;
  readonly location: string;
}

/** One resource as a source hands it in. */
export interface Declared {
  readonly container: Container;
  readonly location: string;
}

/** One resource as the desired store keeps it: persisted, so that the last good state outlives the daemon and its source. */
export interface DesiredContainer {
  readonly name: ContainerName;
  readonly container: Container;
  readonly origin: Origin;
  /** Hash over the canonical, defaulted spec: equal hashes mean that nothing needs to change. */
  readonly specHash: string;
  /** 1 at first, one more with each accepted change of spec (Kubernetes' metadata.generation). */
  readonly generation: number;
}

/** The merged desired state of all sources. */
export interface DesiredStore {
  get(name: ContainerName): DesiredContainer | undefined;
  list(): DesiredContainer[];
  listSource(source: SourceName): DesiredContainer[];
  /**
   * Makes `declared` all that this source wants; what it no longer names is no longer desired. Atomic on disk.
   * A name that another source already holds stays with that source and comes back as a problem.
   */
  replaceSource(source: SourceName, declared: readonly Declared[]): SpecProblem[];
  /** Adds or changes single resources of a source (`mooring apply`). Throws `Conflict`, changing nothing, where another source holds a name. */
  apply(source: SourceName, declared: readonly Declared[]): DesiredContainer[];
  /** Throws `Conflict` where another source holds the name, `NotFound` where nobody does. */
  delete(source: SourceName, name: ContainerName): void;
  /** Names whose desired state changed, once a change is on disk. Returns the function that unsubscribes. */
  subscribe(listener: (changed: readonly ContainerName[]) => void): () => void;
}
