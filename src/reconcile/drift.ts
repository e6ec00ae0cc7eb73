import type { Drift, DriftKind, ExitRecord } from '../engine/engine.ts';
import type { DriftPolicy, DriftRules } from '../spec/drift.ts';
import { restartsAfter, type RestartRules } from './restart-policy.ts';
import { describeExit } from './words.ts';

/** Drift that only a stop and a start undo: mounts are made before the process, which stays in its namespaces, and a start writes the bundle anew. */
const undoneByRestart: ReadonlySet<DriftKind> = new Set(['Mounts', 'Rootfs', 'Bundle', 'NetworkNamespace', 'Namespaces', 'Files']);

/** Where `spec.drift` has its word on a kind. An ended process is the restart policy's. */
const RULE_OF: Readonly<Record<Exclude<DriftKind, 'Process' | 'Files' | 'Exec'>, Exclude<keyof DriftRules, 'policy' | 'files' | 'exec'>>> = {
  Frozen: 'frozen',
  Limits: 'limits',
  Mounts: 'mounts',
  Rootfs: 'mounts',
  Network: 'network',
  NetworkNamespace: 'network',
  Namespaces: 'namespaces',
  Bundle: 'bundle',
  Image: 'image',
};

/** What is to be done about drift of that kind. */
export function driftPolicyOf({ drift }: { readonly drift: DriftRules }, kind: DriftKind): DriftPolicy {
  switch (kind) {
    case 'Process':
      return 'Correct';
    case 'Files':
      return drift.files?.policy ?? 'Ignore';
    case 'Exec':
      return drift.exec ?? (drift.policy === 'Ignore' ? 'Ignore' : 'Report');
    default:
      return drift[RULE_OF[kind]] ?? drift.policy;
  }
}

/** What of the drift is to be undone. */
export function correctable(spec: { readonly drift: DriftRules }, drift: readonly Drift[]): Drift[] {
  return drift.filter(({ kind }) => driftPolicyOf(spec, kind) === 'Correct');
}

/** Whether the container wants anything reported that is not undone, but for added processes, which are nothing that it could be without. */
export function reportsDrift({ drift }: { readonly drift: DriftRules }): boolean {
  return [drift.policy, drift.files?.policy, ...Object.values(RULE_OF).map((field) => drift[field])].includes('Report');
}

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
