import type { ContainerName } from '../spec/name.ts';
import type { ContainerId } from './engine.ts';
import type { FileChange } from './files.ts';

/** Who made a change, as far as the kernel told. */
export interface FileWriter {
  readonly pid: number;
  /** What follows is unknown of a process that had ended before it could be asked. */
  readonly program?: string;
  /** On the node. */
  readonly uid?: number;
  /** Whether it was one of the container's own, by its control group. */
  readonly isInside?: boolean;
}

export interface ChangedFile extends FileChange {
  readonly by?: FileWriter;
}

/** Files of a container that differ from the image's, and may not. */
export interface FileFindings {
  /** The first of them, in the order of their paths. */
  readonly files: readonly ChangedFile[];
  /** How many there are beyond those. */
  readonly more: number;
}

/** Looks after the files of containers that ask for it, at no cost for others. */
export interface FileWatcher {
  /**
   * What differs from the image, but for `allowedPaths` (spec/path-glob.ts). Settles at once where nothing has changed since it was asked last; follows the container from now on.
   * Never rejects: what can't be looked at is logged, and is as it was seen last.
   */
  find(name: ContainerName, id: ContainerId, allowedPaths: readonly string[]): Promise<FileFindings>;
  /** The container is not asked about any more. */
  release(name: ContainerName): void;
  /** Files of a container changed. Returns the function that unsubscribes. */
  subscribe(listener: (name: ContainerName) => void): () => void;
}

export const noFileWatcher: FileWatcher = { find: () => Promise.resolve({ files: [], more: 0 }), release: () => {}, subscribe: () => () => {} };
