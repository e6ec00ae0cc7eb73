import type { z } from 'zod';
import { listed, nearest, quoted } from '../lib/text.ts';
import { API_VERSION } from './container.ts';
import { type FieldFault, faultsOf } from './field-fault.ts';
import { DNS_LABEL, DNS_SUBDOMAIN } from './kubernetes-names.ts';
import { CLUSTER_METADATA } from './metadata.ts';
import type { ResourceName } from './name.ts';
import { apiVersionOf, isConfigKind, nameOf, type Resource, RESOURCE_KINDS, type ResourceKind, schemaOf } from './resource.ts';
import { isMapping, type Path, valueAt, withoutNulls } from './schema-walk.ts';

export type Validation = { readonly resource: Resource } | { readonly faults: readonly FieldFault[] };

const API_GROUP = 'mooring.dev/';
const CORE = 'v1';

/** Validates and defaults one document that came out of YAML or JSON. Never throws. */
export function validate(value: unknown): Validation {
  if (!isMapping(value)) {
    return { faults: [{ path: [], onKey: false, message: `must be a mapping with apiVersion, kind, metadata and spec, not ${Array.isArray(value) ? 'a list' : 'a single value'}` }] };
  }
  const typeFaults = kindFaults(value);
  if (typeFaults.length > 0) return { faults: typeFaults };
  if (isClaimedConfig(value) && isMapping(value['sops'])) return { faults: [SOPS] };
  const schema = schemaOf(value['kind'] as ResourceKind);
  const document = withoutNulls(schema, withoutClusterFields(value));
  const result: z.ZodSafeParseResult<Resource> = schema.safeParse(document);
  return result.success ? { resource: result.data } : { faults: faultsOf(result.error.issues, schema, document, isValue) };
}

const SOPS: FieldFault = { path: ['sops'], onKey: true, message: 'the values are encrypted by SOPS, and are not decrypted here', fix: 'hand in what "sops --decrypt" prints' };

/** Whether a path leads to a value of a ConfigMap or a Secret, which nobody is to read in an error. */
export function isValue(path: Path, document: unknown): boolean {
  return isClaimedConfig(document) && VALUES.has(path[0]);
}

const VALUES: ReadonlySet<unknown> = new Set(['data', 'stringData', 'binaryData']);

function isClaimedConfig(value: unknown): boolean {
  const kind = RESOURCE_KINDS.find((known) => known === valueAt(value, ['kind']));
  return kind !== undefined && isConfigKind(kind);
}

/** What a document of ours claims to be, also where the rest of it is wrong; undefined where it can't be told. */
export function claimed(value: unknown): { readonly kind: ResourceKind; readonly name: ResourceName } | undefined {
  const apiVersion = valueAt(value, ['apiVersion']);
  if (typeof apiVersion === 'string' && !apiVersion.startsWith(API_GROUP) && !(apiVersion === CORE && isClaimedConfig(value))) return undefined;
  const name = valueAt(value, ['metadata', 'name']);
  const namespace = valueAt(value, ['metadata', 'namespace']) ?? 'default';
  if (typeof name !== 'string' || !DNS_SUBDOMAIN.pattern.test(name) || name.length > DNS_SUBDOMAIN.maxLength) return undefined;
  if (typeof namespace !== 'string' || !DNS_LABEL.pattern.test(namespace) || namespace.length > DNS_LABEL.maxLength) return undefined;
  // A kind that is written wrong is a container's more often than not.
  const kind = RESOURCE_KINDS.find((known) => known === valueAt(value, ['kind'])) ?? 'Container';
  return { kind, name: nameOf(kind, { namespace, name }) };
}

/** What is wrong with apiVersion and kind. Without them nothing else can be judged. */
function kindFaults(value: Record<string, unknown>): FieldFault[] {
  const { apiVersion } = value;
  const kinds = apiVersion === CORE ? RESOURCE_KINDS.filter(isConfigKind) : RESOURCE_KINDS.filter((kind) => !isConfigKind(kind));
  const known = apiVersion === CORE ? `known: ${CORE} with kind ${listed(['Pod', ...kinds], 'or')}` : `known: ${API_VERSION} with kind ${listed(kinds, 'or')}`;
  const missing = ['apiVersion', 'kind'].filter((field) => (value[field] ?? null) === null);
  if (missing.length === 2) return [{ path: [], onKey: false, message: 'has no apiVersion and no kind', fix: `begin with apiVersion: ${API_VERSION} and kind: Container` }];
  if (missing[0] !== undefined) return [{ path: [missing[0]], onKey: false, message: 'is required', fix: known }];
  const wanted = RESOURCE_KINDS.find((kind) => kind === value['kind']);
  const versions = [API_VERSION, CORE];
  if (wanted !== undefined && versions.includes(String(apiVersion)) && apiVersion !== apiVersionOf(wanted)) return [{ path: ['apiVersion'], onKey: false, message: `is not that of a ${wanted}`, fix: `write ${apiVersionOf(wanted)}` }];
  return [unknownWord('apiVersion', apiVersion, versions, known), unknownWord('kind', value['kind'], kinds, known)].flatMap((fault) => fault ?? []).slice(0, 1);
}

function unknownWord(field: string, word: unknown, known: readonly string[], fallback: string): FieldFault | undefined {
  if (typeof word !== 'string') return { path: [field], onKey: false, message: 'must be a string', fix: fallback };
  if (known.includes(word)) return undefined;
  const near = nearest(word, known);
  return { path: [field], onKey: false, message: `${quoted(word)} is not known here`, fix: near === undefined ? fallback : `did you mean ${near}?` };
}

function withoutClusterFields(value: Record<string, unknown>): Record<string, unknown> {
  const { status: _, ...document } = value;
  const metadata = document['metadata'];
  if (!isMapping(metadata)) return document;
  return { ...document, metadata: Object.fromEntries(Object.entries(metadata).filter(([field]) => !CLUSTER_METADATA.includes(field))) };
}
