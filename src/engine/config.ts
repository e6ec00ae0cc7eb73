/** What a container is given of ConfigMaps and Secrets, as the engine takes it: found and checked already. */
export interface GivenConfig {
  /** The container's variables in their order, a later one over an earlier one of the same name; those of its spec that are written out included. */
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly mounts: readonly GivenMount[];
  readonly digests: ConfigDigests;
}

/** The files of one mount. */
export interface GivenMount {
  readonly mountPath: string;
  readonly uid: number;
  readonly gid: number;
  readonly files: readonly GivenFile[];
}

export interface GivenFile {
  /** Below the mount: relative and clean. */
  readonly path: string;
  readonly mode: number;
  readonly content: Buffer;
}

/** What was taken, by what it was taken from (`configmap default/web`) and its keys: SHA-256 of each value, in hexadecimal. */
export type ConfigDigests = Readonly<Record<string, Readonly<Record<string, string>>>>;
