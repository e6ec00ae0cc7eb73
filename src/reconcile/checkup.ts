import type { ContainerProbe } from '../spec/probe.ts';
import type { ContainerSpec } from '../spec/container.ts';
import { describeHealth, type Health } from './health.ts';

/** What a container is probed for: the health check as Docker has it, and Kubernetes' three probes. */
export type ProbeKind = 'Health' | 'Startup' | 'Readiness' | 'Liveness';

/** What of a spec says how its container is probed. */
export type ProbeSpec = Pick<ContainerSpec, 'healthcheck' | 'startupProbe' | 'readinessProbe' | 'livenessProbe'>;

export interface Finding {
  /** CamelCase: Starting, NotReady, Unhealthy. */
  readonly reason: string;
  readonly message: string;
}

/** Why a container that runs is to be restarted. */
export interface Unwell {
  /** CamelCase: StartupProbeFailed, LivenessProbeFailed, Unhealthy. */
  readonly reason: string;
  readonly message: string;
  /** Seconds between the stop signal and SIGKILL, where the probe has its own. */
  readonly graceSeconds?: number;
}

/** What the probes of a container's present run say. */
export interface Checkup {
  /** By its health check; undefined where it has none. */
  readonly health: Health | undefined;
  /** Why it is not ready, though it runs. */
  readonly unready: Finding | undefined;
  readonly unwell: Unwell | undefined;
}

export const PROBE_NAMES: Readonly<Record<ProbeKind, string>> = { Health: 'health check', Startup: 'startup probe', Readiness: 'readiness probe', Liveness: 'liveness probe' };

/**
 * Sums up what is known by kind; a kind that is not there is not probed, or not yet. `isKnown` is false until it is known whether its image asks for a health check.
 */
export function checkupOf({ healthcheck, startupProbe, readinessProbe, livenessProbe }: ProbeSpec, by: Partial<Readonly<Record<ProbeKind, Health>>>, isKnown: boolean): Checkup {
  const isReadyBy = (kind: ProbeKind, reason: string): Finding | undefined => {
    const health = by[kind];
    if (health?.status === 'Healthy') return undefined;
    if (health?.status === 'Unhealthy') return { reason, message: `its ${PROBE_NAMES[kind]}: ${describeHealth(health)}` };
    return { reason: 'Starting', message: `its ${PROBE_NAMES[kind]} has not passed yet` };
  };
  const unready =
    (isKnown ? undefined : { reason: 'Starting', message: 'it is not known yet whether its image asks for a health check' }) ??
    (startupProbe && isReadyBy('Startup', 'NotReady')) ??
    (readinessProbe && isReadyBy('Readiness', 'NotReady')) ??
    (by.Health && isReadyBy('Health', 'Unhealthy'));
  const isUnwell = (kind: ProbeKind, reason: string, probe?: ContainerProbe): Unwell | undefined => {
    const health = by[kind];
    if (health?.status !== 'Unhealthy') return undefined;
    const { terminationGracePeriodSeconds: graceSeconds } = probe ?? {};
    return { reason, message: `its ${PROBE_NAMES[kind]}: ${describeHealth(health)}`, ...(graceSeconds !== undefined && { graceSeconds }) };
  };
  const unwell =
    isUnwell('Startup', 'StartupProbeFailed', startupProbe) ?? isUnwell('Liveness', 'LivenessProbeFailed', livenessProbe) ?? (healthcheck?.onFailure === 'Restart' ? isUnwell('Health', 'Unhealthy') : undefined);
  return { health: by.Health, unready, unwell };
}
