import type { CredentialFinder } from '../../lib/credentials.ts';
import { MooringError } from '../../lib/errors.ts';
import { parseImageReference } from '../../spec/image-reference.ts';
import type { ImageEngine, ImageProgress } from '../images.ts';
import type { Platform } from '../images/oci-image.ts';
import type { Hold } from '../images/pins.ts';
import { formatPlatform } from '../images/platform.ts';
import type { ImageRoom } from '../images/room.ts';
import { digestsOf, readStoredImage, type StoredImage } from '../images/stored-image.ts';
import { parseDigest } from '../images/digest.ts';
import type { BuiltStage } from './build-session.ts';

/** Its images are made here and in no registry. */
const LOCAL_REGISTRY = 'mooring.local';
const TELL_EVERY_MS = 1000;

export interface BaseImageOptions {
  readonly room: ImageRoom;
  readonly images: Pick<ImageEngine, 'pull'>;
  /** Ask the registry even where the image is here. */
  readonly pull: boolean;
  readonly held: Hold;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
  readonly credentials: CredentialFinder | undefined;
}

/** The image that a stage starts from, or copies from, held in the store; fetched where it is missing or of another platform. */
export async function baseImage(reference: string, platform: Platform, options: BaseImageOptions): Promise<BuiltStage> {
  const { images, pull, signal } = options;
  const isLocal = isLocalName(reference);
  const present = pull && !isLocal ? undefined : await stored(reference, options);
  if (present && isFor(present, platform)) return toStage(present);
  if (isLocal && present) throw otherPlatform(reference, platform, present);
  if (isLocal) throw new MooringError('NotFound', `image ${reference} is not in the store`, { fix: 'make it with "mooring image bootstrap", "mooring build -t" or "mooring image import"' });
  await images.pull(reference, { platform, signal, onProgress: teller(reference, options.onProgress), ...(options.credentials && { credentials: options.credentials }) });
  const fetched = await stored(reference, options);
  if (!fetched) throw new MooringError('Unavailable', `image ${reference} went while it was fetched`);
  if (!isFor(fetched, platform)) throw otherPlatform(reference, platform, fetched);
  return toStage(fetched);
}

async function stored(reference: string, { room, held }: BaseImageOptions): Promise<StoredImage | undefined> {
  try {
    const { named, records } = room.images.find(reference);
    const record = named ?? records[0];
    if (!record) return undefined;
    await held.add([parseDigest(record.manifestDigest), parseDigest(record.imageId), ...record.chainIds.map(parseDigest)]);
    const image = await readStoredImage(room, record);
    await held.add(digestsOf(parseDigest(record.manifestDigest), image.manifest, image.layers));
    return (await room.images.isWhole(record.name)) ? image : undefined;
  } catch (error) {
    if (error instanceof MooringError && error.code === 'NotFound') return undefined;
    throw error;
  }
}

function isLocalName(reference: string): boolean {
  try {
    return parseImageReference(reference).registry === LOCAL_REGISTRY;
  } catch (error) {
    // An ID names what is here.
    if (error instanceof MooringError) return /^(sha256:)?[0-9a-f]{6,64}$/.test(reference);
    throw error;
  }
}

function isFor({ config }: StoredImage, { os, architecture }: Platform): boolean {
  return config.os === os && config.architecture === architecture;
}

function otherPlatform(reference: string, wanted: Platform, { config }: StoredImage): MooringError {
  return new MooringError('NotFound', `image ${reference} is not for ${formatPlatform(wanted)} but ${formatPlatform(config)}`);
}

function toStage({ config, layers }: StoredImage): BuiltStage {
  const created = Date.parse(config.created ?? '');
  return {
    layers,
    config: config.config ?? {},
    history: config.history ?? [],
    platform: { os: config.os, architecture: config.architecture, ...(config.variant !== undefined && { variant: config.variant }) },
    author: config.author,
    createdAt: Number.isNaN(created) ? 0 : created,
  };
}

function teller(reference: string, onProgress: (text: string) => void): (progress: ImageProgress) => void {
  const layers = new Map<string, ImageProgress & { type: 'LAYER' }>();
  let toldAt = 0;
  return (progress) => {
    if (progress.type !== 'LAYER') return;
    layers.set(progress.digest, progress);
    const now = Date.now();
    if (now - toldAt < TELL_EVERY_MS) return;
    toldAt = now;
    const sum = (values: readonly number[]): string => (values.reduce((total, value) => total + value, 0) / 1e6).toFixed(1);
    const all = [...layers.values()];
    onProgress(`fetches ${reference}: ${sum(all.map(({ bytes }) => bytes))} of ${sum(all.map(({ size }) => size))} MB`);
  };
}
