import type { Drift, DriftKind, ExitRecord } from '../engine/engine.ts';
import { restartsAfter, type RestartRules } from './restart-policy.ts';
import { describeExit } from './words.ts';

/** Drift that only a stop and a start undo: mounts are made before the process, which stays in its namespaces, and a start writes the bundle anew. */
const undoneByRestart: ReadonlySet<DriftKind> = new Set(['Mounts', 'Rootfs', 'Bundle', 'NetworkNamespace']);

/** The drift that an end nobody asked for is; undefined where the restart policy takes it for a completed run. */
export function processDrift(rules: RestartRules, exit: ExitRecord, crashes: number): Drift | undefined {
  if (!restartsAfter(rules, exit.exitCode, crashes)) return undefined;
  return { kind: 'Process', message: `the process ended by itself with ${describeExit(exit)}, want it running (restartPolicy ${rules.restartPolicy})` };
}

/** What of the drift needs the container stopped and started again. */
export function restartDrift(drift: readonly Drift[]): Drift[] {
  return drift.filter(({ kind }) => undoneByRestart.has(kind));
}

/** `memory.limit_in_bytes is 1, want 2; …` */
export function describeDrift(drift: readonly Drift[]): string {
  return drift.map(({ message }) => message).join('; ');
}
