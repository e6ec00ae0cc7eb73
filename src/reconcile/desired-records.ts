import type { ContainerName } from '../spec/name.ts';
import type { SourceName } from './desired.ts';

/** One desired container as it lies on disk. */
export interface DesiredRecord {
  readonly name: ContainerName;
  readonly source: SourceName;
  readonly location: string;
  readonly generation: number;
  readonly specHash: string;
  /** The defaulted `Container` document as JSON. */
  readonly document: string;
}

/** Where the desired store keeps its records. */
export interface DesiredRecords {
  list(): DesiredRecord[];
  /** Writes and deletes in one transaction: after a crash either all of it is there or none. */
  replace(change: { readonly put: readonly DesiredRecord[]; readonly delete: readonly ContainerName[] }): void;
}
