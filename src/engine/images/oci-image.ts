import { z } from 'zod';

import { MooringError } from '../../lib/errors.ts';
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
  /** `80/tcp`. */
  readonly ExposedPorts?: Readonly<Record<string, object>> | null;
  readonly Volumes?: Readonly<Record<string, object>> | null;
  /** Docker's own addition to the spec, as the three below are. */
  readonly Healthcheck?: ImageHealthcheck | null;
  /** What a shell form is run with. */
  readonly Shell?: readonly string[] | null;
  /** Instructions for the build that starts from the image. */
  readonly OnBuild?: readonly string[] | null;
}

/** Times are nanoseconds; absent or 0 means Docker's default. */
export interface ImageHealthcheck {
  /** `NONE`, or `CMD` with a program and its arguments, or `CMD-SHELL` with a line for the shell. */
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** The config blob; its digest is the image's ID. */
export interface ImageConfig {
  /** RFC 3339. */
  readonly created?: string;
  readonly author?: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly os: string;
  readonly config?: ImageRuntimeConfig;
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] };
  readonly history?: readonly ImageHistory[];
}

export interface ImageHistory {
  readonly created?: string;
  readonly created_by?: string;
  readonly comment?: string;
  /** Nothing in the list of layers stands for it. */
  readonly empty_layer?: boolean;
}

/** A blob as others refer to it (OCI image spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** OCI image spec, manifest.md; Docker's v2 schema 2 differs in its media types only. */
export interface ImageManifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string | undefined;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** GOOS, GOARCH and, for ARM, GOARM with a `v`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

/** OCI image spec, image-index.md; Docker's manifest list differs in its media type only. */
export interface ImageIndex {
  readonly manifests: readonly (Descriptor & { readonly platform?: Platform | undefined; readonly annotations?: Readonly<Record<string, string>> | undefined })[];
}

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
export const TAR_LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar';
export const GZIP_LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip';
export const ZSTD_LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar+zstd';
export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
export const DOCKER_MANIFEST_TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_LIST_TYPE = 'application/vnd.docker.distribution.manifest.list.v2+json';

/** Every form of manifest that is understood, for an `Accept` header. */
export const MANIFEST_TYPES: readonly string[] = [MANIFEST_TYPE, INDEX_TYPE, DOCKER_MANIFEST_TYPE, DOCKER_LIST_TYPE];

const CONFIG_TYPES = new Set([CONFIG_TYPE, 'application/vnd.docker.container.image.v1+json']);
const LAYER = /^application\/vnd\.(oci\.image\.layer\.(nondistributable\.)?v1\.tar(\+gzip|\+zstd)?|docker\.image\.rootfs\.(foreign\.)?diff\.tar(\.gzip|\.zstd)?)$/;

/** More layers than overlayfs takes in one mount (500 in Linux; the option string ends earlier in old ones). */
const MAX_LAYERS = 500;
const MAX_ARRAY = 10_000;
/** Nesting of JSON that no manifest or config needs. */
const MAX_DEPTH = 64;
const INDEX_TYPES = new Set([INDEX_TYPE, DOCKER_LIST_TYPE]);

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'is not a sha256 digest').transform((text) => text as Digest);
const descriptor = z.object({ mediaType: z.string(), digest, size: z.int().min(0) });
const platform = z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() });

const manifestSchema = z.object({ schemaVersion: z.literal(2), mediaType: z.string().optional(), config: descriptor, layers: z.array(descriptor).max(MAX_LAYERS) });
const indexSchema = z.object({
  schemaVersion: z.literal(2),
  manifests: z.array(descriptor.extend({ platform: platform.optional(), annotations: z.record(z.string(), z.string()).optional() })).max(MAX_ARRAY),
});
/** What a process may be given; no system call takes a NUL. */
const kernelText = z.string().refine((text) => !text.includes('\0'), 'holds a NUL character');
const words = z.array(kernelText).max(MAX_ARRAY).nullish();
const named = z.record(z.string(), z.unknown()).refine((items) => Object.keys(items).length <= MAX_ARRAY, 'has too many items').nullish();
const runtimeSchema = z.looseObject({
  User: kernelText.nullish(),
  Env: words,
  Entrypoint: words,
  Cmd: words,
  WorkingDir: kernelText.nullish(),
  StopSignal: z.string().nullish(),
  Labels: z.record(z.string(), z.string()).nullish(),
  ExposedPorts: named,
  Volumes: named,
  Shell: words,
  OnBuild: words,
  Healthcheck: z.looseObject({ Test: words }).nullish(),
});
const historySchema = z.looseObject({ created: z.string().nullish(), created_by: z.string().nullish(), comment: z.string().nullish(), empty_layer: z.boolean().nullish() });
const configSchema = z.looseObject({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().nullish(),
  created: z.string().nullish(),
  config: runtimeSchema.nullish(),
  rootfs: z.looseObject({ type: z.literal('layers'), diff_ids: z.array(digest).max(MAX_LAYERS) }),
  history: z.array(historySchema).max(MAX_ARRAY).nullish(),
});

/** A manifest or an index, by what it holds. Throws `Invalid`, or `Unsupported` for an artifact that is no container image. */
export function parseManifest(content: Uint8Array, what: string): { readonly manifest: ImageManifest } | { readonly index: ImageIndex } {
  const json = parseJson(content, what);
  refuseAmbiguous(json, what);
  if (typeof json === 'object' && json !== null && 'manifests' in json) return { index: checked(indexSchema, json, what) };
  if (typeof json === 'object' && json !== null && 'schemaVersion' in json && json.schemaVersion === 1) {
    throw new MooringError('Unsupported', `${what} is in Docker's schema 1, which has been obsolete since 2017`, { fix: 'have the image pushed again by a current tool' });
  }
  const manifest = checked(manifestSchema, json, what);
  if (!CONFIG_TYPES.has(manifest.config.mediaType)) throw new MooringError('Unsupported', `${what} is no container image: its config is of type ${manifest.config.mediaType}`);
  const strange = manifest.layers.find(({ mediaType }) => !LAYER.test(mediaType));
  if (strange) throw new MooringError('Unsupported', `${what} has a layer of type ${strange.mediaType}, which can't be unpacked`);
  return { manifest };
}

/** One content must not be a manifest to one reader and an index to another (OCI image spec, "mediaType"; CVE-2021-41190). */
function refuseAmbiguous(json: unknown, what: string): void {
  if (typeof json !== 'object' || json === null) return;
  const isIndex = 'manifests' in json;
  const both = isIndex && ('layers' in json || 'config' in json || 'fsLayers' in json);
  const type = 'mediaType' in json ? json.mediaType : undefined;
  const contradicts = typeof type === 'string' && (isIndex ? type === MANIFEST_TYPE || type === DOCKER_MANIFEST_TYPE : INDEX_TYPES.has(type));
  if (both || contradicts) throw new MooringError('Invalid', `${what} is both a manifest and an index`);
}

/** The config of an image with as many layers. Throws `Invalid`. */
export function parseConfig(content: Uint8Array, what: string, layers?: number): ImageConfig {
  const config = checked(configSchema, parseJson(content, what), what) as unknown as ImageConfig;
  const { length } = config.rootfs.diff_ids;
  if (layers !== undefined && length !== layers) throw new MooringError('Invalid', `${what} speaks of ${length} layers, and the manifest has ${layers}`);
  return config;
}

function parseJson(content: Uint8Array, what: string): unknown {
  if (depthOf(content) > MAX_DEPTH) throw new MooringError('Invalid', `${what} is nested more than ${MAX_DEPTH} deep`);
  try {
    return JSON.parse(Buffer.from(content).toString());
  } catch (cause) {
    throw new MooringError('Invalid', `${what} is not JSON`, { cause });
  }
}

/** The deepest nesting of a JSON text; of what is none, some number. */
function depthOf(content: Uint8Array): number {
  const [QUOTE, BACKSLASH, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [...Buffer.from('"\\{}[]')];
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < content.length; index++) {
    const byte = content[index];
    if (inString) {
      if (byte === BACKSLASH) index++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN || byte === OPEN_LIST) deepest = Math.max(deepest, ++depth);
    else if (byte === CLOSE || byte === CLOSE_LIST) depth--;
  }
  return deepest;
}

function checked<T>(schema: z.ZodType<T>, json: unknown, what: string): T {
  const { success, data, error } = schema.safeParse(json);
  if (success) return data;
  const [issue] = error.issues;
  throw new MooringError('Invalid', `${what} is malformed: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trimEnd());
}
