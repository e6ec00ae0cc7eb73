import type { Clock, TimerHandle } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { ContainerSpec } from '../spec/container.ts';
import { durationMs } from '../spec/duration.ts';
import { imagePullPolicyOf } from '../spec/image-pull-policy.ts';
import type { ContainerName } from '../spec/name.ts';
import { exponentialDelay } from './backoff.ts';
import type { DesiredContainer } from './desired.ts';
import type { EventLog } from './events.ts';
import { imageRequest, type ImageRequest, type ImageSource } from './image-source.ts';
import { describeSpan } from './words.ts';

export interface ImageFollowerOptions {
  readonly images: Pick<ImageSource, 'latest'>;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly events: Pick<EventLog, 'record'>;
  /** What the tag of a container's image stands for is known, and was not before. */
  readonly onNews: (name: ContainerName) => void;
}

/** A tag that is followed, for all containers that ask for it alike. */
interface Followed {
  readonly request: ImageRequest;
  /** With the interval that each wants, in milliseconds. */
  readonly followers: Map<ContainerName, number>;
  readonly ended: AbortController;
  /** Whether there is a registry to ask. */
  readonly isRemote: boolean;
  latest: string | undefined;
  failures: number;
  timer: TimerHandle | undefined;
}

/** The longest wait after failures, unless the interval itself is longer. */
const MAX_BACKOFF_MS = 3_600_000;
/** The first question comes within this part of the interval, so that a node's containers don't all ask at its start. */
const FIRST = 0.2;

/** Asks registries what followed tags stand for: one question a tag and interval, with jitter, and ever more rarely while it fails. */
export class ImageFollower {
  readonly #options: ImageFollowerOptions;
  readonly #followed = new Map<string, Followed>();
  readonly #keys = new Map<ContainerName, string>();

  constructor(options: ImageFollowerOptions) {
    this.#options = options;
  }

  /** Takes up what a container wants now, or that it is wanted no more. */
  set(name: ContainerName, desired: DesiredContainer | undefined): void {
    const policy = desired?.container.spec.suspend === false ? desired.container.spec.imageUpdatePolicy : undefined;
    const key = policy && desired ? keyOf(imageRequest(desired.container), isRemote(desired.container.spec)) : undefined;
    const before = this.#keys.get(name);
    if (before !== undefined && before !== key) this.#leave(name, before);
    if (key === undefined || !policy || !desired) return;
    this.#keys.set(name, key);
    const interval = durationMs(policy.interval);
    const known = this.#followed.get(key);
    const sooner = known === undefined || interval < intervalOf(known);
    const followed = known ?? { request: imageRequest(desired.container), followers: new Map(), ended: new AbortController(), isRemote: isRemote(desired.container.spec), latest: undefined, failures: 0, timer: undefined };
    followed.followers.set(name, interval);
    this.#followed.set(key, followed);
    if (sooner) this.#askIn(followed, interval * FIRST * this.#options.random());
  }

  /** What the registry was last heard to keep under the tag of a followed image; undefined before it was heard. */
  latest(name: ContainerName): string | undefined {
    return this.#followed.get(this.#keys.get(name) ?? '')?.latest;
  }

  stop(): void {
    for (const [name, key] of this.#keys) this.#leave(name, key);
  }

  #leave(name: ContainerName, key: string): void {
    this.#keys.delete(name);
    const followed = this.#followed.get(key);
    followed?.followers.delete(name);
    if (!followed || followed.followers.size > 0) return;
    this.#followed.delete(key);
    this.#options.clock.clearTimeout(followed.timer);
    followed.ended.abort();
  }

  #askIn(followed: Followed, delay: number): void {
    const { clock } = this.#options;
    clock.clearTimeout(followed.timer);
    followed.timer = clock.setTimeout(() => void this.#ask(followed), delay);
  }

  /** Never rejects. */
  async #ask(followed: Followed): Promise<void> {
    const { images, random, onNews } = this.#options;
    const { request, ended } = followed;
    const before = followed.latest;
    try {
      if (followed.isRemote) followed.latest = await images.latest(request, ended.signal);
      followed.failures = 0;
    } catch (error) {
      if (ended.signal.aborted) return;
      this.#fail(followed, error);
    }
    if (ended.signal.aborted) return;
    // Where there is no registry, what the node has under the name is looked at again.
    if (followed.latest !== before || !followed.isRemote) for (const name of followed.followers.keys()) onNews(name);
    this.#askIn(followed, delayOf(followed) * (0.8 + 0.4 * random()));
  }

  #fail(followed: Followed, error: unknown): void {
    followed.failures++;
    if (followed.failures > 1) return; // told once in a row
    const next = describeSpan(delayOf(followed));
    for (const name of followed.followers.keys()) {
      this.#options.events.record({ type: 'Warning', reason: 'ImageNotFollowed', message: `what ${followed.request.image} stands for could not be asked: ${messageOf(error)}; asked again in about ${next}, then ever more rarely`, name });
    }
  }
}

/** Images made on the node, or never to be fetched, can only move here. */
function isRemote(spec: ContainerSpec): boolean {
  return imagePullPolicyOf(spec) !== 'Never';
}

function keyOf(request: ImageRequest, remote: boolean): string {
  return JSON.stringify([request.image, request.namespace, request.pullSecrets, remote]);
}

function intervalOf({ followers }: Followed): number {
  return Math.min(...followers.values());
}

function delayOf(followed: Followed): number {
  const interval = intervalOf(followed);
  return exponentialDelay(followed.failures, { initial: interval, max: Math.max(interval, MAX_BACKOFF_MS) });
}
