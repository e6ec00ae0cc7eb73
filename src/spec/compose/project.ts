import type { Field } from '../translate/field.ts';
import type { ProblemList } from '../translate/problem-list.ts';
import type { Lookup } from './template.ts';

/** Texts of further files that a compose file names, by absolute path; undefined where there is none. */
export type ReadInput = (path: string) => Promise<Uint8Array | undefined>;

/** What all services of a compose file have in common while they are translated. */
export interface Project {
  readonly name: string;
  /** Absolute: the folder of the compose file. */
  readonly folder: string;
  readonly problems: ProblemList;
  /** The environment that the file is read with: `.env` beside it. */
  readonly lookup: Lookup;
  /** Services to run, `extends` and profiles resolved. */
  readonly services: ReadonlyMap<string, Field>;
  /** Services that the active profiles leave out. */
  readonly inactive: ReadonlySet<string>;
  readonly networks: ReadonlyMap<string, NetworkReference>;
  readonly volumes: ReadonlyMap<string, string>;
  readonly configs: ReadonlyMap<string, ConfigReference>;
  readonly secrets: ReadonlyMap<string, ConfigReference>;
  /** The texts of the files that services name by `env_file` and `label_file`, by absolute path. */
  readonly texts: ReadonlyMap<string, string | undefined>;
}

/** A ConfigMap or a Secret by its `metadata.name`, and the key that is meant. */
export interface ConfigReference {
  readonly name: string;
  readonly key: string;
}

export interface NetworkReference {
  /** `metadata.name` of the Network. */
  readonly name: string;
  readonly internal: boolean;
}
