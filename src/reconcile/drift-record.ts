import type { Drift, DriftKind } from '../engine/engine.ts';
import type { DriftPolicy, DriftRules } from '../spec/drift.ts';
import { describeDrift, driftPolicyOf } from './drift.ts';
import type { Step } from './plan.ts';
import type { Situation } from './situation.ts';

/** One difference, from when it was found until it was gone. Times are milliseconds since the epoch. */
export interface DriftEntry {
  readonly kind: DriftKind;
  /** What was found and what was wanted. */
  readonly message: string;
  /** Who made it, as far as the kernel told; undefined where it did not. */
  readonly who?: string;
  readonly policy: DriftPolicy;
  /** When it was found, the last time where it came back. */
  readonly foundAt: number;
  /** Times that the very same was found. */
  readonly count: number;
  /** When it was seen gone. */
  readonly undoneAt?: number;
  /** The step that undid it; undefined where none of Mooring's did, or the daemon was started anew since. */
  readonly undoneBy?: Step['kind'];
  /** Of an added process: its id. */
  readonly session?: string;
}

/** A step that was carried out, and when. */
export interface ActedStep {
  readonly kind: Step['kind'];
  readonly at: number;
}

/** Entries kept of one container. What still differs goes last. */
const CAPACITY = 32;

/** What undoes a kind, the likeliest first. */
const UNDOING: Readonly<Record<DriftKind, readonly Step['kind'][]>> = {
  Process: ['Start'],
  Frozen: ['Resume', 'Pause', 'Start'],
  Limits: ['RestoreLimits', 'Update', 'Start'],
  Network: ['RestoreNetwork', 'Update', 'Start'],
  NetworkNamespace: ['Start'],
  Namespaces: ['Start'],
  Mounts: ['Start'],
  Rootfs: ['Start'],
  Bundle: ['Start'],
  Files: ['Reset', 'Remove'],
  Image: ['Remove'],
  Exec: [],
};

/** Enters drift that was not there before. */
export function withFound(entries: readonly DriftEntry[], { kind, message, who }: Drift, policy: DriftPolicy, now: number, session?: string): readonly DriftEntry[] {
  const same = entries.find((entry) => entry.kind === kind && entry.message === message && entry.undoneAt !== undefined);
  const found: DriftEntry = { kind, message, ...(who !== undefined && { who }), policy, foundAt: now, count: (same?.count ?? 0) + 1, ...(session !== undefined && { session }) };
  return bounded([...entries.filter((entry) => entry !== same), found]);
}

/** Ends every entry of that kind that goes on. */
export function withUndone(entries: readonly DriftEntry[], kind: DriftKind, acted: readonly ActedStep[], now: number): readonly DriftEntry[] {
  const goesOn = (entry: DriftEntry): boolean => entry.kind === kind && entry.undoneAt === undefined;
  if (!entries.some(goesOn)) return entries;
  return entries.map((entry) => {
    if (!goesOn(entry)) return entry;
    const since = acted.filter(({ at }) => at >= entry.foundAt).map((step) => step.kind);
    const undoneBy = UNDOING[kind].find((step) => since.includes(step));
    return { ...entry, undoneAt: now, ...(undoneBy !== undefined && { undoneBy }) };
  });
}

/** What is seen of a container that runs as it is wanted to. */
export interface Seen {
  readonly spec: { readonly drift: DriftRules };
  /** What differs now and is not ignored. */
  readonly present: readonly Drift[];
  /** Kinds that differed before. */
  readonly known: readonly DriftKind[];
  /** Of these, the ones that no longer do. */
  readonly undone: readonly DriftKind[];
  readonly situation: Pick<Situation, 'acted' | 'now'>;
}

/** The record after what is seen now. The very list given where nothing of it is new. */
export function recordOf(entries: readonly DriftEntry[] = [], { spec, present, known, undone, situation: { acted = [], now } }: Seen): readonly DriftEntry[] {
  const kinds = Map.groupBy(present, ({ kind }) => kind);
  let record = undone.reduce((list, kind) => withUndone(list, kind, acted, now), entries);
  for (const [kind, drift] of kinds) {
    const who = drift.flatMap((each) => each.who ?? []).join('; ');
    const whole: Drift = { kind, message: describeDrift(drift), ...(who !== '' && { who }) };
    record = known.includes(kind) ? withPresent(record, whole, driftPolicyOf(spec, kind)) : withFound(record, whole, driftPolicyOf(spec, kind), now);
  }
  const ignored = known.filter((kind) => !undone.includes(kind) && !kinds.has(kind));
  return ignored.length === 0 ? record : record.filter(({ kind, undoneAt }) => undoneAt !== undefined || !ignored.includes(kind));
}

/** Ends what goes on: the container is not there any more to differ. Added processes have an end of their own. */
export function withoutPresent(entries: readonly DriftEntry[], now: number): readonly DriftEntry[] {
  const isOver = ({ kind, undoneAt }: DriftEntry): boolean => undoneAt === undefined && kind !== 'Exec';
  return entries.some(isOver) ? entries.map((entry) => (isOver(entry) ? { ...entry, undoneAt: now } : entry)) : entries;
}

/** What goes on, as it is seen now. */
function withPresent(entries: readonly DriftEntry[], { kind, message, who }: Drift, policy: DriftPolicy): readonly DriftEntry[] {
  const at = entries.findIndex((entry) => entry.kind === kind && entry.undoneAt === undefined);
  const entry = entries[at];
  if (entry === undefined || (entry.message === message && entry.policy === policy && (who === undefined || entry.who === who))) return entries;
  return entries.with(at, { ...entry, message, policy, ...(who !== undefined && { who }) });
}

function bounded(entries: readonly DriftEntry[]): readonly DriftEntry[] {
  if (entries.length <= CAPACITY) return entries;
  const oldest = Math.max(0, entries.findIndex(({ undoneAt }) => undoneAt !== undefined));
  return entries.toSpliced(oldest, 1);
}
