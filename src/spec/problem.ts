import type { ResourceName } from './name.ts';
import type { ResourceKind } from './resource.ts';

/** What a source could not accept. It changes nothing that runs, unless it is a warning. */
export interface SpecProblem {
  /** File, or object, relative to the source. */
  readonly file: string;
  /** `file:line:column`, both counted from 1. */
  readonly at: string;
  /** Field path such as `spec.env[2].name`, empty for the whole document. */
  readonly field: string;
  /** What is wrong; reads well after the field's path. */
  readonly message: string;
  /** What to write instead, where that is known. */
  readonly fix?: string;
  /** True where only this is not done: the rest of the document is accepted and in effect. */
  readonly warning?: true;
  /** The resource it belongs to, where that much could be read; and its kind. */
  readonly name?: ResourceName;
  readonly kind?: ResourceKind;
}
