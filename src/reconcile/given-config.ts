import { createHash } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import type { GivenConfig, GivenFile, GivenMount } from '../engine/config.ts';
import { quoted } from '../lib/text.ts';
import type { Container } from '../spec/container.ts';
import type { Mount } from '../spec/mount.ts';
import { type ConfigKind, type ConfigResource, describeResource } from '../spec/resource.ts';
import { configKey, type ConfigUse, isConfigMount, mountSources, usesConfig } from './config-uses.ts';
import type { DesiredStore } from './desired.ts';
import type { UnmetNeed } from './needs.ts';

/** The ConfigMap or Secret that is desired now. */
export type ConfigLookup = (key: ConfigUse['key']) => ConfigResource | undefined;

/** The one that the desired store has. */
export function configIn(desired: Pick<DesiredStore, 'getOf'>, { kind, name }: ConfigUse['key']): ConfigResource | undefined {
  return kind === 'ConfigMap' ? desired.getOf(kind, name)?.configMap : desired.getOf(kind, name)?.secret;
}

/** What a container gets, or all that it waits for. No text in it tells a value. */
export interface TakenConfig {
  /** Undefined where something is missing, and where the container asks for nothing. */
  readonly given: GivenConfig | undefined;
  readonly unmet: readonly UnmetNeed[];
}

const NOTHING: TakenConfig = { given: undefined, unmet: [] };
/** The longest variable that execve(2) takes, with its name. */
const MAX_VARIABLE = 131_071;

interface Value {
  readonly bytes: Buffer;
  readonly digest: string;
}

/** Takes from ConfigMaps and Secrets what a container's spec asks for. Pure: the same documents give the same. */
export function takeConfig(container: Container, lookup: ConfigLookup): TakenConfig {
  const { metadata, spec } = container;
  if (!usesConfig(spec)) return NOTHING;
  const taking = new Taking(metadata.namespace, lookup);
  const env = new Map<string, string>();
  for (const { prefix, configMapRef, secretRef } of spec.envFrom) {
    const [kind, ref] = configMapRef ? (['ConfigMap', configMapRef] as const) : (['Secret', secretRef ?? { name: '', optional: true }] as const);
    // As in Kubernetes, bytes of a ConfigMap are for mounts.
    for (const key of taking.keysOf(kind, ref, 'texts')) taking.asVariable(env, `${prefix}${key}`, kind, { ...ref, key });
  }
  for (const { name, value, valueFrom } of spec.env) {
    if (valueFrom === undefined) env.set(name, value);
    else if (valueFrom.configMapKeyRef) taking.asVariable(env, name, 'ConfigMap', valueFrom.configMapKeyRef);
    else if (valueFrom.secretKeyRef) taking.asVariable(env, name, 'Secret', valueFrom.secretKeyRef);
  }
  const mounts = spec.mounts.filter(isConfigMount).map((mount) => mountOf(mount, taking));
  if (taking.unmet.length > 0) return { given: undefined, unmet: taking.unmet };
  return { given: { env: [...env].map(([name, value]) => ({ name, value })), mounts, digests: taking.digests }, unmet: [] };
}

function mountOf(mount: Mount, taking: Taking): GivenMount {
  const { defaultMode = '0644', uid = 0, gid = 0, subPath } = mount.configMap ?? mount.secret ?? mount.projected ?? {};
  const files = new Map<string, GivenFile>();
  for (const { kind, name, items, optional } of mountSources(mount)) {
    const ref = { name, optional };
    const wanted: readonly { readonly key: string; readonly path: string; readonly mode?: string | undefined }[] = items.length > 0 ? items : taking.keysOf(kind, ref, 'all').map((key) => ({ key, path: key }));
    for (const item of wanted) {
      const value = taking.take(kind, { ...ref, key: item.key });
      if (value !== undefined) files.set(item.path, { path: item.path, mode: Number.parseInt(item.mode ?? defaultMode, 8), content: value.bytes });
    }
  }
  const [source] = mountSources(mount);
  const paths = [...files.keys()];
  const clash = paths.find((path) => paths.some((other) => other.startsWith(`${path}/`)));
  const isShown = subPath === undefined || paths.some((path) => path === subPath || path.startsWith(`${subPath}/`));
  if (source !== undefined && clash !== undefined) taking.refuse(source.kind, source.name, `${clash} is to be both a file and a folder below ${mount.mountPath}`);
  else if (source !== undefined && !isShown && taking.unmet.length === 0) taking.refuse(source.kind, source.name, `there is no ${subPath} in what ${mount.mountPath} is to show`);
  return { mountPath: mount.mountPath, uid, gid, files: [...files.values()] };
}

interface Ref {
  readonly name: string;
  readonly optional: boolean;
}

/** Takes values, and notes what was taken and what was not there, each once. */
class Taking {
  readonly digests: Record<string, Record<string, string>> = {};
  readonly #namespace: string;
  readonly #lookup: ConfigLookup;
  readonly #unmet = new Map<string, UnmetNeed>();

  constructor(namespace: string, lookup: ConfigLookup) {
    this.#namespace = namespace;
    this.#lookup = lookup;
  }

  get unmet(): readonly UnmetNeed[] {
    return [...this.#unmet.values()];
  }

  /** The keys of all its values, or of those that are texts. */
  keysOf(kind: ConfigKind, { name, optional }: Ref, which: 'all' | 'texts'): string[] {
    const resource = this.#find(kind, name, optional);
    if (resource === undefined) return [];
    return which === 'texts' && resource.kind === 'ConfigMap' ? Object.keys(resource.data) : [...valuesOf(resource).keys()];
  }

  take(kind: ConfigKind, { name, key, optional }: Ref & { readonly key: string }): Value | undefined {
    const resource = this.#find(kind, name, optional);
    if (resource === undefined) return undefined;
    const value = valuesOf(resource).get(key);
    const what = this.#describe(kind, name);
    if (value !== undefined) (this.digests[what] ??= {})[key] = value.digest;
    else if (!optional) this.#miss(kind, name, 'KeyMissing', `it waits for the key ${quoted(key)} of ${what}, which has no such key; add it there, or take it out of the container`);
    return value;
  }

  asVariable(env: Map<string, string>, variable: string, kind: ConfigKind, ref: Ref & { readonly key: string }): void {
    const value = this.take(kind, ref);
    if (value === undefined) return;
    const { bytes } = value;
    const why = bytes.includes(0) ? 'holds a NUL byte' : !isUtf8(bytes) ? 'is not text in UTF-8' : bytes.length + variable.length + 1 > MAX_VARIABLE ? `is ${bytes.length} bytes long` : undefined;
    if (why === undefined) env.set(variable, bytes.toString('utf8'));
    else this.refuse(kind, ref.name, `its key ${quoted(ref.key)} ${why}, and can't be the variable ${variable}; mount it as a file`);
  }

  refuse(kind: ConfigKind, name: string, why: string): void {
    this.#miss(kind, name, 'Unusable', `it can't use ${this.#describe(kind, name)}: ${why}`);
  }

  #find(kind: ConfigKind, name: string, optional: boolean): ConfigResource | undefined {
    const found = this.#lookup(configKey(kind, this.#namespace, name));
    // Named, so that its coming and going are changes, too.
    if (found !== undefined) this.digests[this.#describe(kind, name)] ??= {};
    else if (!optional) this.#miss(kind, name, 'Missing', `it waits for ${this.#describe(kind, name)}, which nobody has declared; declare a ${kind} of that name, or take it out of the container`);
    return found;
  }

  #describe(kind: ConfigKind, name: string): string {
    return describeResource(kind, configKey(kind, this.#namespace, name).name);
  }

  #miss(kind: ConfigKind, name: string, reason: string, message: string): void {
    this.#unmet.set(message, { ...configKey(kind, this.#namespace, name), reason: `${kind}${reason}`, message, isComing: false });
  }
}

/** Documents never change, so what they hold is worked out once. */
const known = new WeakMap<ConfigResource, ReadonlyMap<string, Value>>();

function valuesOf(resource: ConfigResource): ReadonlyMap<string, Value> {
  const before = known.get(resource);
  if (before !== undefined) return before;
  const texts = resource.kind === 'ConfigMap' ? Object.entries(resource.data) : [];
  const binary = Object.entries(resource.kind === 'ConfigMap' ? resource.binaryData : resource.data);
  const bytes: [string, Buffer][] = [...texts.map(([key, text]): [string, Buffer] => [key, Buffer.from(text)]), ...binary.map(([key, text]): [string, Buffer] => [key, Buffer.from(text, 'base64')])];
  const values = new Map(bytes.map(([key, content]) => [key, { bytes: content, digest: createHash('sha256').update(content).digest('hex') }]));
  known.set(resource, values);
  return values;
}
