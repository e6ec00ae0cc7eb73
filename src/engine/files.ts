import type { HostFolder } from '../lib/host-folder.ts';
import type { ContainerId } from './engine.ts';
import type { ImageSummary } from './images.ts';

/** What became of a name since the container was made, by Docker's letters. */
export interface FileChange {
  readonly kind: 'A' | 'C' | 'D';
  /** Absolute, in the container. */
  readonly path: string;
}

/** One name in a container, as lstat(2) has it. */
export interface FileStat {
  readonly name: string;
  /** All of `st_mode`: type and permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
  /** Seconds since the epoch, and what is over in nanoseconds. */
  readonly mtime: number;
  readonly mtimeNanoseconds: number;
  /** Where a symbolic link leads, as it is written. */
  readonly linkTarget?: string;
}

export interface CommitOptions {
  /** The new image's name. */
  readonly name: string;
  readonly author?: string;
  readonly message?: string;
  /** Dockerfile instructions that change the config: `CMD ["sh"]`, `ENV A=b`. */
  readonly changes?: readonly string[];
  /** Freeze the container meanwhile, so that what is kept is of one moment. */
  readonly pause: boolean;
  readonly signal?: AbortSignal;
}

/** What one thing that is copied is, and what its copy is to be called: `.` where only what is in a folder is meant. */
export interface CopyIn {
  readonly from: HostFolder;
  /** A name in `from`, not followed; `.` for the folder itself. */
  readonly file: string;
  /** An existing folder of the container. */
  readonly to: string;
  readonly name: string;
}

export interface CopyOut {
  /** As in `get`. */
  readonly path: string;
  readonly to: HostFolder;
  readonly name: string;
}

export interface CopyOptions {
  /** Owners as they are at the source; else a copy in a container is root's, and one on the node its user's. */
  readonly keepOwners: boolean;
  readonly signal?: AbortSignal;
}

/**
 * The files of containers, running or not, without a process in them. A path is absolute and leads, links and all, to the container's own files, its
 * mounts among them: whatever happens in the container meanwhile, no other file is met. Nothing from the container is ever run.
 * `NotFound` where there is none, `Invalid` where it is of the wrong kind.
 */
export interface FileEngine {
  /** What differs from the image, in the order of names. Costs what was changed. */
  changes(id: ContainerId): Promise<FileChange[]>;
  /** The last name of `path` is not followed, unless a slash behind it asks for that. */
  stat(id: ContainerId, path: string): Promise<FileStat>;
  /** What is in a folder, or of anything else that itself. */
  list(id: ContainerId, path: string): Promise<FileStat[]>;
  read(id: ContainerId, path: string, signal?: AbortSignal): AsyncIterable<Buffer>;
  /** Gives a file this content; makes it (root's, 0644) if need be. */
  write(id: ContainerId, path: string, content: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<void>;
  /** What is at `path` as a tar archive, under the last name of `path`; under `.` where that ends in `/.` or is `/`. */
  get(id: ContainerId, path: string, signal?: AbortSignal): AsyncIterable<Buffer>;
  /** Puts the entries of a tar archive into an existing folder. Everything belongs to root unless `keepOwners`. A folder never replaces a file, nor the other way round. */
  put(id: ContainerId, folder: string, archive: AsyncIterable<Buffer>, options: CopyOptions): Promise<void>;
  /** The same from and to a folder of this node, without an archive in between. `Unsupported` where that folder is not the caller's. */
  copyIn(id: ContainerId, copy: CopyIn, options: CopyOptions): Promise<void>;
  copyOut(id: ContainerId, copy: CopyOut, options: CopyOptions): Promise<void>;
  /** All files as a tar archive, without what is mounted on them. */
  export(id: ContainerId, signal?: AbortSignal): AsyncIterable<Buffer>;
  /** Only what the container changed, as the archive of a layer. */
  exportChanges(id: ContainerId, signal?: AbortSignal): AsyncIterable<Buffer>;
  /** Makes an image of the container's image and what was changed. */
  commit(id: ContainerId, options: CommitOptions): Promise<ImageSummary>;
}
