import type { Drift, ObservedContainer } from '../engine/engine.ts';
import type { FileFindings, FileWatcher, FileWriter } from '../engine/file-watcher.ts';
import type { FileChange } from '../engine/files.ts';
import type { DesiredContainer } from './desired.ts';
import { driftPolicyOf } from './drift.ts';

/** Paths named in a message. */
const NAMED = 5;

/** What was observed, with the drift that changed files are, where they are to be looked at. */
export async function withFileDrift(observed: ObservedContainer | undefined, desired: DesiredContainer | undefined, watcher: Pick<FileWatcher, 'find'>): Promise<ObservedContainer | undefined> {
  if (observed === undefined || !watchesFiles(desired) || observed.process.state === 'Creating') return observed;
  const drift = fileDrift(await watcher.find(desired.name, observed.id, desired.container.spec.drift.files?.allowedPaths ?? []));
  return drift === undefined ? observed : { ...observed, drift: [...observed.drift, drift] };
}

export function watchesFiles(desired: DesiredContainer | undefined): desired is DesiredContainer {
  return desired !== undefined && driftPolicyOf(desired.container.spec, 'Files') !== 'Ignore';
}

function fileDrift({ files, more }: FileFindings): Drift | undefined {
  if (files.length === 0) return undefined;
  const named = files.slice(0, NAMED).map(({ kind, path }) => `${path} was ${WORDS[kind]}`);
  const rest = files.length - named.length + more;
  const writers = new Set(files.flatMap(({ by }) => (by === undefined ? [] : [describeWriter(by)])));
  return {
    kind: 'Files',
    message: `${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}, want them as in the image`,
    ...(writers.size > 0 && { who: [...writers].slice(0, NAMED).join('; ') }),
  };
}

const WORDS: Readonly<Record<FileChange['kind'], string>> = { A: 'added', C: 'changed', D: 'deleted' };

/** `sed (pid 312, uid 0), in the container`. */
export function describeWriter({ pid, program, uid, isInside }: FileWriter): string {
  if (program === undefined) return `pid ${pid}, which had ended by then`;
  return `${program} (pid ${pid}, uid ${uid ?? 'unknown'}), ${isInside === true ? 'in the container' : 'from outside'}`;
}
