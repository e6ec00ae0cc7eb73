/** The shapes of the image routes, shared by the server and the command. */
import type { ImageDetails, ImageDiskUsage, ImageHistoryEntry, ImageProgress, ImageSummary, LayerState, PruneResult, RegistryHit, StoreProblem } from '../../engine/images.ts';
import type { ErrorBody } from './types.ts';

export type { ImageDetails, ImageDiskUsage, ImageHistoryEntry, ImageProgress, ImageSummary, LayerState, PruneResult, RegistryHit, StoreProblem };

export interface ImageList {
  readonly kind: 'ImageList';
  readonly items: readonly ImageSummary[];
}

export interface ImageHistory {
  readonly kind: 'ImageHistory';
  readonly items: readonly ImageHistoryEntry[];
}

/** One line of `POST /v1/images/pull` and `…/push`. The last one is DONE or ERROR. */
export type TransferEvent = ImageProgress | { readonly type: 'DONE'; readonly name: string; readonly digest: string } | { readonly type: 'ERROR'; readonly error: ErrorBody['error'] };

export interface NameList {
  readonly kind: 'NameList';
  readonly names: readonly string[];
}

export interface CheckResult {
  readonly kind: 'CheckResult';
  readonly problems: readonly StoreProblem[];
}

/** One line of `POST /v1/images/bootstrap`. The last one is DONE or ERROR. */
export type BootstrapEvent =
  | { readonly type: 'LINE'; readonly text: string }
  | { readonly type: 'DONE'; readonly name: string; readonly digest: string }
  | { readonly type: 'ERROR'; readonly error: ErrorBody['error'] };

/** The registry that a reference means. */
export interface RegistryName {
  readonly kind: 'RegistryName';
  readonly registry: string;
}

export interface LoginResult {
  readonly kind: 'LoginResult';
  /** To keep in place of the password. */
  readonly identityToken?: string;
}

export interface SearchResult {
  readonly kind: 'SearchResult';
  readonly registry: string;
  readonly items: readonly RegistryHit[];
}
