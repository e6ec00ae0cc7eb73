import type { ResourceName } from './name.ts';
import type { SpecProblem } from './problem.ts';
import type { Resource } from './resource.ts';

/** One good document of a file. */
export interface ParsedDocument {
  readonly resource: Resource;
  readonly file: string;
  /** `file:line:column` of its first field. */
  readonly at: string;
  readonly name: ResourceName;
}

export interface ParseResult {
  readonly documents: readonly ParsedDocument[];
  /** In the order of the text. Good documents of the same file are in `documents` all the same; what to do with them is the caller's. */
  readonly problems: readonly SpecProblem[];
}
