import { randomBytes } from 'node:crypto';
import type { VolumeState } from '../../engine/volumes.ts';
import type { Origin } from '../../reconcile/desired.ts';
import { API_VERSION } from '../../spec/container.ts';
import { type VolumeName, volumeName } from '../../spec/name.ts';
import type { Volume } from '../../spec/volume.ts';
import { NAME_ANNOTATION } from './create/container-of.ts';
import { checkedResource, declare, resourceLabels } from './declared.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import { ANONYMOUS_ANNOTATION, DOCKER_LABELS_ANNOTATION, resourceNameFor } from './resource-names.ts';

/** A volume as Docker's clients see it. */
export interface FoundVolume {
  readonly name: string;
  /** `<namespace>/<name>`. */
  readonly key: VolumeName;
  readonly volume: Volume;
  /** Undefined for one that nobody wants, but whose data is there, and for a container's own. */
  readonly origin: Origin | undefined;
  readonly state: VolumeState | undefined;
}

/** All of them, by name. */
export async function listVolumes(services: Pick<DockerServices, 'desired' | 'volumes'>): Promise<FoundVolume[]> {
  const keys = new Set([...services.desired.listOf('Volume').map(({ name }) => name), ...services.volumes.list()]);
  const found = await Promise.all([...keys].map((key) => lookAt(services, key)));
  return found.filter((each) => each !== undefined).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Throws 404. */
export async function findVolume(services: Pick<DockerServices, 'desired' | 'volumes'>, name: string): Promise<FoundVolume> {
  const usual = await lookAt(services, volumeName({ namespace: 'default', name: resourceNameFor(name) }));
  const found = usual?.name === name ? usual : (await listVolumes(services)).find((each) => each.name === name);
  if (found === undefined) throw new DockerError(404, `get ${name}: no such volume`);
  return found;
}

async function lookAt({ desired, volumes }: Pick<DockerServices, 'desired' | 'volumes'>, key: VolumeName): Promise<FoundVolume | undefined> {
  const wish = desired.getOf('Volume', key);
  const state = await volumes.inspect(key);
  const volume = wish?.volume ?? state?.volume;
  if (volume === undefined) return undefined;
  return { name: dockerName(volume), key, volume, origin: wish?.origin, state };
}

function dockerName({ metadata: { name, namespace, annotations } }: Volume): string {
  return annotations[NAME_ANNOTATION] ?? (namespace === 'default' ? name : `${namespace}.${name}`);
}

/** Every label of Docker's. */
export function volumeLabels({ volume: { metadata } }: Pick<FoundVolume, 'volume'>): Readonly<Record<string, string>> {
  const kept = metadata.annotations[DOCKER_LABELS_ANNOTATION];
  return kept === undefined ? metadata.labels : (JSON.parse(kept) as Record<string, string>);
}

/** Whether it was made for a container without a name of its own. */
export function isAnonymous({ volume: { metadata }, state }: FoundVolume): boolean {
  return metadata.annotations[ANONYMOUS_ANNOTATION] !== undefined || state?.owner !== undefined;
}

/** A name as the engine gives one to a volume that has none: 64 hexadecimal digits. */
export function newVolumeName(): string {
  return randomBytes(32).toString('hex');
}

/** A volume that is to be there. */
export interface VolumeWish {
  readonly dockerName: string;
  /** Of the local driver: `type`, `device`, `o`, `size`. */
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly anonymous: boolean;
}

const OPTIONS: ReadonlySet<string> = new Set(['type', 'device', 'o', 'size']);

/** Makes a volume of source `api`, unless there is one of that name. */
export async function ensureVolume(services: DockerServices, { dockerName: name, options, labels, anonymous }: VolumeWish): Promise<FoundVolume> {
  for (const option of Object.keys(options)) if (!OPTIONS.has(option)) throw new DockerError(400, `create ${name}: invalid option: ${JSON.stringify(option)}`);
  const key = volumeName({ namespace: 'default', name: resourceNameFor(name) });
  if (services.desired.getOf('Volume', key) !== undefined) return findVolume(services, name);
  const { size, ...mounted } = options;
  const volume = checkedResource({
    apiVersion: API_VERSION,
    kind: 'Volume',
    metadata: {
      name: resourceNameFor(name),
      labels: resourceLabels(labels),
      annotations: { [NAME_ANNOTATION]: name, [DOCKER_LABELS_ANNOTATION]: JSON.stringify(labels), ...(anonymous && { [ANONYMOUS_ANNOTATION]: 'true' }) },
    },
    spec: { options: mounted, ...(size !== undefined && { size }) },
  });
  await declare(services, volume, { kind: 'Volume', name: key });
  services.told.volume('create', name, { driver: 'local' });
  return findVolume(services, name);
}
