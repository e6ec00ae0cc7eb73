import type { ContainerName } from '../spec/name.ts';
import type { DriftEntry } from './drift-record.ts';
import { instant } from './words.ts';

/** One difference, for faces. Times are RFC 3339. */
export interface DriftReportEntry extends Pick<DriftEntry, 'kind' | 'message' | 'policy' | 'count' | 'undoneBy'> {
  readonly foundAt: string;
  readonly undoneAt?: string;
  /** `unknown` where the kernel does not tell. */
  readonly who: string;
}

/** What differs of one container, and what did lately. */
export interface ContainerDrift {
  readonly name: ContainerName;
  /** Newest first. */
  readonly present: readonly DriftReportEntry[];
  /** What was undone, likewise. */
  readonly past: readonly DriftReportEntry[];
}

export function driftReport(name: ContainerName, record: readonly DriftEntry[] = []): ContainerDrift {
  const entries = record.toReversed();
  return { name, present: entries.filter(({ undoneAt }) => undoneAt === undefined).map(toReport), past: entries.filter(({ undoneAt }) => undoneAt !== undefined).map(toReport) };
}

function toReport({ kind, message, policy, count, foundAt, undoneAt, undoneBy, who = 'unknown' }: DriftEntry): DriftReportEntry {
  return { kind, message, policy, count, who, foundAt: instant(foundAt), ...(undoneAt !== undefined && { undoneAt: instant(undoneAt) }), ...(undoneBy !== undefined && { undoneBy }) };
}
