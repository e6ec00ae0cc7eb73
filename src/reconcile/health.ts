import type { ImageHealthcheck } from '../engine/images/oci-image.ts';
import { durationMs } from '../spec/duration.ts';
import type { Healthcheck } from '../spec/healthcheck.ts';

/** How a container is probed. Times are milliseconds. */
export interface Probe {
  readonly command: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

/** One probe that was made. Times are milliseconds since the epoch. */
export interface ProbeResult {
  readonly startedAt: number;
  readonly endedAt: number;
  /** -1 for one that took too long, or could not be made. */
  readonly exitCode: number;
  /** What it wrote, or why it failed; at most 4 KiB. */
  readonly output: string;
}

/** How the present run of a container is, by its probes. */
export interface Health {
  readonly status: 'Starting' | 'Healthy' | 'Unhealthy';
  /** Failures in a row that count. */
  readonly failingStreak: number;
  /** The last few, oldest first. */
  readonly log: readonly ProbeResult[];
}

/** Docker's own. */
const DEFAULTS = { interval: 30_000, timeout: 30_000, startPeriod: 0, startInterval: 5_000, retries: 3 };
const KEPT = 5;
const NANOS_PER_MS = 1e6;

export const startingHealth: Health = { status: 'Starting', failingStreak: 0, log: [] };

/** What the spec says, over what the image does; undefined where nothing is to be probed. */
export function probeOf(spec: Healthcheck | undefined, image: ImageHealthcheck | null | undefined): Probe | undefined {
  if (spec?.disabled === true) return undefined;
  const command = spec?.command ?? imageCommand(image?.Test ?? []);
  if (command === undefined) return undefined;
  const span = (own: string | undefined, nanos: number | undefined, usual: number): number => (own !== undefined ? durationMs(own) : nanos !== undefined && nanos > 0 ? Math.ceil(nanos / NANOS_PER_MS) : usual);
  return {
    command,
    interval: span(spec?.interval, image?.Interval, DEFAULTS.interval),
    timeout: span(spec?.timeout, image?.Timeout, DEFAULTS.timeout),
    startPeriod: span(spec?.startPeriod, image?.StartPeriod, DEFAULTS.startPeriod),
    startInterval: span(spec?.startInterval, image?.StartInterval, DEFAULTS.startInterval),
    retries: spec?.retries ?? (image?.Retries || DEFAULTS.retries),
  };
}

function imageCommand([kind, ...words]: readonly string[]): readonly string[] | undefined {
  if (words.length === 0) return undefined;
  if (kind === 'CMD') return words;
  return kind === 'CMD-SHELL' ? ['/bin/sh', '-c', ...words] : undefined;
}

/** How it is after one more probe of a run that began at `runningSince`. */
export function afterProbe(health: Health, result: ProbeResult, probe: Probe, runningSince: number): Health {
  const log = [...health.log, result].slice(-KEPT);
  if (result.exitCode === 0) return { status: 'Healthy', failingStreak: 0, log };
  if (isStarting(health, probe, runningSince, result.startedAt)) return { ...health, log };
  const failingStreak = health.failingStreak + 1;
  return { status: failingStreak >= probe.retries ? 'Unhealthy' : health.status, failingStreak, log };
}

/** Milliseconds until the next probe. */
export function untilNextProbe(health: Health, probe: Probe, runningSince: number, now: number): number {
  return isStarting(health, probe, runningSince, now) ? probe.startInterval : probe.interval;
}

function isStarting({ status }: Health, { startPeriod }: Probe, runningSince: number, now: number): boolean {
  return status === 'Starting' && now - runningSince < startPeriod;
}

/** For people. */
export function describeHealth({ status, failingStreak, log }: Health): string {
  const last = log.at(-1);
  switch (status) {
    case 'Starting':
      return 'no probe has passed yet';
    case 'Healthy':
      return 'a probe has passed';
    case 'Unhealthy':
      return `${failingStreak} probes in a row failed, the last ${last === undefined || last.exitCode === -1 ? '' : `with exit code ${last.exitCode}`}: ${last?.output.trim() ?? ''}`.replace('last : ', 'last: ');
  }
}
