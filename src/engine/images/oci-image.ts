import type { Digest } from './digest.ts';

/** What an image says of the processes made from it (OCI image spec, config.md). Every field may be absent in images found in the wild. */
export interface ImageRuntimeConfig {
  readonly User?: string;
  /** `KEY=value`. */
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string;
}

/** The config blob; its digest is the image's ID. */
export interface ImageConfig {
  /** RFC 3339. */
  readonly created?: string;
  readonly architecture: string;
  readonly os: string;
  readonly config?: ImageRuntimeConfig;
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] };
  readonly history?: readonly { readonly created?: string; readonly created_by?: string }[];
}

/** A blob as others refer to it (OCI image spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** OCI image spec, manifest.md. */
export interface ImageManifest {
  readonly schemaVersion: 2;
  readonly mediaType: typeof MANIFEST_TYPE;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
export const TAR_LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar';
