import type { ImageHealthcheck } from '../engine/images/oci-image.ts';
import { durationMs } from '../spec/duration.ts';
import type { Healthcheck } from '../spec/healthcheck.ts';
import type { ContainerProbe } from '../spec/probe.ts';
import type { ProbeAction } from './prober.ts';

/** How a container is probed. Times are milliseconds. */
export interface Probe {
  readonly action: ProbeAction;
  /** Time from the start of the run to the first probe, and `interval` that from the start of one to the next, as Kubernetes has it. Without it, `interval` lies between the end of one and the next, and before the first, as Docker has it. */
  readonly delay?: number;
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
  /** Successes in a row that make it healthy. */
  readonly successes: number;
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
  /** Successes in a row that do not count yet. */
  readonly passingStreak?: number;
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
    action: { exec: { command: [...command] } },
    interval: span(spec?.interval, image?.Interval, DEFAULTS.interval),
    timeout: span(spec?.timeout, image?.Timeout, DEFAULTS.timeout),
    startPeriod: span(spec?.startPeriod, image?.StartPeriod, DEFAULTS.startPeriod),
    startInterval: span(spec?.startInterval, image?.StartInterval, DEFAULTS.startInterval),
    retries: spec?.retries ?? (image?.Retries || DEFAULTS.retries),
    successes: 1,
  };
}

/** The same of one of Kubernetes' probes. */
export function containerProbe({ exec, httpGet, tcpSocket, grpc, initialDelaySeconds, periodSeconds, timeoutSeconds, successThreshold, failureThreshold }: ContainerProbe): Probe {
  const interval = periodSeconds * 1000;
  return {
    action: { ...(exec && { exec }), ...(httpGet && { httpGet }), ...(tcpSocket && { tcpSocket }), ...(grpc && { grpc }) },
    delay: initialDelaySeconds * 1000,
    interval,
    timeout: timeoutSeconds * 1000,
    startPeriod: 0,
    startInterval: interval,
    retries: failureThreshold,
    successes: successThreshold,
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
  if (result.exitCode === 0) {
    const passingStreak = (health.passingStreak ?? 0) + 1;
    return health.status === 'Healthy' || passingStreak >= probe.successes ? { status: 'Healthy', failingStreak: 0, log } : { status: health.status, failingStreak: 0, passingStreak, log };
  }
  if (isStarting(health, probe, runningSince, result.startedAt)) return { status: health.status, failingStreak: health.failingStreak, log };
  const failingStreak = health.failingStreak + 1;
  return { status: failingStreak >= probe.retries ? 'Unhealthy' : health.status, failingStreak, log };
}

/** Milliseconds until the next probe. */
export function untilNextProbe(health: Health, probe: Probe, runningSince: number, now: number): number {
  if (probe.delay !== undefined) {
    const last = health.log.at(-1);
    // Whoever was paused, or waited for a place, does not catch up.
    const due = last === undefined ? runningSince + probe.delay : last.startedAt + probe.interval;
    return Math.min(Math.max(0, due - now), Math.max(probe.delay, probe.interval));
  }
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
