import { isUtf8 } from 'node:buffer';
import type { ParsedDocument } from '../parsed.ts';
import { resourceName } from '../resource.ts';
import { fieldPath } from '../schema-walk.ts';
import type { DraftMetadata } from '../translate/draft.ts';
import type { Field } from '../translate/field.ts';
import { FieldError, type ProblemList } from '../translate/problem-list.ts';
import { fieldsAmong, isMap, itemsOf, textOf } from '../translate/read-field.ts';
import { validate } from '../validate.ts';
import { labelsOf, textsOf } from './labels.ts';
import { resourceNameOf } from './names.ts';
import { externalName, isExternal } from './networks.ts';
import { absolutePath } from './service/handler.ts';
import type { Lookup } from './template.ts';

export type ConfigSection = 'configs' | 'secrets';
export const CONFIG_SECTIONS: readonly ConfigSection[] = ['configs', 'secrets'];

const KIND = { configs: 'ConfigMap', secrets: 'Secret' } as const;
export const CONFIG_WORD = { configs: 'config', secrets: 'secret' } as const;

/** A config or a secret of a compose file: the ConfigMap or Secret that it becomes, and the key that holds it. */
export interface TranslatedConfig {
  readonly name: string;
  readonly key: string;
  /** Undefined for one that is somebody else's to make. */
  readonly document: ParsedDocument | undefined;
}

export interface ConfigInputs {
  readonly project: string;
  readonly lookup: Lookup;
  /** The files that configs and secrets name, by absolute path. */
  readonly files: ReadonlyMap<string, Uint8Array | undefined>;
  readonly problems: ProblemList;
}

/** The configs and secrets that services have, each with the field that declares it, if any does. */
export function declaredConfigs(root: Field, services: Iterable<Field>): Map<ConfigSection, Map<string, Field>> {
  const found = new Map<ConfigSection, Map<string, Field>>();
  const all = [...services];
  for (const section of CONFIG_SECTIONS) {
    const names = all.flatMap((service) => sourcesOf(service.get(section)));
    const declared = names.flatMap((name) => {
      const field = root.get(section)?.get(name);
      return field === undefined ? [] : [[name, field] as const];
    });
    found.set(section, new Map(declared));
  }
  return found;
}

/** The file that holds one of them; undefined where it is held otherwise. Throws FieldErrors. */
export function configFileOf(declared: Field): string | undefined {
  const file = declared.get('file');
  return file === undefined ? undefined : absolutePath(file, textOf(file));
}

/** What one of them becomes. Throws FieldErrors. */
export function configOf(section: ConfigSection, key: string, field: Field, { project, lookup, files, problems }: ConfigInputs): TranslatedConfig | undefined {
  const given = fieldsAmong(field, ['name', 'external', 'file', 'environment', 'content', 'labels', 'template_driver', 'driver', 'driver_opts']);
  for (const driver of [given.template_driver, given.driver, given.driver_opts]) if (driver !== undefined) throw new FieldError(driver, 'there are no drivers of configs and secrets', 'leave it out', true);
  if (section === 'secrets' && given.content !== undefined) throw new FieldError(given.content, 'is for configs: a secret is in no compose file', 'write file: or environment:', true);
  const named = given.name === undefined ? externalName(given.external) : textOf(given.name);
  if (isExternal(given.external)) return { name: resourceNameOf(named ?? key), key: named ?? key, document: undefined };
  const content = contentOf(given, field, files, lookup);
  const name = resourceNameOf(named ?? `${project}_${key}`);
  const labels = labelsOf({ 'com.docker.compose.project': project }, given.labels === undefined ? [] : textsOf(given.labels, 'labels'), []);
  const document = documentOf(KIND[section], { name, ...labels }, { key, content, field, problems });
  return document === undefined ? undefined : { name, key, document };
}

type Given = Partial<Record<'file' | 'environment' | 'content', Field>>;

function contentOf({ file, environment, content }: Given, field: Field, files: ConfigInputs['files'], lookup: Lookup): Buffer {
  const ways = [file, environment, content].filter((way) => way !== undefined);
  if (ways.length === 0) throw new FieldError(field, 'says not where it is', 'write file: ./path');
  if (ways[1] !== undefined) throw new FieldError(ways[1], 'is a second way to say it', 'keep one of file, environment and content', true);
  if (content !== undefined) return Buffer.from(textOf(content));
  if (environment !== undefined) {
    const value = lookup(textOf(environment));
    if (value === undefined) throw new FieldError(environment, `the variable ${textOf(environment)} is not set`, 'set it in .env beside the file');
    return Buffer.from(value);
  }
  const path = configFileOf(field) ?? '';
  const bytes = files.get(path);
  if (bytes === undefined) throw new FieldError(file ?? field, `there is no file ${path}`, 'make it');
  return Buffer.from(bytes);
}

function documentOf(kind: 'ConfigMap' | 'Secret', metadata: DraftMetadata, { key, content, field, problems }: { readonly key: string; readonly content: Buffer; readonly field: Field; readonly problems: ProblemList }): ParsedDocument | undefined {
  const held = kind === 'Secret' ? { data: { [key]: content.toString('base64') } } : isUtf8(content) ? { data: { [key]: content.toString('utf8') } } : { binaryData: { [key]: content.toString('base64') } };
  const result = validate({ apiVersion: 'v1', kind, metadata, ...held });
  if ('resource' in result) return { resource: result.resource, file: problems.file, at: field.source.name === problems.file ? field.keyAt : `${problems.file}:1:1`, name: resourceName(result.resource) };
  for (const { path, message, fix } of result.faults) problems.fault(field, `${fieldPath(path)}: ${message}`, fix);
  return undefined;
}

/** What a service names; a mistake in it is told where it is translated. */
function sourcesOf(field: Field | undefined): string[] {
  if (field === undefined || !Array.isArray(field.value)) return [];
  return itemsOf(field).flatMap((item) => {
    const source = isMap(item) ? item.get('source') : item;
    return typeof source?.value === 'string' ? [source.value] : [];
  });
}
