import type { ImageDetails, ImageEngine } from '../../engine/images.ts';
import { pathPattern } from '../../engine/build/path-pattern.ts';
import { MooringError } from '../../lib/errors.ts';
import { DockerError } from './error-reply.ts';
import type { Filters } from './filters.ts';
import { familiarName, sought, tagsOf } from './image-names.ts';
import { secondsOf } from './image-object.ts';

/** The image of that name or ID. Throws 404 in the engine's words. */
export async function findImage(images: ImageEngine, name: string): Promise<ImageDetails> {
  try {
    return await images.inspect(name);
  } catch (error) {
    throw asMissing(error, name);
  }
}

/** "No such image" is what clients go by, in whatever an image is sought for. */
export function asMissing(error: unknown, name: string): unknown {
  if (!(error instanceof MooringError) || error.code !== 'NotFound') return error;
  return new DockerError(404, `No such image: ${sought(name)}`, { cause: error });
}

/** Every image that can be read, newest first. A damaged one is in no list of the API's; "mooring image ls" and "check" tell of it. */
export async function listImages(images: ImageEngine): Promise<ImageDetails[]> {
  const whole = (await images.list()).filter(({ damage }) => damage === undefined);
  const details = await Promise.all(whole.map(({ id }) => images.inspect(id).catch(passedOver)));
  return details.filter((image) => image !== undefined).toSorted((a, b) => secondsOf(b.created) - secondsOf(a.created) || (a.id < b.id ? -1 : 1));
}

function passedOver(error: unknown): undefined {
  // Removed since it was listed.
  if (error instanceof MooringError && error.code === 'NotFound') return undefined;
  throw error;
}

export const LIST_FILTERS = ['dangling', 'label', 'before', 'since', 'reference', 'until'] as const;
export const PRUNE_FILTERS = ['dangling', 'label', 'label!', 'until'] as const;

/** Those that the filters mean. */
export async function filterImages(images: ImageEngine, all: readonly ImageDetails[], filters: Filters): Promise<ImageDetails[]> {
  const dangling = filters.flag('dangling');
  const [before, since] = await Promise.all((['before', 'since'] as const).map((name) => timesOf(images, filters.values(name))));
  const until = untilOf(filters);
  const patterns = filters.values('reference').map(referencePattern);
  const meant = all.filter((image) => {
    const made = secondsOf(image.created);
    const tags = tagsOf(image);
    return (
      (dangling === undefined || dangling === (tags.length === 0)) &&
      filters.haveLabels(image.config.config?.Labels ?? {}) &&
      filters.lackLabels(image.config.config?.Labels ?? {}) &&
      (before ?? []).every((time) => made < time) &&
      (since ?? []).every((time) => made > time) &&
      (until === undefined || made * 1000 < until) &&
      (patterns.length === 0 || tags.some((tag) => patterns.some((matches) => matches(tag))))
    );
  });
  // A reference chooses among the names of an image, too.
  return patterns.length === 0 ? meant : meant.map((image) => ({ ...image, names: image.names.filter((name) => patterns.some((matches) => matches(familiarName(name)))) }));
}

async function timesOf(images: ImageEngine, names: readonly string[]): Promise<number[]> {
  return Promise.all(names.map(async (name) => secondsOf((await findImage(images, name)).created)));
}

/** A pattern of Go's `path.Match`, for the name with its tag or without. */
function referencePattern(pattern: string): (tag: string) => boolean {
  const matches = pathPattern(pattern);
  return (tag) => matches.test(tag) || matches.test(tag.slice(0, tag.lastIndexOf(':')));
}

const UNITS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** An instant as a filter has it: seconds since the epoch, a time of RFC 3339, or a duration of Go's back from now. Milliseconds since the epoch. */
export function untilOf(filters: Filters): number | undefined {
  const [value, ...more] = filters.values('until');
  if (value === undefined) return undefined;
  if (more.length > 0) throw new DockerError(400, 'more than one until filter specified');
  const instant = instantOf(value);
  if (instant === undefined) throw new DockerError(400, `invalid value for "until": failed to parse value as time or duration: ${JSON.stringify(value)}`);
  return instant;
}

/** The same of a query's `since` and `until`; undefined for what is none. */
export function instantOf(value: string): number | undefined {
  if (/^\d{1,12}(\.\d{1,9})?$/.test(value)) return Number(value) * 1000;
  if (/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(value)) {
    let span = 0;
    for (const [, count = '', unit = ''] of value.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) span += Number(count) * (UNITS[unit] ?? 0);
    return Date.now() - span;
  }
  const time = /^\d{4}-\d{2}-\d{2}/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

