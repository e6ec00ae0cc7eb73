import { z } from 'zod';
import { type Finding, foundBy } from './check.ts';
import { API_VERSION } from './container.ts';
import { grammarString } from './grammar.ts';
import { immutable } from './immutable.ts';
import { objectMetaSchema } from './metadata.ts';
import { PATH_MAX_LENGTH } from './path.ts';
import { volumeSizeSchema } from './resources.ts';

const FILE_SYSTEM = { pattern: /^[a-z0-9._-]+$/, maxLength: 64, what: 'a type of file system: lower-case letters, digits, `.`, `_` and `-`' };
// eslint-disable-next-line no-control-regex -- control characters are what it keeps out
const MOUNT_TEXT = { pattern: /^[^\x00-\x1f\x7f]+$/, maxLength: PATH_MAX_LENGTH, what: 'usable: it is empty, or holds control characters' };

const optionsSchema = z.strictObject({
  type: grammarString(FILE_SYSTEM).meta({ description: 'The type of file system, as mount(8) takes it behind `-t`: `ext4`, `nfs`, `tmpfs`, or `none` for a bind of the folder `device`.' }).optional(),
  device: grammarString(MOUNT_TEXT).meta({ description: 'What is mounted: a device, a server and its path, or with `o: bind` a folder of the node.' }).optional(),
  o: grammarString(MOUNT_TEXT).meta({ description: 'Options of the mount, divided by commas, as mount(8) takes them behind `-o`.' }).optional(),
});

const volumeSpecFields = z.strictObject({
  driver: z.enum(['Local']).meta({ description: '`Local`: a folder that Mooring keeps on the node, or what `options` mount.' }).default('Local'),
  options: optionsSchema
    .meta({ description: 'What to mount in place of a folder of its own, as `docker volume create -o` takes it. It is mounted in each container that has the volume, and nowhere else.' })
    .prefault({}),
  size: volumeSizeSchema.optional(),
  reclaimPolicy: z
    .enum(['Retain', 'Delete'])
    .meta({
      description:
        'What becomes of the data when the volume is wanted no more, and no container has it. `Retain`: it stays, and a volume of the same name has it again; `mooring volume rm` deletes it. `Delete`: it is deleted.',
    })
    .default('Retain'),
});

export type VolumeSpec = z.output<typeof volumeSpecFields>;

/** Fields that a volume keeps for as long as its data is there. */
export const VOLUME_IMMUTABLE = ['driver', 'options'] as const satisfies readonly (keyof VolumeSpec)[];

export const volumeSpecSchema = volumeSpecFields.check(foundBy(findings)).meta({ 'x-kubernetes-validations': immutable(VOLUME_IMMUTABLE) });

export const volumeResourceSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION).meta({ description: 'Always `mooring.dev/v1alpha1`.' }),
  kind: z.literal('Volume').meta({ description: 'Always `Volume`.' }),
  metadata: objectMetaSchema.meta({ description: 'Identity, labels and annotations.' }),
  spec: volumeSpecSchema.meta({ description: 'What the volume is like.' }).prefault({}),
});

/** A validated and defaulted `Volume` document, without status. */
export type Volume = z.output<typeof volumeResourceSchema>;

/** Whether the volume is a mount of something that lies elsewhere. */
export function isMountVolume({ options }: VolumeSpec): boolean {
  return options.type !== undefined || options.device !== undefined || options.o !== undefined;
}

/** Whether that is a folder of the node. */
export function isBindVolume({ options }: VolumeSpec): boolean {
  return mountOptions(options.o).some((option) => option === 'bind' || option === 'rbind');
}

/** `ro,size=64m` in its parts. */
export function mountOptions(o: string | undefined): string[] {
  return o === undefined ? [] : o.split(',').filter((option) => option !== '');
}

function findings(spec: VolumeSpec): Finding[] {
  const { type, device, o } = spec.options;
  if (!isMountVolume(spec)) return [];
  const bind = isBindVolume(spec);
  const at = (field: string, message: string, fix: string): Finding => ({ path: ['options', field], message, fix });
  return [
    ...(device === undefined ? [at('device', 'is required with type and o', "name what is to be mounted; `tmpfs` for a tmpfs")] : []),
    ...(type === undefined && !bind ? [at('type', 'is required', 'name the type of file system, or add `bind` to o')] : []),
    ...(type === 'none' && !bind ? [at('type', '`none` is no file system', 'add `bind` to o')] : []),
    ...(type !== undefined && type !== 'none' && bind ? [at('type', `a bind is a mount of a folder that is there, and has no type ${type}`, 'leave it out, or write none')] : []),
    ...(bind && device !== undefined && !/^\/(?!.*(^|\/)\.\.?(\/|$))/.test(device) ? [at('device', 'is not an absolute path without `..`', 'a bind wants a folder of the node')] : []),
    ...(mountOptions(o).includes('remount') ? [at('o', '`remount` changes a mount, and there is none yet', 'leave it out')] : []),
    ...(spec.size !== undefined ? [{ path: ['size'], message: 'is for volumes that are a folder of the node', fix: 'leave it out; a tmpfs takes its size in o' }] : []),
  ];
}
