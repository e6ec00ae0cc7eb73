import { posix } from 'node:path';
import type { CreateContext } from './create-context.ts';
import { bad } from './refusal.ts';
import type { SpecInput } from './spec-input.ts';

export type MountInput = NonNullable<SpecInput['mounts']>[number];

/** A volume that has to be there for the container; it is made where it is missing. */
export interface WantedVolume {
  readonly dockerName: string;
  /** `metadata.name`. */
  readonly name: string;
  /** Of the local driver: `type`, `device`, `o`. */
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Nobody gave it a name; `docker rm -v` takes it away. */
  readonly anonymous: boolean;
}

/** One mount, and the volume that it is of. */
export interface PlacedMount {
  readonly mount: MountInput;
  readonly volume?: WantedVolume;
}

/** A clean path of the container. Throws `Invalid` for one where nothing can be mounted. */
export function mountPoint(target: string, whole = target): string {
  if (!target.startsWith('/')) throw bad(`invalid volume specification: '${whole}': invalid mount path: '${target}' mount path must be absolute`);
  const place = posix.resolve('/', target);
  if (place === '/') throw bad(`invalid volume specification: '${whole}': invalid specification: destination can't be '/'`);
  return place;
}

const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

export interface VolumeDetails {
  readonly readOnly?: boolean;
  readonly noCopy?: boolean;
  readonly subPath?: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

export function namedVolume(dockerName: string, mountPath: string, { readOnly = false, noCopy = false, subPath = '', options = {}, labels = {} }: VolumeDetails, { volume }: CreateContext): PlacedMount {
  if (!VOLUME_NAME.test(dockerName)) {
    throw bad(`create ${dockerName}: "${dockerName}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`);
  }
  const name = volume(dockerName);
  return {
    mount: { mountPath, readOnly, volume: { name, noCopy, ...(subPath !== '' && { subPath }) } },
    volume: { dockerName, name, options, labels, anonymous: false },
  };
}

/** One that outlives the container as Docker's do; but of a container that is removed when it ends, one of its own, which goes with it. */
export function anonymousVolume(mountPath: string, details: VolumeDetails, context: CreateContext, autoRemove: boolean): PlacedMount {
  const { readOnly = false, noCopy = false, subPath = '', options = {}, labels = {} } = details;
  const plain = Object.keys(options).length === 0;
  if (autoRemove && plain) return { mount: { mountPath, readOnly, volume: { noCopy, ...(subPath !== '' && { subPath }) } } };
  const placed = namedVolume(context.newVolumeName(), mountPath, details, context);
  return placed.volume === undefined ? placed : { ...placed, volume: { ...placed.volume, labels, anonymous: true } };
}
