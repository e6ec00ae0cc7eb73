/** The shapes of the resources below `/v1/containers/NAMESPACE/NAME` that are about files. */
import type { CopyIn, CopyOut, FileChange, FileStat } from '../../engine/files.ts';
import type { ImageSummary } from '../../engine/images.ts';

export type { FileChange, FileStat };

export interface ChangeList {
  readonly kind: 'ChangeList';
  readonly items: readonly FileChange[];
}

export interface FileList {
  readonly kind: 'FileList';
  readonly items: readonly FileStat[];
}

/** The body of `POST …/commit`. */
export interface CommitBody {
  readonly name: string;
  readonly author?: string;
  readonly message?: string;
  /** Dockerfile instructions: `CMD ["sh"]`. */
  readonly changes?: readonly string[];
  /** Freeze the container meanwhile; true where it is not said. */
  readonly pause?: boolean;
}

/** The body of `POST …/copy`. */
export type CopyBody = { readonly keepOwners: boolean } & (({ readonly direction: 'in' } & CopyIn) | ({ readonly direction: 'out' } & CopyOut));

export interface CommitResult {
  readonly kind: 'CommitResult';
  readonly image: ImageSummary;
}

/** The reply where there is nothing to say but that it is done. */
export interface Done {
  readonly kind: 'Done';
}
