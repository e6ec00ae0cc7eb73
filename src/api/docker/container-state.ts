import type { Health } from '../../reconcile/health.ts';
import type { ContainerView } from '../../reconcile/view.ts';
import { DockerError } from './error-reply.ts';
import { humanDuration } from './human-duration.ts';

export const CONTAINER_STATES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'] as const;
export type ContainerState = (typeof CONTAINER_STATES)[number];

export const HEALTH_STATES = ['none', 'starting', 'healthy', 'unhealthy'] as const;
export type HealthState = (typeof HEALTH_STATES)[number];
const HEALTH_NOTES: Readonly<Record<HealthState, string>> = { none: '', starting: ' (health: starting)', healthy: ' (healthy)', unhealthy: ' (unhealthy)' };

/** Go's zero time: it did not happen. */
export const NEVER = '0001-01-01T00:00:00Z';

/** Why the last start failed, and the exit code that stands for that. */
export interface StartFailure {
  readonly exitCode: number;
  readonly message: string;
}

/** Docker's word for what a container does. */
export function stateOf({ status, phase, origin, container }: ContainerView): ContainerState {
  if (status.pid !== undefined) return phase === 'Paused' ? 'paused' : 'running';
  if (origin === undefined) return 'removing';
  if (status.finishedAt === undefined) return 'created';
  const comesAgain = !container.spec.suspend && (phase === 'CrashLoopBackOff' || phase === 'Pending');
  return comesAgain ? 'restarting' : 'exited';
}

export function isRunning(view: ContainerView): boolean {
  return view.status.pid !== undefined;
}

/** `Up 3 minutes`, `Exited (0) 2 hours ago`. `now` is milliseconds since the epoch. */
export function stateText(view: ContainerView, now: number): string {
  const { status } = view;
  const since = (time: string | undefined): string => humanDuration(now - Date.parse(time ?? NEVER));
  switch (stateOf(view)) {
    case 'running':
      return `Up ${since(status.startedAt)}${HEALTH_NOTES[healthOf(view)]}`;
    case 'paused':
      return `Up ${since(status.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${status.exitCode ?? 0}) ${since(status.finishedAt)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'created':
      return 'Created';
    case 'dead':
      return 'Dead';
    case 'exited':
      return `Exited (${status.exitCode ?? 0}) ${since(status.finishedAt)} ago`;
  }
}

/** What its health check says; `none` for one that has none, or whose run has not been looked at. */
export function healthOf({ status }: ContainerView): HealthState {
  const condition = status.conditions.find(({ type }) => type === 'Healthy');
  if (condition === undefined) return 'none';
  return condition.status === 'Unknown' ? 'starting' : condition.status === 'True' ? 'healthy' : 'unhealthy';
}

/** `State.Health` of an inspection. */
function healthBlock({ status, failingStreak, log }: Health) {
  const Log = log.map(({ startedAt, endedAt, exitCode, output }) => ({ Start: new Date(startedAt).toISOString(), End: new Date(endedAt).toISOString(), ExitCode: exitCode, Output: output }));
  return { Status: status.toLowerCase(), FailingStreak: failingStreak, Log };
}

/** `State` of an inspection. */
export function stateBlock(view: ContainerView, { oomKilled, failure, health }: { readonly oomKilled: boolean; readonly failure: StartFailure | undefined; readonly health?: Health | undefined }) {
  const { status } = view;
  const state = stateOf(view);
  const runs = state === 'running' || state === 'paused';
  return {
    Status: state,
    Running: runs || state === 'restarting',
    Paused: state === 'paused',
    Restarting: state === 'restarting',
    OOMKilled: oomKilled,
    Dead: false,
    Pid: status.pid ?? 0,
    ExitCode: failure?.exitCode ?? (runs ? 0 : (status.exitCode ?? 0)),
    Error: failure?.message ?? '',
    StartedAt: status.startedAt ?? NEVER,
    // While it runs, the end of the run before it is not on record any more.
    FinishedAt: runs ? NEVER : (status.finishedAt ?? NEVER),
    ...(health && { Health: healthBlock(health) }),
  };
}

/** Throws 409 for one that does not run, or stands still, and so can't do `what`. `reference` is what the client calls it. */
export function requireRunning(id: string, view: ContainerView, what: string, reference = id): void {
  const state = stateOf(view);
  if (state === 'paused') throw new DockerError(409, `Container ${reference} is paused, unpause the container before ${what}`);
  if (state === 'restarting') throw new DockerError(409, `Container ${reference} is restarting, wait until the container is running`);
  if (state !== 'running') throw new DockerError(409, `Container ${id} is not running`);
}
