import type { z } from 'zod';
import type { ParsedDocument } from '../parsed.ts';
import { Draft } from '../translate/draft.ts';
import type { Field } from '../translate/field.ts';
import { FieldError, type ProblemList } from '../translate/problem-list.ts';
import { entriesOf, fieldsAmong, textOf } from '../translate/read-field.ts';
import type { volumeSpecSchema } from '../volume.ts';
import { labelsOf, textsOf } from './labels.ts';
import { resourceNameOf } from './names.ts';
import { externalName, isExternal } from './networks.ts';

type VolumeInput = z.input<typeof volumeSpecSchema>;

export interface TranslatedVolume {
  /** `metadata.name` of the Volume. */
  readonly name: string;
  /** Undefined for one that is somebody else's to make. */
  readonly document: ParsedDocument | undefined;
}

/** One volume of the file: the `Volume` that it becomes, or what it is called where it is external. Throws FieldErrors. */
export function volumeOf(key: string, field: Field, project: string, problems: ProblemList): TranslatedVolume | undefined {
  const given = field.value === null ? {} : fieldsAmong(field, ['name', 'external', 'driver', 'driver_opts', 'labels']);
  const external = isExternal(given.external);
  const name = resourceNameOf(given.name === undefined ? (externalName(given.external) ?? (external ? key : `${project}_${key}`)) : textOf(given.name));
  if (external) return { name, document: undefined };
  if (given.driver !== undefined && textOf(given.driver) !== 'local') throw new FieldError(given.driver, `there is no volume driver ${textOf(given.driver)}`, 'use local; with driver_opts type, device and o it mounts what mount(8) can');
  const draft = new Draft<VolumeInput>();
  for (const [option, value] of given.driver_opts === undefined ? [] : entriesOf(given.driver_opts)) {
    if (option !== 'type' && option !== 'device' && option !== 'o') throw new FieldError(value, 'is an option that is not supported', 'the options here are type, device and o', true);
    draft.set({ options: { [option]: textOf(value) } }, value);
  }
  const metadata = labelsOf({ 'com.docker.compose.project': project, 'com.docker.compose.volume': key }, given.labels === undefined ? [] : textsOf(given.labels, 'labels'), []);
  const document = draft.document('Volume', { name, ...metadata }, field, problems);
  return document === undefined ? undefined : { name, document };
}
